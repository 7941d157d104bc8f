import type { Archive, Directory } from "./archives.ts";

/** A package that comes with Pyodide, as it was downloaded and checked. */
export interface LoadedPackage {
  readonly name: string;
  readonly file: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What of a bundle an interpreter is given. */
export interface Given {
  /** The standard library. */
  readonly library: Uint8Array<ArrayBuffer>;
  /** The bundle's wheels. */
  readonly archives: readonly Archive[];
  /** What was read of the wheels and the library. */
  readonly directory: Directory;
  /** The bundle's lock file, which Pyodide reads in any case. */
  readonly lock: string;
}

/** What all of Pyodide is started with, for packages that come with it. */
export interface Whole {
  /** Pyodide's interpreter, compiled. */
  readonly module: WebAssembly.Module;
  /** All of the standard library. */
  readonly library: Uint8Array<ArrayBuffer>;
  /** Pyodide's own Python modules, and the bundle's wheels. */
  readonly archives: readonly Archive[];
  /** The packages, which it installs itself. */
  readonly packages: readonly LoadedPackage[];
  /** The bundle's lock file. */
  readonly lock: string;
}

/**
 * A step of an interpreter's start. Without packages it begins before there is anything to start from, and takes the compiled
 * interpreter and what it is for when they are there; with packages everything comes at once.
 */
export type Step =
  | { readonly alone: true }
  | { readonly module: WebAssembly.Module }
  | { readonly given: Given }
  | { readonly whole: Whole };
