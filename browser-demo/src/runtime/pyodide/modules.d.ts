/** What the build says about Pyodide's files; see `vite.config.ts`. */
declare module "virtual:pyodide" {
  interface File {
    readonly sha256: string;
    readonly size: number;
  }
  /** The version of the npm package. */
  export const version: string;
  export const wasm: File;
  export const python: File;
  export const library: File;
}

/** What makes Pyodide's Emscripten module. */
declare module "pyodide/pyodide.asm.mjs" {
  const create: (settings: unknown) => Promise<unknown>;
  export default create;
}
