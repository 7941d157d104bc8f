/**
 * A worker with one interpreter in it: boots Pyodide from what the host has checked, and passes requests on to the guest
 * (`packager/engine/guest/_rm_guest.py`). It downloads nothing itself.
 *
 * Nodes without packages of Pyodide's own need its interpreter, and nothing of the Python around it, which converts values, talks
 * to the page and installs packages: most of the time that Pyodide takes to start. For them it is left out.
 */
import "./modular.ts";
import { loadPyodide, type PyodideAPI } from "pyodide";
import createPyodideModule from "pyodide/pyodide.asm.mjs";
import { reasonOf } from "../errors.ts";
import { type Dispatch, serve } from "../serving.ts";
import { DIRECTORY_PATH, FIRST_PATH, FOLDER } from "./archives.ts";
import { startGuest } from "./guest.ts";
import type { Given, LoadedPackage, Step, Whole } from "./start.ts";

type Options = NonNullable<Parameters<typeof loadPyodide>[0]>;
type OnPrinted = (printed: string, isError: boolean) => void;

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
  /** By their numbers; those that are closed are not there. */
  readonly streams: readonly (Stream | null | undefined)[];
}

interface Stream {
  readonly stream_ops: { readonly fsync?: (stream: Stream) => void };
}

/** The numbers of standard output and standard error. */
const OUTPUT = [1, 2];

/** An interpreter that boots. */
class Booting {
  #files: FileSystem | undefined;
  readonly #instance = Promise.withResolvers<WebAssembly.Instance>();
  readonly #failed = Promise.withResolvers<never>();

  /** What Emscripten is to do in place of downloading and compiling: the module was compiled once for all interpreters. */
  instantiateFrom(coming: WebAssembly.Module | Promise<WebAssembly.Module>): Required<Settings>["instantiateWasm"] {
    const instantiate = async (imports: WebAssembly.Imports) => {
      const module = await coming;
      return { module, instance: await WebAssembly.instantiate(module, imports) };
    };
    return (imports, done) => {
      // The mark of a JavaScript error in Pyodide's C code: any object that nothing else is equal to.
      const mark = Symbol("error");
      imports.env["Jsv_GetError_import"] = () => mark;
      imports.env["JsvError_Check"] = (value: unknown) => (value === mark ? 1 : 0);
      instantiate(imports)
        .then(({ module, instance }) => {
          this.#instance.resolve(instance);
          done(instance, module);
        })
        .catch(this.#failed.reject);
      return {};
    };
  }

  /** Write what it starts from. */
  write(files: unknown, archives: readonly (readonly [path: string, bytes: Uint8Array])[]): void {
    this.#files = files as FileSystem;
    this.#files.mkdirTree(FOLDER);
    for (const [path, bytes] of archives) this.#files.writeFile(path, bytes);
  }

  /** What calls the guest, once Python has booted. */
  async guest(booted: Promise<unknown>): Promise<Dispatch> {
    await Promise.race([booted, this.#failed.promise]);
    const { exports } = await this.#instance.promise;
    const call = startGuest(exports);
    return (operation, wire) => {
      try {
        return call(operation, wire);
      } finally {
        this.#flush();
      }
    };
  }

  /** Hand over what was printed without a line end: Emscripten keeps it until there is one, or a file is to be on its disk. */
  #flush(): void {
    for (const number of OUTPUT) {
      const stream = this.#files?.streams[number];
      stream?.stream_ops.fsync?.(stream);
    }
  }
}

/** Boot Python alone. What it takes may come later, while Pyodide's script sees to its own start. */
function bootAlone(
  module: Promise<WebAssembly.Module>,
  given: Promise<Given>,
  onPrinted: OnPrinted,
): Promise<Dispatch> {
  answerFetch(given);
  const booting = new Booting();
  const booted = Promise.withResolvers<undefined>();
  const whole = loadPyodide({
    ...optionsFor([FIRST_PATH], onPrinted),
    lockFileContents: given.then(({ lock }) => lock),
    fsInit: async (FS: unknown) => {
      const { archives, directory } = await given;
      booting.write(FS, [...archives, [FIRST_PATH, directory.first], [DIRECTORY_PATH, directory.directory]]);
    },
    createPyodideModule: (async (settings: Settings) => {
      settings.instantiateWasm = booting.instantiateFrom(module);
      await createPyodideModule(settings);
      booted.resolve(undefined);
      // Pyodide would go on with what is left out.
      return new Promise(() => undefined);
    }) as never,
  });
  return booting.guest(Promise.race([whole, booted.promise]));
}

/** Boot all of Pyodide, and install packages. */
function bootWhole({ module, library, archives, packages, lock }: Whole, onPrinted: OnPrinted): Promise<Dispatch> {
  answerFetch(Promise.resolve({ library }), packages);
  const booting = new Booting();
  const path = archives.map(([name]) => name);
  const whole = loadPyodide({
    ...optionsFor(path, onPrinted),
    lockFileContents: lock,
    packageBaseUrl: PACKAGES,
    fsInit: (FS: unknown) => {
      booting.write(FS, archives);
      return Promise.resolve();
    },
    createPyodideModule: ((settings: Settings) => {
      settings.instantiateWasm = booting.instantiateFrom(module);
      return createPyodideModule(settings);
    }) as never,
  });
  return booting.guest(whole.then((pyodide) => install(pyodide, packages)));
}

/** Pyodide fetches what it boots from. Here it gets what was checked, and nothing else from anywhere. */
function answerFetch(given: Promise<Pick<Given, "library">>, packages: readonly LoadedPackage[] = []): void {
  const files = new Map(packages.map(({ file, bytes }) => [PACKAGES + file, bytes]));
  self.fetch = async (input) => {
    const address = input instanceof Request ? input.url : String(input);
    if (address.endsWith(`/${LIBRARY}`)) return new Response((await given).library);
    // Asked for in advance; what was compiled before takes its place.
    if (address.endsWith("/pyodide.asm.wasm")) return new Response(null);
    const file = files.get(address);
    if (file !== undefined) return new Response(file);
    throw new TypeError(`a node's interpreter has no network: ${address}`);
  };
}

/** `path` is where Python looks for modules before it looks into its library. */
function optionsFor(path: readonly string[], onPrinted: OnPrinted): Options {
  const printed = (isError: boolean) => (text: string) => {
    onPrinted(text, isError);
  };
  return {
    indexURL: new URL("./", self.location.href).href,
    stdLibURL: LIBRARY,
    stdout: printed(false),
    stderr: printed(true),
    // As the engine is: the same order of sets, the same encoding, the same time zone.
    env: {
      HOME: "/home/pyodide",
      PYTHONPATH: path.join(":"),
      PYTHONHASHSEED: "0",
      PYTHONUTF8: "1",
      TZ: "UTC",
    },
  };
}

/** Have Pyodide install packages of its own. It reports what it cannot install, and goes on. */
async function install(pyodide: PyodideAPI, packages: readonly LoadedPackage[]): Promise<void> {
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

const module = Promise.withResolvers<WebAssembly.Module>();
const given = Promise.withResolvers<Given>();
let alone: Promise<Dispatch> | undefined;

/** What a step leads to: an interpreter, behind the last. */
function follow(step: Step, onPrinted: OnPrinted): Promise<Dispatch> | undefined {
  if ("whole" in step) return bootWhole(step.whole, onPrinted);
  if ("given" in step) {
    given.resolve(step.given);
    return alone;
  }
  if ("module" in step) {
    module.resolve(step.module);
  } else {
    alone = bootAlone(module.promise, given.promise, onPrinted);
    // Told behind the step that waits for it.
    alone.catch(() => undefined);
  }
  return undefined;
}

serve<Step>(async (step, onPrinted) => {
  const dispatch = await follow(step, onPrinted)?.catch((error: unknown) => {
    throw new Error(`Pyodide cannot be started: ${reasonOf(error)}`);
  });
  return (
    dispatch &&
    ((operation, wire) => {
      try {
        return dispatch(operation, wire);
      } catch (error) {
        // The guest lets nothing through, so that this is the interpreter itself: its stack has run over.
        throw new Error(`the interpreter has stopped: ${reasonOf(error)}`, { cause: error });
      }
    })
  );
});
