/** The bundles of the examples, as `scripts/bundles.mjs` packed them beside the page. */
import { PipelineError } from "../runtime/index.ts";

interface Index {
  readonly bundles: readonly { readonly name: string; readonly target: string; readonly file: string }[];
}

const FOLDER = "bundles/";
let index: Promise<Index> | undefined;

/** The bundle of an example, for the engine that also runs natively. Rejects with a `load` error. */
export async function exampleBundle(name: string): Promise<{ file: string; bytes: Uint8Array<ArrayBuffer> }> {
  index ??= get("index.json").then((response) => response.json() as Promise<Index>);
  const found = (await index).bundles.find((bundle) => bundle.name === name && bundle.target === "wasmtime");
  if (found === undefined) {
    throw new PipelineError("load", `the example \`${name}\` was not packed for this page`, {
      hint: "pack the examples with `npm run bundles`, and build the page again",
    });
  }
  const response = await get(found.file);
  return { file: found.file, bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function get(file: string): Promise<Response> {
  const response = await fetch(FOLDER + file);
  if (response.ok) return response;
  index = undefined;
  throw new PipelineError("load", `${FOLDER}${file} cannot be loaded: the server answered ${response.status}`, {
    hint: "pack the examples with `npm run bundles`, and build the page again",
  });
}
