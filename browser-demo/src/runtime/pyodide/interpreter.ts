/**
 * A worker with one interpreter in it: boots Pyodide from what the host has checked, and passes requests on to the guest
 * (`packager/python/pyodide/_rm_pyodide.py`). It downloads nothing itself.
 */
import { loadPyodide, type PyodideAPI } from "pyodide";
import createPyodideModule from "pyodide/pyodide.asm.mjs";
import type { PyCallable, PyProxy } from "pyodide/ffi";
import { reasonOf } from "../errors.ts";
import { type Dispatch, serve } from "../serving.ts";
import type { Start } from "./start.ts";

/** Where the archives are in the interpreter's file system. */
const FOLDER = "/remotemedia";
/** The address under which Pyodide asks for what it has been given. */
const LIBRARY = "python_stdlib.zip";

/** The addresses under which it asks for packages; nothing is there. */
const PACKAGES = new URL("./packages/", self.location.href).href;

/** What of Emscripten's settings is replaced here. */
interface Settings {
  instantiateWasm?: (
    imports: { env: Record<string, unknown> } & WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ) => object;
}

/** What is used of Emscripten's file system. */
interface FileSystem {
  mkdirTree(path: string): void;
  writeFile(path: string, bytes: Uint8Array): void;
}

/** Instances of a module that was compiled once for all interpreters. */
function instantiateFrom(
  module: WebAssembly.Module,
  onFailed: (error: unknown) => void,
): Required<Settings>["instantiateWasm"] {
  return (imports, done) => {
    // The mark of a JavaScript error in Pyodide's C code: any object that nothing else is equal to.
    const mark = Symbol("error");
    imports.env["Jsv_GetError_import"] = () => mark;
    imports.env["JsvError_Check"] = (value: unknown) => (value === mark ? 1 : 0);
    WebAssembly.instantiate(module, imports).then((instance) => {
      done(instance, module);
    }, onFailed);
    return {};
  };
}

async function boot(
  { module, library, python, wheels, packages, lock }: Start,
  onPrinted: (printed: string, isError: boolean) => void,
): Promise<Dispatch> {
  const failed = Promise.withResolvers<never>();
  const files = new Map(packages.map(({ file, bytes }) => [PACKAGES + file, bytes]));
  // Pyodide fetches what it boots from. Here it gets what was checked, and nothing else from anywhere.
  self.fetch = (input) => {
    const address = input instanceof Request ? input.url : String(input);
    if (address.endsWith(`/${LIBRARY}`)) return Promise.resolve(new Response(library));
    // Asked for in advance; what `instantiateFrom` has takes its place.
    if (address.endsWith("/pyodide.asm.wasm")) return Promise.resolve(new Response(null));
    const file = files.get(address);
    if (file !== undefined) return Promise.resolve(new Response(file));
    return Promise.reject(new TypeError(`a node's interpreter has no network: ${address}`));
  };
  const archives = [["pyodide.zip", python] as const, ...wheels];
  const printed = (isError: boolean) => (text: string) => {
    onPrinted(text, isError);
  };
  const booting: Promise<PyodideAPI> = loadPyodide({
    indexURL: new URL("./", self.location.href).href,
    stdLibURL: LIBRARY,
    lockFileContents: lock,
    packageBaseUrl: PACKAGES,
    stdout: printed(false),
    stderr: printed(true),
    // As the engine is: the same order of sets, the same encoding, the same time zone.
    env: {
      HOME: "/home/pyodide",
      PYTHONPATH: archives.map(([name]) => `${FOLDER}/${name}`).join(":"),
      PYTHONHASHSEED: "0",
      PYTHONUTF8: "1",
      TZ: "UTC",
    },
    fsInit: (FS: unknown) => {
      const files = FS as FileSystem;
      files.mkdirTree(FOLDER);
      for (const [name, bytes] of archives) files.writeFile(`${FOLDER}/${name}`, bytes);
      return Promise.resolve();
    },
    createPyodideModule: ((settings: Settings) => {
      settings.instantiateWasm = instantiateFrom(module, failed.reject);
      return createPyodideModule(settings);
    }) as never,
  });
  const pyodide = await Promise.race([booting, failed.promise]);
  await install(pyodide, packages);
  const guest = pyodide.pyimport("_rm_pyodide") as PyProxy & {
    readonly start: PyCallable;
    readonly dispatch: PyCallable;
  };
  const ffi = pyodide.pyimport("pyodide.ffi") as PyProxy & { readonly to_js: PyCallable };
  guest.start(ffi.to_js);
  return (operation, { payload, buffers }) => {
    const [answer, ...given] = guest.dispatch(operation, payload, buffers) as [Uint8Array, ...Uint8Array[]];
    return { payload: answer, buffers: given };
  };
}

/** Have Pyodide install packages of its own. It reports what it cannot install, and goes on. */
async function install(pyodide: PyodideAPI, packages: Start["packages"]): Promise<void> {
  if (packages.length === 0) return;
  const said: string[] = [];
  const names = packages.map(({ name }) => name);
  const done = await pyodide.loadPackage(names, {
    checkIntegrity: true,
    messageCallback: () => undefined,
    errorCallback: (text) => said.push(text),
  });
  const missing = names.filter((name) => !done.some((loaded) => loaded.name === name));
  if (missing.length > 0) throw new Error(`it cannot install ${missing.join(", ")}: ${said.join("\n")}`);
}

serve<Start>(async (start, onPrinted) => {
  const dispatch = await boot(start, onPrinted).catch((error: unknown) => {
    throw new Error(`Pyodide cannot be started: ${reasonOf(error)}`);
  });
  return (operation, wire) => {
    try {
      return dispatch(operation, wire);
    } catch (error) {
      // The guest lets nothing through, so that this is the interpreter itself: its stack has run over.
      throw new Error(`the interpreter has stopped: ${reasonOf(error)}`, { cause: error });
    }
  };
});
