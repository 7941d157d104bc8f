/** What the host and the worker of an interpreter say to each other. Both are of one build, as they come by one `import()`. */
import type { Wire } from "../marshal.ts";
import type { Operation } from "../python.ts";

/** What an interpreter is started with. */
export interface Start {
  /** Pyodide's interpreter, compiled. */
  readonly module: WebAssembly.Module;
  /** The standard library. */
  readonly library: Uint8Array<ArrayBuffer>;
  /** Pyodide's own Python modules. */
  readonly python: Uint8Array<ArrayBuffer>;
  /** The wheels of the bundle, by file name. */
  readonly wheels: readonly (readonly [name: string, wheel: Uint8Array<ArrayBuffer>])[];
  /** The bundle's lock file. */
  readonly lock: string;
}

/** To the interpreter: first `start`, then one call after the other. */
export type ToInterpreter =
  | { readonly start: Start }
  | { readonly operation: Operation; readonly payload: Uint8Array; readonly buffers: readonly Uint8Array[] };

/** From the interpreter: `ready` once, then an answer to each call. After `gone` nothing follows. */
export type FromInterpreter =
  | { readonly ready: true }
  | { readonly answer: Wire }
  | { readonly gone: string }
  | { readonly printed: string; readonly isError: boolean };
