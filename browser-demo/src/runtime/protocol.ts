/**
 * What a page and its worker say to each other. Behaviour is elsewhere: `worker.ts` answers, `client.ts` asks.
 *
 * Every message carries the version, and either side refuses another one: the two may come from different builds when a
 * cache holds one of them.
 */
import type { Checked, Report } from "./abi.ts";
import type { CodeAddress, Progress } from "./code.ts";
import type { ErrorData } from "./errors.ts";
import type { Printed } from "./hosts.ts";
import type { FolderSource, Index } from "./folder.ts";
import type { NodeMetrics } from "./metrics.ts";
import type { Download } from "./download.ts";
import type { PipelineInfo, Source } from "./pipeline.ts";
import type { PythonClass } from "./python.ts";
import type { SessionOptions } from "./session.ts";
import type { Item, Output, Value } from "./values.ts";
import type { Engine } from "./web/engine.ts";

export const PROTOCOL = 5;

/** What can be asked for: arguments and result. */
export interface Methods {
  /** The first request: start the executor from these addresses. */
  open: { readonly arguments: [code: CodeAddress, options: WorkerOptions]; readonly result: Opened };
  /** What the page has downloaded for what is loaded first; the index of its folder comes first. */
  give: { readonly arguments: [ahead: Ahead]; readonly result: null };
  check: {
    readonly arguments: [text: string, file: string | undefined, classes: ReadonlyMap<string, PythonClass> | undefined];
    readonly result: Checked;
  };
  load: {
    readonly arguments: [source: Source | FolderSource];
    readonly result: { readonly pipeline: number } & PipelineInfo;
  };
  unload: { readonly arguments: [pipeline: number]; readonly result: null };
  session: { readonly arguments: [pipeline: number, options: SessionOptions]; readonly result: number };
  send: { readonly arguments: [session: number, items: readonly Item[]]; readonly result: null };
  sendLines: { readonly arguments: [session: number, lines: readonly string[]]; readonly result: null };
  close: { readonly arguments: [session: number]; readonly result: null };
  /** `null` when there are no more outputs. */
  receive: { readonly arguments: [session: number]; readonly result: readonly Output[] | null };
  metrics: { readonly arguments: [session: number]; readonly result: readonly NodeMetrics[] };
  cancel: { readonly arguments: [session: number]; readonly result: null };
  /** The page has no use for the session any more. */
  forget: { readonly arguments: [session: number]; readonly result: null };
  downloads: { readonly arguments: []; readonly result: readonly Download[] };
  toJson: { readonly arguments: [value: Value]; readonly result: string };
  fromJson: { readonly arguments: [text: string]; readonly result: Value };
}
export type Method = keyof Methods;

/** How the runtime in a worker is to be. */
export interface WorkerOptions {
  /** The folder with Pyodide's files, with a final slash, where they are not beside the scripts of this package. */
  readonly pyodideURL?: string;
  /** The folder with the files of packages that come with Pyodide, with a final slash. */
  readonly pyodidePackagesURL?: string;
  /** The folder of engines for browsers, with a final slash. */
  readonly enginesURL?: string;
  /** Whether an interpreter is kept ready. */
  readonly spare?: boolean;
  /** Of what the page wants to hear how the download goes: telling takes time. */
  readonly progressOf: readonly ProgressMessage["of"][];
  /** What will be loaded first, its folder by its whole address. */
  readonly preload?: FolderSource;
}

/** Something that the page has downloaded for the worker. */
export interface Ahead {
  readonly address: string;
  /** What is there, as `ahead.ts` has it; nothing if it cannot be had. */
  readonly value?: Index | ArrayBuffer | Engine;
  /** The addresses of what else will be given. */
  readonly coming?: readonly string[];
}

/** What the worker says when it is open. */
export interface Opened {
  readonly version: string;
  readonly nodeTypes: readonly string[];
}

/** From the page. */
export interface Request<M extends Method = Method> {
  readonly protocol: typeof PROTOCOL;
  readonly id: number;
  readonly method: M;
  readonly arguments: Methods[M]["arguments"];
}

/** From the worker, once for each request. */
export type Response =
  | { readonly protocol: typeof PROTOCOL; readonly id: number; readonly result: unknown }
  | { readonly protocol: typeof PROTOCOL; readonly id: number; readonly error: ErrorData };

/** From the worker, whenever there is one: an error that did not end a run. */
export interface ReportMessage {
  readonly protocol: typeof PROTOCOL;
  readonly session: number;
  readonly policy: Report["policy"];
  readonly report: ErrorData;
}

/** From the worker while the executor is downloaded, and later while an interpreter for Python nodes is. */
export interface ProgressMessage {
  readonly protocol: typeof PROTOCOL;
  readonly of: "executor" | "python";
  readonly progress: Progress;
}

/** From the worker: a line that a Python node has printed. */
export interface PrintedMessage {
  readonly protocol: typeof PROTOCOL;
  readonly printed: Printed;
}

/** Anything from the worker. */
export type FromWorker = Response | ReportMessage | ProgressMessage | PrintedMessage;

/** Whether a message is of this version. */
export function isOurs(message: unknown): boolean {
  return typeof message === "object" && message !== null && (message as { protocol?: unknown }).protocol === PROTOCOL;
}
