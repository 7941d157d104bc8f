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
import { fetchPackages, type Locked } from "./packages.ts";
import type { Start } from "./start.ts";

const LIBRARY = "python_stdlib.zip";
const LOCK = "pyodide-lock.json";

/** Make ready what a bundle's interpreters start from. Rejects with a `load` or `bundle` error. */
export async function pyodideHost(bundle: Bundle, options: HostOptions): Promise<PythonHost> {
  // Its script comes while what it starts from does.
  const interpreter = new WorkerInterpreter<Start>(newWorker(), options);
  try {
    const step = await startOf(bundle, options);
    const first = { interpreter, ready: interpreter.take(step) };
    return new WorkerHost(PYTHON_PROTOCOL, { newWorker, steps: [step], options }, first);
  } catch (error) {
    interpreter.dispose();
    throw error;
  }
}

function newWorker(): Worker {
  return new Worker(new URL("./interpreter.ts", import.meta.url), { type: "module", name: "python" });
}

async function startOf(bundle: Bundle, options: HostOptions): Promise<Start> {
  const { library: own, packages: wanted, ...parts } = partsOf(bundle);
  const tally = new Tally(options.onProgress);
  const folder = options.pyodidePackagesURL ?? options.pyodideURL ?? new URL("pyodide/", self.location.href).href;
  const [module, python, library, packages] = await Promise.all([
    made(WASM, compileChecked, options.pyodideURL, tally),
    made(PYTHON, fetchChecked, options.pyodideURL, tally),
    // What packages use of the standard library is known to nobody here, so that they have all of it.
    own ?? made(ALL_OF_LIBRARY, fetchChecked, options.pyodideURL, tally),
    fetchPackages(wanted, { folder, version }, tally),
  ]);
  return { ...parts, module, python, library, packages };
}

/** What a bundle has for Pyodide, and what it needs beside that. */
interface Parts extends Pick<Start, "wheels" | "lock"> {
  readonly library: Uint8Array<ArrayBuffer> | undefined;
  readonly packages: readonly Locked[];
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
    wheels: wheels.map((name) => [name, entry(name)] as const),
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

/** A file that is what it was when this package was built. */
function made<T>(
  { address, name, expected }: Made,
  fetchAs: (url: URL, expected: Expected, tally: Tally) => Promise<T>,
  folder: string | undefined,
  tally: Tally,
): Promise<T> {
  const url = folder === undefined ? new URL(address, import.meta.url) : new URL(name, folder);
  const what = {
    ...expected,
    name: `Pyodide's file at ${url.href}`,
    meant: "the one that this page was built with",
    absent: "serve what the build of the page wrote, from the page's own origin",
    other: `serve the files of Pyodide ${version} that the build of the page wrote`,
  };
  return once(`${url.href} ${expected.sha256}`, () => fetchAs(url, what, tally));
}
