/**
 * The engine that also runs natively, as a page gets it: core modules of WebAssembly and a plan that says how they are put
 * together. `packager/src/web.rs` writes both.
 */
import { counted, type Progress } from "../abi.ts";
import { sha256 } from "../bundle.ts";
import { PipelineError, reasonOf } from "../errors.ts";

/** The version of the plan that is known here. */
const FORMAT = 1;
const PLAN = "engine.json";

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

type ModuleSource =
  { readonly file: string; readonly size: number; readonly sha256: string } | { readonly base64: string };

/** An engine that is ready to be instantiated. It can be sent to a worker. */
export interface Engine {
  readonly plan: Plan;
  readonly modules: readonly WebAssembly.Module[];
}

/** Download and compile the engine at an address. Rejects with a `load` error. */
export async function loadEngine(
  address: string,
  digest: string,
  onProgress: (progress: Progress) => void = () => undefined,
): Promise<Engine> {
  const folder = new URL(address);
  try {
    const response = await get(new URL(PLAN, folder));
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
    const total = plan.modules.reduce((sum, source) => sum + ("file" in source ? source.size : 0), 0);
    let loaded = 0;
    const onBytes = (bytes: number) => {
      loaded += bytes;
      onProgress({ loaded, total });
    };
    const modules = await Promise.all(plan.modules.map((source) => compile(folder, source, onBytes)));
    return { plan, modules };
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    throw new PipelineError("load", `the engine at ${folder.href} cannot be loaded: ${reasonOf(error)}`, {
      hint: "serve what `rm-pack build --target web` writes, the folder engine-...-web included, and say where it is (`enginesURL`)",
    });
  }
}

async function get(url: URL): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`the server answered ${response.status} ${response.statusText} for ${url.pathname}`);
  return response;
}

async function compile(
  folder: URL,
  source: ModuleSource,
  onBytes: (bytes: number) => void,
): Promise<WebAssembly.Module> {
  if ("base64" in source) {
    return WebAssembly.compile(Uint8Array.from(atob(source.base64), (char) => char.charCodeAt(0)));
  }
  const response = await get(new URL(source.file, folder));
  const copy = counted(response.clone(), onBytes);
  // Compiled while it comes; from the response itself, as browsers keep what they compiled of nothing else. Nothing of it
  // runs before its digest was found to be right.
  const [module, found] = await Promise.all([
    WebAssembly.compileStreaming(response),
    copy.arrayBuffer().then((bytes) => sha256(new Uint8Array(bytes))),
  ]);
  if (found !== source.sha256) throw new Error(`${source.file} was altered: its SHA-256 is ${found}`);
  return module;
}
