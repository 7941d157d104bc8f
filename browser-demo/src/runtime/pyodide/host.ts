/** Python nodes in Pyodide: downloads it once, checks it, and gives every node an interpreter in a worker of its own. */
import { python as pythonFile, version, wasm as wasmFile } from "virtual:pyodide";
import pythonAddress from "./files/pyodide-python.zip?url";
import wasmAddress from "pyodide/pyodide.asm.wasm?url";
import { sha256, type Bundle } from "../bundle.ts";
import { PipelineError, reasonOf } from "../errors.ts";
import type { HostContext } from "../hosts.ts";
import { WorkerInterpreter } from "../interpreter.ts";
import { PYTHON_PROTOCOL, type PythonHost, type PythonInstance } from "../python.ts";
import type { Start } from "./start.ts";

const LIBRARY = "python_stdlib.zip";
const LOCK = "pyodide-lock.json";

/** Make ready what a bundle's interpreters start from. Rejects with a `load` or `bundle` error. */
export async function pyodideHost(bundle: Bundle, context: HostContext): Promise<PythonHost> {
  const start = partsOf(bundle);
  const { module, python } = await download(context);
  return new PyodideHost({ ...start, module, python }, context);
}

/** What a bundle has for Pyodide; `openBundle` has checked it. */
function partsOf(bundle: Bundle): Omit<Start, "module" | "python"> {
  const entry = (name: string) => {
    const bytes = bundle.entries.get(name);
    if (bytes === undefined)
      throw new PipelineError("bundle", `the bundle \`${bundle.name}\` has no entry \`${name}\``);
    // What crosses to a worker is copied with all that it is part of.
    return bytes.slice();
  };
  const lock = new TextDecoder().decode(entry(LOCK));
  const { info } = JSON.parse(lock) as { readonly info: { readonly python: string } };
  if (!info.python.startsWith("3.14.")) {
    throw new PipelineError(
      "version",
      `the bundle \`${bundle.name}\` is for Python ${info.python}, and Pyodide ${version} has another`,
      { hint: "pack it again with the rm-pack of this version" },
    );
  }
  const wheels = [...bundle.entries.keys()].filter((name) => name.endsWith(".whl"));
  return { library: entry(LIBRARY), wheels: wheels.map((name) => [name, entry(name)] as const), lock };
}

/** What every bundle needs of Pyodide. */
type Downloaded = Pick<Start, "module" | "python">;

/** By the address of the files, for all pipelines of this thread. */
const downloads = new Map<string, Promise<Downloaded>>();

function download(context: HostContext): Promise<Downloaded> {
  const { pyodideURL = "" } = context;
  const known = downloads.get(pyodideURL);
  if (known !== undefined) return known;
  const made = downloadOnce(context);
  downloads.set(pyodideURL, made);
  // Another attempt may fare better.
  made.catch(() => downloads.delete(pyodideURL));
  return made;
}

async function downloadOnce({ pyodideURL, onProgress }: HostContext): Promise<Downloaded> {
  const own = (address: string) => new URL(address, import.meta.url);
  const [wasmURL, pythonURL] =
    pyodideURL === undefined
      ? [own(wasmAddress), own(pythonAddress)]
      : [new URL("pyodide.asm.wasm", pyodideURL), new URL("pyodide-python.zip", pyodideURL)];
  const total = wasmFile.size + pythonFile.size;
  let loaded = 0;
  const onBytes = (count: number) => {
    loaded += count;
    onProgress?.({ loaded, total });
  };
  const [wasm, python] = await Promise.all([
    fetchChecked(wasmURL, wasmFile, onBytes),
    fetchChecked(pythonURL, pythonFile, onBytes),
  ]);
  return { module: await WebAssembly.compile(wasm), python };
}

/** A file that is what it was when this package was built. */
async function fetchChecked(
  address: URL,
  expected: { readonly sha256: string; readonly size: number },
  onBytes: (count: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(expected.size);
  let at = 0;
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
      if (at + part.value.length > bytes.length) throw new Error("it is longer than it was when this page was built");
      bytes.set(part.value, at);
      at += part.value.length;
      onBytes(part.value.length);
    }
  } catch (error) {
    throw new PipelineError("load", `Pyodide's file at ${String(address)} cannot be loaded: ${reasonOf(error)}`, {
      hint: "serve what the build of the page wrote, from the page's own origin",
    });
  }
  if (at !== bytes.length || (await sha256(bytes)) !== expected.sha256) {
    throw new PipelineError(
      "load",
      `Pyodide's file at ${String(address)} is not the one that this page was built with: its SHA-256 is another`,
      { hint: `serve the files of Pyodide ${version} that the build of the page wrote` },
    );
  }
  return bytes;
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
