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
 * | bundles | `bundle.ts` |
 * | the executor in wasm, and the form of its calls | `abi.ts`, `marshal.ts` |
 * | what a host of Python nodes is, and which there are | `python.ts`, `hosts.ts` |
 * | Python on the engine that also runs natively | `web/` |
 */
import type { Progress } from "./abi.ts";
import { WorkerRuntime } from "./client.ts";
import type { Places } from "./hosts.ts";
import { LocalRuntime } from "./pipeline.ts";
import type { Runtime } from "./pipeline.ts";
import wasm from "./wasm/rm_runtime.wasm?url";

export type { Checked, Manifest, NodeInfo, OnError, Progress, Report } from "./abi.ts";
export {
  PipelineError,
  type ErrorData,
  type ErrorDetails,
  type ErrorKind,
  type Frame,
  type Trouble,
} from "./errors.ts";
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
export const EXECUTOR = new URL(wasm, import.meta.url);

/** How a runtime is started. */
export interface StartOptions {
  /** The folder that `rm-pack build --target web` wrote to; `bundles/` beside the page unless told otherwise. */
  readonly engines?: string | URL;
  /** How the download of the executor goes. */
  readonly onProgress?: (progress: Progress) => void;
}

function places({ engines = "bundles/" }: StartOptions): Places {
  const folder = new URL(engines, self.location.href).href;
  return { engines: folder.endsWith("/") ? folder : `${folder}/` };
}

/** Start the executor in a worker. */
export function startWorker(options: StartOptions = {}): Promise<Runtime> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "remotemedia" });
  return WorkerRuntime.start(worker, EXECUTOR, places(options), options.onProgress);
}

/** Start the executor in this thread. Python nodes have workers all the same. */
export function startHere(options: StartOptions = {}): Promise<Runtime> {
  return LocalRuntime.start(EXECUTOR, places(options), undefined, options.onProgress);
}
