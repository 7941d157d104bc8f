/** Python nodes in Pyodide: downloads it once, checks it, and gives every node an interpreter in a worker of its own. */
import { library as libraryFile, python as pythonFile, version, wasm as wasmFile } from "virtual:pyodide";
import libraryAddress from "./files/pyodide-library.zip?url";
import pythonAddress from "./files/pyodide-python.zip?url";
import wasmAddress from "pyodide/pyodide.asm.wasm?url";
import type { Bundle } from "../bundle.ts";
import { PipelineError } from "../errors.ts";
import type { HostContext } from "../hosts.ts";
import { WorkerInterpreter } from "../interpreter.ts";
import { once } from "../once.ts";
import { PYTHON_PROTOCOL, type PythonHost, type PythonInstance } from "../python.ts";
import { fetchChecked, Tally } from "./download.ts";
import { fetchPackages, type Locked } from "./packages.ts";
import type { Start } from "./start.ts";

const LIBRARY = "python_stdlib.zip";
const LOCK = "pyodide-lock.json";

/** Make ready what a bundle's interpreters start from. Rejects with a `load` or `bundle` error. */
export async function pyodideHost(bundle: Bundle, context: HostContext): Promise<PythonHost> {
  const { library: own, packages: wanted, ...parts } = partsOf(bundle);
  const tally = new Tally(context.onProgress);
  const folder = context.pyodidePackagesURL ?? context.pyodideURL ?? new URL("pyodide/", self.location.href).href;
  const file = (made: Made) => fileOf(made, context.pyodideURL, tally);
  const [module, python, library, packages] = await Promise.all([
    once(`module ${context.pyodideURL ?? ""}`, async () => WebAssembly.compile(await file(WASM))),
    file(PYTHON),
    // What packages use of the standard library is known to nobody here, so that they have all of it.
    own ?? file(ALL_OF_LIBRARY),
    fetchPackages(wanted, { folder, version }, tally),
  ]);
  return new PyodideHost({ ...parts, module, python, library, packages }, context);
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
function fileOf({ address, name, expected }: Made, folder: string | undefined, tally: Tally) {
  const url = folder === undefined ? new URL(address, import.meta.url) : new URL(name, folder);
  return once(`${url.href} ${expected.sha256}`, () =>
    fetchChecked(
      url,
      {
        ...expected,
        name: `Pyodide's file at ${url.href}`,
        meant: "the one that this page was built with",
        absent: "serve what the build of the page wrote, from the page's own origin",
        other: `serve the files of Pyodide ${version} that the build of the page wrote`,
      },
      tally,
    ),
  );
}

class PyodideHost implements PythonHost {
  readonly protocol = PYTHON_PROTOCOL;
  readonly #start: Start;
  readonly #context: HostContext;
  readonly #instances = new Set<PythonInstance>();

  constructor(start: Start, context: HostContext) {
    this.#start = start;
    this.#context = context;
  }

  async instance(node: string): Promise<PythonInstance> {
    const worker = new Worker(new URL("./interpreter.ts", import.meta.url), {
      type: "module",
      name: `python: ${node}`,
    });
    const instance = new WorkerInterpreter<Start>(worker, node, this.#context, () => {
      this.#instances.delete(instance);
    });
    this.#instances.add(instance);
    await instance.start(this.#start);
    return instance;
  }

  dispose(): void {
    for (const instance of this.#instances) instance.dispose();
  }
}
