/**
 * RemoteMedia pipelines in a page or worker. No DOM is used here.
 *
 * ```ts
 * const runtime = await startWorker();
 * const pipeline = await runtime.load({ content: manifest, file: "calculator.json" });
 * for await (const { value } of pipeline.run([5, 7, 3].map((value) => ({ value })))) console.log(value); // 20, 24, 16
 * ```
 *
 * | to find | look in |
 * |---|---|
 * | loading, checking, running | `pipeline.ts`, `session.ts` |
 * | the same from a page, in a worker | `client.ts`, `worker.ts`, and what they say to each other: `protocol.ts` |
 * | values, and sound | `values.ts`, `wav.ts` |
 * | errors | `errors.ts` |
 * | bundles, and folders of them | `bundle.ts`, `folder.ts` |
 * | what is begun early, in the worker and in the page | `preload.ts`; `ahead.ts`, `given.ts` |
 * | memory on its way between threads | `transfer.ts` |
 * | the executor in wasm, and the form of its calls | `code.ts`, `abi.ts`, `marshal.ts` |
 * | what a host of Python nodes is, and which there are | `python.ts`, `hosts.ts`, `interpreter.ts` |
 * | Python on the engine that also runs natively; in Pyodide | `web/`; `pyodide/` |
 */
import { WorkerRuntime, type RuntimeOptions } from "./client.ts";
import { folderURL } from "./folder.ts";
import { LocalRuntime } from "./pipeline.ts";
import type { Runtime } from "./pipeline.ts";
import type { CodeAddress } from "./code.ts";
import core from "./wasm/rm_runtime.wasm?url";
import rest from "./wasm/rm_runtime_rest.wasm?url";

export { openBundle, type Bundle } from "./bundle.ts";
export type { Checked, Manifest, NodeInfo, OnError, Report } from "./abi.ts";
export type { CodeAddress, Progress } from "./code.ts";
export {
  PipelineError,
  type ErrorData,
  type ErrorDetails,
  type ErrorKind,
  type Frame,
  type Trouble,
} from "./errors.ts";
export type { RuntimeOptions } from "./client.ts";
export { asDownload, type Download } from "./download.ts";
export type { Choice, FolderSource, HostTarget } from "./folder.ts";
export type { HostOptions, Printed } from "./hosts.ts";
export type { NodeMetrics } from "./metrics.ts";
export type { Pipeline, PipelineInfo, Runtime, Source } from "./pipeline.ts";
export type { PythonClass, PythonHost, PythonInstance } from "./python.ts";
export type { Session, SessionOptions } from "./session.ts";
export {
  asAudio,
  audio,
  isRecord,
  type Audio,
  type Item,
  type Output,
  type Tensor,
  type Value,
  type Video,
} from "./values.ts";
export { readWav } from "./wav.ts";

/** Where the executor is. */
export const EXECUTOR: CodeAddress = {
  core: new URL(core, import.meta.url).href,
  rest: new URL(rest, import.meta.url).href,
};

/** Start the executor in a worker. */
export function startWorker(options: RuntimeOptions = {}): Promise<Runtime> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "remotemedia" });
  return WorkerRuntime.start(worker, EXECUTOR, {
    ...options,
    ...pyodideURL(options),
    enginesURL: enginesURL(options),
    pyodidePackagesURL: pyodidePackagesURL(options),
  });
}

/** Start the executor in this thread. Interpreters of Python nodes have workers all the same. */
export function startHere(options: RuntimeOptions = {}): Promise<Runtime> {
  const { onProgress, onPythonProgress, onPrinted, spare, preload } = options;
  return LocalRuntime.start(EXECUTOR, undefined, {
    ...(onProgress && { onExecutor: onProgress }),
    ...(preload && { preload }),
    ...(onPythonProgress && { onProgress: onPythonProgress }),
    ...(onPrinted && { onPrinted }),
    ...pyodideURL(options),
    ...(spare !== undefined && { spare }),
    enginesURL: enginesURL(options),
    pyodidePackagesURL: pyodidePackagesURL(options),
  });
}

function enginesURL({ enginesURL = "bundles/" }: RuntimeOptions): string {
  return folderURL(enginesURL);
}

function pyodideURL({ pyodideURL }: RuntimeOptions): Pick<RuntimeOptions, "pyodideURL"> {
  return pyodideURL === undefined ? {} : { pyodideURL: folderURL(pyodideURL) };
}

function pyodidePackagesURL({ pyodideURL = "pyodide/", pyodidePackagesURL = pyodideURL }: RuntimeOptions): string {
  return folderURL(pyodidePackagesURL);
}
