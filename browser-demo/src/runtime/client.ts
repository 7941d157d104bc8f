/** The page's side: a runtime that lives in a worker. */
import type { Checked, Manifest, NodeInfo, Report } from "./abi.ts";
import { downloadAhead } from "./ahead.ts";
import { checkItems, checkLines, checkOptions, checkSource } from "./checks.ts";
import type { CodeAddress, Progress } from "./code.ts";
import { type Download, downloadsHere } from "./download.ts";
import { PipelineError } from "./errors.ts";
import { type Choice, type FolderSource, folderURL, isInFolder } from "./folder.ts";
import { print, type Printed } from "./hosts.ts";
import { withCopies } from "./transfer.ts";
import type { NodeMetrics } from "./metrics.ts";
import { disposed, type Pipeline, type PipelineInfo, runOn, type Runtime, type Source } from "./pipeline.ts";
import type { PythonClass } from "./python.ts";
import {
  type Ahead,
  type FromWorker,
  isOurs,
  PROTOCOL,
  type Method,
  type Methods,
  type Opened,
  type WorkerOptions,
} from "./protocol.ts";
import type { Session, SessionOptions } from "./session.ts";
import type { Item, Output, Value } from "./values.ts";

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: PipelineError) => void;
}

/** What a page may say, and wants to hear, about a runtime in a worker. */
export interface RuntimeOptions {
  /** How the download of the executor goes. */
  readonly onProgress?: (progress: Progress) => void;
  /** How the download of an interpreter for Python nodes goes, when a pipeline needs one. */
  readonly onPythonProgress?: (progress: Progress) => void;
  /** What Python nodes print; on the console unless told otherwise. */
  readonly onPrinted?: (printed: Printed) => void;
  /** The folder with Pyodide's files, where they are not beside the scripts of this package. Addresses may be relative to the page. */
  readonly pyodideURL?: string;
  /** The folder with the files of packages that come with Pyodide; `pyodideURL`, or `pyodide/` beside the page, if not given. */
  readonly pyodidePackagesURL?: string;
  /** The folder that `rm-pack build --target web` wrote to: the engines in it; `bundles/` beside the page if not given. */
  readonly enginesURL?: string;
  /**
   * Whether an interpreter for Python nodes is kept ready, some 20 MB of memory, so that the next pipeline starts sooner; it
   * is unless told otherwise.
   */
  readonly spare?: boolean;
  /**
   * What will be loaded first: it is downloaded, and an interpreter for its Python nodes made, while the executor starts.
   * Loading the same then takes what is there.
   */
  readonly preload?: FolderSource;
}

/** Asks a worker, and matches its answers. */
class Channel {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #sessions = new Map<number, WeakRef<WorkerSession>>();
  /** The worker keeps what is known about a session for as long as somebody here could ask. */
  readonly #forgotten = new FinalizationRegistry<number>((handle) => {
    this.#sessions.delete(handle);
    this.tell("forget", handle);
  });
  listeners: RuntimeOptions = {};
  #ids = 0;
  #lost: PipelineError | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      this.#take(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.lose(new PipelineError("load", `the worker has stopped: ${event.message || "its script cannot be loaded"}`));
    };
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  ask<M extends Method>(method: M, ...parameters: Methods[M]["arguments"]): Promise<Methods[M]["result"]> {
    return this.askMoving([], method, ...parameters);
  }

  /** The same where some memory in the arguments goes over to the worker. */
  askMoving<M extends Method>(
    moved: Transferable[],
    method: M,
    ...parameters: Methods[M]["arguments"]
  ): Promise<Methods[M]["result"]> {
    return new Promise((resolve, reject) => {
      if (this.#lost) {
        reject(this.#lost);
        return;
      }
      const id = ++this.#ids;
      this.#waiting.set(id, { resolve, reject });
      try {
        this.#worker.postMessage({ protocol: PROTOCOL, id, method, arguments: parameters }, moved);
      } catch (error) {
        // What cannot be copied is not a value.
        this.#waiting.delete(id);
        reject(PipelineError.of(error, "item"));
      }
    });
  }

  /** The same where nobody waits for the answer. */
  tell<M extends Method>(method: M, ...parameters: Methods[M]["arguments"]): void {
    this.ask(method, ...parameters).catch(() => undefined);
  }

  keep(handle: number, session: WorkerSession): void {
    this.#sessions.set(handle, new WeakRef(session));
    this.#forgotten.register(session, handle);
  }

  #take(message: FromWorker): void {
    if (!isOurs(message)) {
      this.lose(
        new PipelineError("version", `the worker speaks another version than ${PROTOCOL}`, {
          hint: "the page and its worker are of different builds; load the page again",
        }),
      );
    } else if ("progress" in message) {
      const { onProgress, onPythonProgress } = this.listeners;
      (message.of === "executor" ? onProgress : onPythonProgress)?.(message.progress);
    } else if ("printed" in message) {
      (this.listeners.onPrinted ?? print)(message.printed);
    } else if ("session" in message) {
      const report: Report = { policy: message.policy, error: PipelineError.from(message.report) };
      this.#sessions.get(message.session)?.deref()?.onReport?.(report);
    } else {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if ("error" in message) waiting?.reject(PipelineError.from(message.error));
      else waiting?.resolve(message.result as never);
    }
  }

  lose(error: PipelineError): void {
    this.#lost ??= error;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(this.#lost);
    this.#waiting.clear();
  }
}

/** The executor in a worker of its own, so that a page stays responsive whatever nodes do. */
export class WorkerRuntime implements Runtime {
  readonly #channel: Channel;
  /** What the page has downloaded for it. */
  readonly #ahead: () => Promise<readonly Download[]>;
  readonly version: string;
  readonly nodeTypes: readonly string[];

  private constructor(channel: Channel, { version, nodeTypes }: Opened, ahead: () => Promise<readonly Download[]>) {
    this.#channel = channel;
    this.#ahead = ahead;
    this.version = version;
    this.nodeTypes = nodeTypes;
  }

  /** Start a worker that runs `worker.ts`, and the executor in it. */
  static async start(worker: Worker, code: CodeAddress, options: RuntimeOptions = {}): Promise<WorkerRuntime> {
    if (options.preload !== undefined) checkSource(options.preload);
    const channel = new Channel(worker);
    channel.listeners = options;
    const { onProgress, onPythonProgress, pyodideURL, pyodidePackagesURL, enginesURL, spare, preload } = options;
    const told: WorkerOptions = {
      progressOf: [...(onProgress ? (["executor"] as const) : []), ...(onPythonProgress ? (["python"] as const) : [])],
      ...(pyodideURL !== undefined && { pyodideURL }),
      ...(pyodidePackagesURL !== undefined && { pyodidePackagesURL }),
      ...(enginesURL !== undefined && { enginesURL }),
      ...(spare !== undefined && { spare }),
      ...(preload !== undefined && { preload: addressed(preload) }),
    };
    const begun = performance.now();
    const opening = channel.ask("open", code, told);
    const give = (ahead: Ahead, moved: Transferable[] = []) => {
      // What cannot be given the worker has to get for itself.
      channel.askMoving(moved, "give", ahead).catch(() => {
        channel.tell("give", { address: ahead.address });
      });
    };
    const onAhead = (progress: Progress) => {
      if (!channel.isLost) onPythonProgress?.(progress);
    };
    const addresses = told.preload
      ? downloadAhead(told.preload, give, onPythonProgress && onAhead)
      : Promise.resolve([]);
    const downloads = async () => {
      const own = await addresses;
      return downloadsHere(begun).filter(({ url }) => own.some((address) => url.startsWith(address)));
    };
    try {
      return new WorkerRuntime(channel, await opening, downloads);
    } catch (error) {
      worker.terminate();
      throw error;
    }
  }

  check(text: string, file?: string, classes?: ReadonlyMap<string, PythonClass>): Promise<Checked> {
    return this.#channel.ask("check", text, file, classes);
  }

  async load(source: Source | FolderSource): Promise<Pipeline> {
    const checked = checkSource(source);
    const plain = isInFolder(checked) ? addressed(checked) : checked;
    const { pipeline, ...info } = await this.#channel.ask("load", plain);
    return new WorkerPipeline(this.#channel, pipeline, info);
  }

  toJson(value: Value): Promise<string> {
    return this.#channel.ask("toJson", value);
  }

  fromJson(text: string): Promise<Value> {
    return this.#channel.ask("fromJson", text);
  }

  async downloads(): Promise<readonly Download[]> {
    const [ahead, own] = await Promise.all([this.#ahead(), this.#channel.ask("downloads")]);
    return [...ahead, ...own];
  }

  dispose(): void {
    this.#channel.lose(disposed());
  }
}

/** Addresses are the page's; a worker has its own, and takes no `URL`. */
function addressed(source: FolderSource): FolderSource {
  return { ...source, folder: folderURL(source.folder) };
}

class WorkerPipeline implements Pipeline {
  readonly #channel: Channel;
  readonly #handle: number;
  readonly manifest: Manifest;
  readonly nodes: readonly NodeInfo[];
  readonly takesInput: boolean;
  readonly inputData: Value;
  readonly content?: string;
  readonly choice?: Choice;

  constructor(channel: Channel, handle: number, info: PipelineInfo) {
    this.#channel = channel;
    this.#handle = handle;
    this.manifest = info.manifest;
    this.nodes = info.nodes;
    this.takesInput = info.takesInput;
    this.inputData = info.inputData;
    if (info.content !== undefined) this.content = info.content;
    if (info.choice !== undefined) this.choice = info.choice;
  }

  run(items: Iterable<Item> | AsyncIterable<Item>, options: SessionOptions = {}): AsyncIterable<Output> {
    return runOn(() => this.session(options), items);
  }

  async session(options: SessionOptions = {}): Promise<Session> {
    const { onError, asText, timeout } = checkOptions(options);
    const handle = await this.#channel.ask("session", this.#handle, {
      ...(onError !== undefined && { onError }),
      ...(asText !== undefined && { asText }),
      ...(timeout !== undefined && { timeout }),
    });
    return new WorkerSession(this.#channel, handle);
  }

  unload(): void {
    this.#channel.tell("unload", this.#handle);
  }
}

class WorkerSession implements Session {
  readonly #channel: Channel;
  readonly #handle: number;
  onReport: ((report: Report) => void) | undefined;

  constructor(channel: Channel, handle: number) {
    this.#channel = channel;
    this.#handle = handle;
    channel.keep(handle, this);
  }

  async send(items: readonly Item[]): Promise<void> {
    checkItems(items);
    const { items: copies, moved } = withCopies(items);
    await this.#channel.askMoving(moved, "send", this.#handle, copies);
  }

  async sendLines(lines: readonly string[]): Promise<void> {
    checkLines(lines);
    await this.#channel.ask("sendLines", this.#handle, lines);
  }

  close(): void {
    this.#channel.tell("close", this.#handle);
  }

  async receive(): Promise<readonly Output[] | undefined> {
    return (await this.#channel.ask("receive", this.#handle)) ?? undefined;
  }

  metrics(): Promise<readonly NodeMetrics[]> {
    return this.#channel.ask("metrics", this.#handle);
  }

  cancel(): void {
    this.#channel.tell("cancel", this.#handle);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Output> {
    try {
      for (let batch = await this.receive(); batch !== undefined; batch = await this.receive()) yield* batch;
    } finally {
      this.cancel();
    }
  }
}
