/** Python nodes in Pyodide: downloads it once, checks it, and gives every node an interpreter in a worker of its own. */
import { library as libraryFile, python as pythonFile, version, wasm as wasmFile } from "virtual:pyodide";
import libraryAddress from "./files/pyodide-library.zip?url";
import pythonAddress from "./files/pyodide-python.zip?url";
import wasmAddress from "pyodide/pyodide.asm.wasm?url";
import type { Bundle } from "../bundle.ts";
import { compileChecked, type Expected, fetchChecked, Tally } from "../download.ts";
import { PipelineError } from "../errors.ts";
import type { HostOptions } from "../hosts.ts";
import { WorkerHost, WorkerInterpreter } from "../interpreter.ts";
import { once } from "../once.ts";
import { PYTHON_PROTOCOL, type PythonHost } from "../python.ts";
import { type Begun, Spare } from "../spare.ts";
import { type Archive, FOLDER, LIBRARY_PATH, readDirectories } from "./archives.ts";
import { fetchPackages, type Locked } from "./packages.ts";
import type { Given, Step } from "./start.ts";

const LIBRARY = "python_stdlib.zip";
const LOCK = "pyodide-lock.json";

const ALONE: Step = { alone: true };

/** Make ready what a bundle's interpreters start from. Rejects with a `load` or `bundle` error. */
export async function pyodideHost(bundle: Bundle, options: HostOptions): Promise<PythonHost> {
  const { library, packages, ...parts } = partsOf(bundle);
  const own = library && (await givenOf({ ...parts, library }));
  if (own === undefined) return hostWithPackages({ ...parts, packages }, options);
  const { interpreter, coming } = spare.take(addressOf(WASM, options).href, options) ?? begin(options);
  try {
    const module = await coming;
    const given: Step = { given: own };
    const first = { interpreter, ready: interpreter.take(given) };
    return new WorkerHost(PYTHON_PROTOCOL, { newWorker, steps: [ALONE, { module }, given], options }, first);
  } catch (error) {
    interpreter.dispose();
    throw error;
  }
}

/** An interpreter that takes Pyodide's module, when that is there. */
interface WithModule extends Begun<Step> {
  readonly coming: Promise<WebAssembly.Module>;
}

/** Begun for a bundle that has not come yet. */
const spare = new Spare<Step, WithModule>();

/** Begin what is needed when a bundle will come. */
export function warm(options: HostOptions): void {
  spare.warm(addressOf(WASM, options).href, options, () => begin(options));
}

function begin(options: HostOptions): WithModule {
  // Its script comes while what it starts from does.
  const interpreter = new WorkerInterpreter<Step>(newWorker(), options);
  // What goes wrong in a step is told by the last.
  const take = (step: Step) => {
    interpreter.take(step).catch(() => undefined);
  };
  take(ALONE);
  const taken = async () => {
    const module = await made(WASM, compileChecked, options, new Tally(options.onProgress));
    take({ module });
    return module;
  };
  return { interpreter, coming: taken() };
}

function newWorker(): Worker {
  return new Worker(new URL("./interpreter.ts", import.meta.url), { type: "module", name: "python" });
}

/** Nothing if the library cannot be started from in this way. */
async function givenOf({
  library,
  wheels,
  lock,
}: Omit<Given, "directory" | "archives"> & Pick<Parts, "wheels">): Promise<Given | undefined> {
  const directory = await readDirectories([...wheels, [LIBRARY_PATH, library]]);
  return directory && { library, archives: wheels, directory, lock };
}

/** For nodes that use packages of Pyodide's own, which need all of it. */
async function hostWithPackages(
  { packages: wanted, wheels, lock }: Omit<Parts, "library">,
  options: HostOptions,
): Promise<PythonHost> {
  const tally = new Tally(options.onProgress);
  const folder = options.pyodidePackagesURL ?? options.pyodideURL ?? new URL("pyodide/", self.location.href).href;
  // What may have been begun is for nodes without packages.
  spare.drop();
  const interpreter = new WorkerInterpreter<Step>(newWorker(), options);
  try {
    const [module, python, library, packages] = await Promise.all([
      made(WASM, compileChecked, options, tally),
      made(PYTHON, fetchChecked, options, tally),
      // What packages use of the standard library is known to nobody here, so that they have all of it.
      made(ALL_OF_LIBRARY, fetchChecked, options, tally),
      fetchPackages(wanted, { folder, version }, tally),
    ]);
    const archives: readonly Archive[] = [[`${FOLDER}/pyodide.zip`, python], ...wheels];
    const step: Step = { whole: { module, library, archives, packages, lock } };
    const first = { interpreter, ready: interpreter.take(step) };
    return new WorkerHost(PYTHON_PROTOCOL, { newWorker, steps: [step], options }, first);
  } catch (error) {
    interpreter.dispose();
    throw error;
  }
}

/** What a bundle has for Pyodide, and what it needs beside that. */
interface Parts {
  readonly library: Uint8Array<ArrayBuffer> | undefined;
  readonly wheels: readonly Archive[];
  readonly packages: readonly Locked[];
  readonly lock: string;
}

/** `openBundle` has checked it. */
function partsOf(bundle: Bundle): Parts {
  const entry = (name: string) => {
    const bytes = bundle.entries.get(name);
    if (bytes === undefined)
      throw new PipelineError("bundle", `the bundle \`${bundle.name}\` has no entry \`${name}\``);
    // What crosses to a worker is copied with all that it is part of.
    return bytes.slice();
  };
  const lock = new TextDecoder().decode(entry(LOCK));
  const { info, packages } = JSON.parse(lock) as {
    readonly info: { readonly python: string };
    readonly packages: Readonly<Record<string, Locked>>;
  };
  if (!info.python.startsWith("3.14.")) {
    throw new PipelineError(
      "version",
      `the bundle \`${bundle.name}\` is for Python ${info.python}, and Pyodide ${version} has another`,
      { hint: "pack it again with the rm-pack of this version" },
    );
  }
  const wheels = [...bundle.entries.keys()].filter((name) => name.endsWith(".whl"));
  const ofPyodide = Object.values(packages).filter(({ file_name }) => !bundle.entries.has(file_name));
  return {
    library: ofPyodide.length > 0 ? undefined : entry(LIBRARY),
    packages: ofPyodide,
    wheels: wheels.map((name) => [`${FOLDER}/${name}`, entry(name)] as const),
    lock,
  };
}

/** A file that the build of the page made or copied. */
interface Made {
  readonly address: string;
  /** Its name in a folder that `pyodideURL` names. */
  readonly name: string;
  readonly expected: { readonly sha256: string; readonly size: number };
}

const WASM: Made = { address: wasmAddress, name: "pyodide.asm.wasm", expected: wasmFile };
const PYTHON: Made = { address: pythonAddress, name: "pyodide-python.zip", expected: pythonFile };
const ALL_OF_LIBRARY: Made = { address: libraryAddress, name: "pyodide-library.zip", expected: libraryFile };

function addressOf({ address, name }: Made, { pyodideURL }: HostOptions): URL {
  return pyodideURL === undefined ? new URL(address, import.meta.url) : new URL(name, pyodideURL);
}

/** A file that is what it was when this package was built. */
function made<T>(
  file: Made,
  fetchAs: (url: URL, expected: Expected, tally: Tally) => Promise<T>,
  options: HostOptions,
  tally: Tally,
): Promise<T> {
  const url = addressOf(file, options);
  const what = {
    ...file.expected,
    name: `Pyodide's file at ${url.href}`,
    meant: "the one that this page was built with",
    absent: "serve what the build of the page wrote, from the page's own origin",
    other: `serve the files of Pyodide ${version} that the build of the page wrote`,
  };
  return once(`${url.href} ${file.expected.sha256}`, () => fetchAs(url, what, tally));
}
