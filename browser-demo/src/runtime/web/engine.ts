/**
 * The engine that also runs natively, as a page gets it: core modules of WebAssembly and a plan that says how they are put
 * together. `packager/src/web/` writes both.
 */
import type { Progress } from "../code.ts";
import { compileChecked, get, Tally } from "../download.ts";
import { PipelineError, reasonOf } from "../errors.ts";
import { taken } from "../given.ts";
import { once } from "../once.ts";

/** The version of the plan that is known here. */
const FORMAT = 1;
const PLAN = "engine.json";
const SERVE =
  "serve what `rm-pack build --target web` writes, the folder engine-...-web included, and say where it is (`enginesURL`)";

/** The number of an instance, and the name of its export. */
export type Export = readonly [instance: number, name: string];

/** `engine.json`, as far as an instance is made from it. */
export interface Plan {
  readonly format: number;
  readonly engine: string;
  readonly python: string;
  readonly protocol: number;
  readonly modules: readonly ModuleSource[];
  /** What to instantiate, in this order; imports are in the order in which the module declares them. */
  readonly instances: readonly { readonly module: number; readonly imports: readonly (Export | string)[] }[];
  readonly memory: Export;
  readonly realloc: Export;
  readonly argument_realloc: Export;
  readonly exports: Readonly<Record<string, Export>>;
}

type ModuleSource = EngineFile | { readonly base64: string };

/** A module that lies beside the plan, as the plan and the index of a folder know it. */
export interface EngineFile {
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
}

/** An engine that is ready to be instantiated. It can be sent to a worker. */
export interface Engine {
  readonly plan: Plan;
  readonly modules: readonly WebAssembly.Module[];
}

/** What else is known when an engine is loaded. */
interface LoadOptions {
  /** Files that the plan is going to name, as somebody says; they come while the plan does. What it does not name is not used. */
  readonly files?: readonly EngineFile[];
  readonly onProgress?: (progress: Progress) => void;
}

/** Where an engine is, in the folder of those that pipelines share. */
export function engineAddress(digest: string, folder: string): string {
  return new URL(`engine-${digest}-web/`, folder).href;
}

/** An engine, which the pipelines of a thread share: the one that was given to it, if one was. Rejects with a `load` error. */
export function engineAt(address: string, digest: string, options?: LoadOptions): Promise<Engine> {
  return once(`engine ${address}`, async () => {
    return (await taken<Engine>(address)) ?? loadEngine(address, digest, options);
  });
}

/** Download and compile the engine at an address. Rejects with a `load` error. */
export async function loadEngine(
  address: string,
  digest: string,
  { files = [], onProgress }: LoadOptions = {},
): Promise<Engine> {
  const folder = new URL(address);
  const tally = new Tally(onProgress);
  const begun = new Map(
    files.map((file) => [`${file.file} ${file.size} ${file.sha256}`, compile(folder, file, tally)] as const),
  );
  // What goes wrong with one that is used is told below.
  for (const module of begun.values()) module.catch(() => undefined);
  try {
    const { href, pathname } = new URL(PLAN, folder);
    const response = await get(href, (reason) => new Error(`${reason} for ${pathname}`));
    const plan = (await response.json()) as Plan;
    if (plan.format !== FORMAT) {
      throw new PipelineError(
        "version",
        `the engine at ${folder.href} has the format ${plan.format}; this is ${FORMAT}`,
        {
          hint: "write it with `rm-pack build --target web` of this version",
        },
      );
    }
    if (plan.engine !== digest) throw new Error(`it is the engine ${plan.engine}`);
    const modules = await Promise.all(
      plan.modules.map((source) => {
        const coming = "file" in source ? begun.get(`${source.file} ${source.size} ${source.sha256}`) : undefined;
        return coming ?? compile(folder, source, tally);
      }),
    );
    return { plan, modules };
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    throw new PipelineError("load", `the engine at ${folder.href} cannot be loaded: ${reasonOf(error)}`, {
      hint: SERVE,
    });
  }
}

function compile(folder: URL, source: ModuleSource, tally: Tally): Promise<WebAssembly.Module> {
  if ("base64" in source) {
    return WebAssembly.compile(decodeBase64(source.base64));
  }
  const { file, size, sha256 } = source;
  const expected = {
    size,
    sha256,
    name: `the engine's file at ${new URL(file, folder).href}`,
    meant: `the one that \`${PLAN}\` beside it names`,
    absent: SERVE,
    other: SERVE,
  };
  return compileChecked(new URL(file, folder), expected, tally);
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const chars = atob(text);
  const bytes = new Uint8Array(chars.length);
  // A loop, as an iterator takes a millisecond for each ten thousand.
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = chars.charCodeAt(index);
  return bytes;
}
