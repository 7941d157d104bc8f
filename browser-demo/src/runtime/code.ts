/**
 * The executor's code, in two parts that `scripts/split/` makes of one module: a core, with what manifests in JSON and the
 * smaller nodes need, and the rest, which is downloaded when something needs it.
 *
 * The core imports functions of the rest. What stands for them here brings the rest in when the first of them is called: as it
 * is called from within WebAssembly it cannot wait, so that a worker is held until the rest is there, and in a page, which
 * nothing may hold, the rest has to be there before.
 */
import { PipelineError, reasonOf } from "./errors.ts";

/** Where the two parts are. */
export interface CodeAddress {
  readonly core: string;
  readonly rest: string;
}

/** The executor, ready to be instantiated. */
export interface ExecutorCode {
  readonly core: WebAssembly.Module;
  readonly rest: Pick<Rest, "fetch" | "importsFor">;
}

/** What the rest imports: the host's functions, and the core's exports. */
export interface RestImports {
  readonly host: WebAssembly.ModuleImports;
  readonly core: WebAssembly.Exports;
}

/** How much of a download has come; `total` is 0 where the server does not say it. */
export interface Progress {
  readonly loaded: number;
  readonly total: number;
}

const SERVE =
  "build it with `npm run wasm`, and serve it as application/wasm under a policy that allows 'wasm-unsafe-eval'";

/** Whether a download may hold this thread. */
const mayHold = "WorkerGlobalScope" in globalThis;

/** How the executor is downloaded. */
export interface CodeOptions {
  /** How the download of the core goes. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Whether the rest is going to be needed. */
  readonly isAllNeeded?: boolean;
}

/** Download and compile what the executor starts from. Rejects with a `load` error. */
export async function compileExecutor(
  address: CodeAddress,
  { onProgress, isAllNeeded = false }: CodeOptions = {},
): Promise<ExecutorCode> {
  const rest = new Rest(address.rest);
  const later = isAllNeeded || !mayHold ? rest.fetch() : undefined;
  // Told to whoever needs it.
  later?.catch(() => undefined);
  const core = await compile("the executor", address.core, onProgress);
  if (!mayHold) await later;
  return { core, rest };
}

/** What the core does without until it is needed. */
export class Rest {
  readonly #url: string;
  #module: WebAssembly.Module | undefined;
  #coming: Promise<void> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** Download it now, as it is going to be needed. Rejects with a `load` error. */
  fetch(): Promise<void> {
    if (this.#module !== undefined) return Promise.resolve();
    this.#coming ??= compile(WHAT, this.#url).then(
      (module) => {
        this.#module = module;
      },
      (error: unknown) => {
        this.#coming = undefined;
        throw error;
      },
    );
    return this.#coming;
  }

  /**
   * What a core imports beside the functions of the host: for each signature, what calls a function of the rest by its number,
   * the last argument. `given` is asked for when the first is called.
   */
  importsFor(core: WebAssembly.Module, given: () => RestImports): WebAssembly.Imports {
    const functions: ((...values: unknown[]) => unknown)[] = [];
    let exports: WebAssembly.Exports | undefined;
    const call = (...values: unknown[]) => {
      const number = values.pop() as number;
      exports ??= this.#instantiate(given());
      return (functions[number] ??= exports[number.toString(36)] as (typeof functions)[0])(...values);
    };
    const names = WebAssembly.Module.imports(core).flatMap(({ module, name }) => (module === "rest" ? [name] : []));
    return { rest: Object.fromEntries(names.map((name) => [name, call])) };
  }

  /** Both parts name the module that they were made of, where one imports from the other. */
  #instantiate({ host, core }: RestImports): WebAssembly.Exports {
    const module = this.#now();
    try {
      return new WebAssembly.Instance(module, { host, core }).exports;
    } catch (error) {
      throw new PipelineError("version", `${WHAT} at ${this.#url} is of another build: ${reasonOf(error)}`, {
        hint: "load the page again; serve both parts of the executor from one build",
      });
    }
  }

  /** The module, now. */
  #now(): WebAssembly.Module {
    if (this.#module !== undefined) return this.#module;
    const request = new XMLHttpRequest();
    try {
      request.open("GET", this.#url, false);
      request.responseType = "arraybuffer";
      request.send();
      if (request.status !== 200) throw new Error(`the server answered ${request.status} ${request.statusText}`);
      this.#module = new WebAssembly.Module(request.response as ArrayBuffer);
    } catch (error) {
      throw cannotLoad(WHAT, this.#url, error);
    }
    return this.#module;
  }
}

const WHAT = "the rest of the executor";

/** Compile a part while it is being downloaded. */
async function compile(
  what: string,
  url: string,
  onProgress?: (progress: Progress) => void,
): Promise<WebAssembly.Module> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
    if (onProgress === undefined) return await WebAssembly.compileStreaming(response);
    // Of what is compressed on the way only the compressed size is told, and what comes is counted decompressed.
    const isCompressed = response.headers.has("content-encoding");
    const total = isCompressed ? 0 : Number(response.headers.get("content-length") ?? 0);
    let loaded = 0;
    const onBytes = (bytes: number) => {
      loaded += bytes;
      onProgress({ loaded, total });
    };
    // Browsers keep what they compiled of the response itself, and of nothing else.
    const copy = response.clone();
    const [module] = await Promise.all([WebAssembly.compileStreaming(response), count(copy, onBytes)]);
    return module;
  } catch (error) {
    throw cannotLoad(what, url, error);
  }
}

/** Tell of each piece of a response how long it is. */
async function count(response: Response, onBytes: (bytes: number) => void): Promise<void> {
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    onBytes(part.value.length);
  }
}

function cannotLoad(what: string, url: string, error: unknown): PipelineError {
  return new PipelineError("load", `${what} at ${url} cannot be loaded: ${reasonOf(error)}`, { hint: SERVE });
}
