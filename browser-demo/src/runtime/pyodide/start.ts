/** A package that comes with Pyodide, as it was downloaded and checked. */
export interface LoadedPackage {
  readonly name: string;
  readonly file: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What an interpreter in Pyodide is started with. */
export interface Start {
  /** Pyodide's interpreter, compiled. */
  readonly module: WebAssembly.Module;
  /** The standard library. */
  readonly library: Uint8Array<ArrayBuffer>;
  /** Pyodide's own Python modules. */
  readonly python: Uint8Array<ArrayBuffer>;
  /** The wheels of the bundle, by file name. */
  readonly wheels: readonly (readonly [name: string, wheel: Uint8Array<ArrayBuffer>])[];
  /** Packages of Pyodide's own, which it installs itself. */
  readonly packages: readonly LoadedPackage[];
  /** The bundle's lock file. */
  readonly lock: string;
}
