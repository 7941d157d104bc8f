/** Loading pipelines and running them: the interface, and how it is kept in this thread. */
import { type Checked, Executor, type Manifest, type NodeInfo } from "./abi.ts";
import { type Bundle, isBundleName, looksLikeBundle, noBundle, openBundle } from "./bundle.ts";
import { checkOptions, checkSource, checkStream, type PlainSource } from "./checks.ts";
import { type CodeAddress, compileExecutor, type ExecutorCode, type Progress } from "./code.ts";
import { type Download, downloadsHere } from "./download.ts";
import { PipelineError } from "./errors.ts";
import {
  type Candidate,
  candidates,
  type Choice,
  type FolderSource,
  isInFolder,
  notForTheEngine,
  readIndex,
} from "./folder.ts";
import { HOSTS, hostFor, type HostOptions, type Hosts } from "./hosts.ts";
import { begin, beginHost, optionsIn, disposeOf, Preloaded } from "./preload.ts";
import type { PythonClass, PythonHost } from "./python.ts";
import { LocalSession, type Session, type SessionOptions } from "./session.ts";
import type { Item, Output, Value } from "./values.ts";

/** What a pipeline is loaded from: a manifest's text or a bundle's bytes, and the file's name for errors. */
export interface Source {
  readonly content: string | Uint8Array<ArrayBuffer> | ArrayBuffer;
  /** Its ending tells JSON from YAML; without a name the text does. */
  readonly file?: string;
  /** A bundle that has the Python nodes of a manifest given as text. */
  readonly bundle?: Uint8Array<ArrayBuffer> | ArrayBuffer;
}

/** What is known about a loaded pipeline. */
export interface PipelineInfo {
  readonly manifest: Manifest;
  /** In the order of the manifest. */
  readonly nodes: readonly NodeInfo[];
  /** Whether it takes items; a pipeline of sources does not. */
  readonly takesInput: boolean;
  /** The items that came with the manifest. */
  readonly inputData: Value;
  /** The content hash, of a bundle. */
  readonly content?: string;
  /** Which bundle was taken, of a pipeline in a folder. */
  readonly choice?: Choice;
}

/** What is known about a pipeline from where it came. */
type Known = Pick<PipelineInfo, "content" | "choice">;

/** A pipeline that is ready to run, any number of times, also at the same time. */
export interface Pipeline extends PipelineInfo {
  /** Run on items, and give what comes out, in order. Leaving the loop early cancels the run. */
  run(items: Iterable<Item> | AsyncIterable<Item>, options?: SessionOptions): AsyncIterable<Output>;
  /** Begin a run, and leave it to the caller what is sent and received when. */
  session(options?: SessionOptions): Promise<Session>;
  /** Forget it; runs go on. */
  unload(): void;
}

/** The executor, in this thread or in a worker. */
export interface Runtime {
  /** The version of the runtime. */
  readonly version: string;
  /** The Rust nodes that manifests may name. */
  readonly nodeTypes: readonly string[];
  /** Look for everything that is wrong with a manifest; `classes` are the Python nodes that it may name. */
  check(text: string, file?: string, classes?: ReadonlyMap<string, PythonClass>): Promise<Checked>;
  /** Make a pipeline ready to run. Rejects with a `manifest`, `bundle`, `python` or `load` error. */
  load(source: Source | FolderSource): Promise<Pipeline>;
  /** A value as JSON text, as `rm-pack run` prints it. */
  toJson(value: Value): Promise<string>;
  /** A value from JSON text. */
  fromJson(text: string): Promise<Value>;
  /** What was downloaded so far: the executor, pipelines, and what Python nodes need; and all else in the thread that it is in. */
  downloads(): Promise<readonly Download[]>;
  /** Stop everything: runs end with an error of the kind `stopped`, interpreters are gone, and nothing more is answered. */
  dispose(): void;
}

/** What a runtime is told when it starts. */
export interface LocalOptions extends HostOptions {
  /** How the download of the executor goes. */
  readonly onExecutor?: (progress: Progress) => void;
  /** What will be loaded first: it is downloaded while the executor starts. */
  readonly preload?: FolderSource;
}

/** What a runtime in this thread is made of. */
interface Parts {
  readonly executor: Executor;
  readonly code: ExecutorCode;
  readonly hosts: Hosts;
  readonly options: HostOptions;
  readonly disposing: AbortController;
  readonly preloaded: Preloaded | undefined;
}

/** The executor in this thread. */
export class LocalRuntime implements Runtime {
  readonly #executor: Executor;
  readonly #code: ExecutorCode;
  readonly #hosts: Hosts;
  readonly #options: HostOptions;
  readonly #disposing: AbortController;
  /** Whoever loads it gets it; nobody else does. */
  #preloaded: Preloaded | undefined;
  /** Those of which something is left. */
  readonly #pipelines = new Set<LocalPipeline>();

  private constructor({ executor, code, hosts, options, disposing, preloaded }: Parts) {
    this.#executor = executor;
    this.#code = code;
    this.#hosts = hosts;
    this.#options = options;
    this.#disposing = disposing;
    this.#preloaded = preloaded;
  }

  /** Download and start the executor; `options` is what hosts of Python nodes are told. */
  static async start(
    address: CodeAddress,
    hosts: Hosts = HOSTS,
    { onExecutor, preload, ...given }: LocalOptions = {},
  ): Promise<LocalRuntime> {
    const disposing = new AbortController();
    const options = { ...given, disposed: disposing.signal };
    if (preload !== undefined) checkSource(preload);
    const preloaded = preload && new Preloaded(preload, hosts, options);
    try {
      const code = await compileExecutor(address, { onProgress: onExecutor, isAllNeeded: preloaded !== undefined });
      const executor = await Executor.instantiate(code);
      return new LocalRuntime({ executor, code, hosts, options, disposing, preloaded });
    } catch (error) {
      preloaded?.dispose();
      disposing.abort();
      throw error;
    }
  }

  /** Start an executor that was compiled before. */
  static async of(code: ExecutorCode, hosts: Hosts = HOSTS, given: HostOptions = {}): Promise<LocalRuntime> {
    const disposing = new AbortController();
    const options = { ...given, disposed: disposing.signal };
    const executor = await Executor.instantiate(code);
    return new LocalRuntime({ executor, code, hosts, options, disposing, preloaded: undefined });
  }

  get version(): string {
    return this.#executor.version;
  }

  get nodeTypes(): readonly string[] {
    return this.#executor.nodeTypes;
  }

  check(text: string, file = "manifest", classes: ReadonlyMap<string, PythonClass> = new Map()): Promise<Checked> {
    return attempt(() => this.#live().check(text, file, classes));
  }

  async load(source: Source | FolderSource): Promise<LocalPipeline> {
    this.#live();
    try {
      return await this.#loadFrom(checkSource(source));
    } catch (error) {
      // What was begun for it may have been stopped on the way.
      this.#live();
      throw error;
    }
  }

  async #loadFrom(source: PlainSource | FolderSource): Promise<LocalPipeline> {
    if (isInFolder(source)) return this.#loadFromFolder(source);
    const { content, file, bundle: beside } = source;
    const isToBeBundle = file !== undefined && isBundleName(file);
    if (typeof content === "string") {
      if (isToBeBundle) throw noBundle(content, file);
    } else if (isToBeBundle || looksLikeBundle(content)) {
      const bundle = await openBundle(content, file ?? "bundle");
      return this.#loadBundle(bundle, file ?? "bundle", { content: bundle.content });
    }
    const name = file ?? "manifest";
    const bundle = beside && (await openBundle(beside, "bundle"));
    return this.#load(typeof content === "string" ? content : decodeText(content, name), name, bundle);
  }

  /** The first bundle that can be had; where none can, what is wrong with the last one. */
  async #loadFromFolder(source: FolderSource): Promise<LocalPipeline> {
    const begun = this.#preloaded?.isOf(source) ? this.#preloaded : undefined;
    // It is for one pipeline, also where several are loaded at once.
    if (begun !== undefined) this.#preloaded = undefined;
    const preloaded = await begun?.found;
    const [first, second] = preloaded?.list ?? candidates(await readIndex(source), source);
    const options = optionsIn(source, this.#options);
    const load = async (candidate: Candidate, why?: (bundle: Bundle) => string) => {
      const isBegun = candidate === first && preloaded !== undefined;
      const { bundle, host } = isBegun ? preloaded.first : await begin(candidate, this.#hosts, options);
      const { choice } = candidate;
      const known = { content: bundle.content, choice: { ...choice, ...(why && { because: why(bundle) }) } };
      return this.#loadBundle(bundle, choice.file, known, host);
    };
    const isAny = (source.target ?? "auto") === "auto";
    if (isAny && first.choice.target !== "web") return load(first, notForTheEngine);
    try {
      return await load(first);
    } catch (error) {
      // What is wrong with the manifest is wrong in every bundle.
      const { kind, message } = PipelineError.of(error, "load");
      if (second === undefined || kind === "manifest") throw error;
      return load(second, () => message);
    }
  }

  #loadBundle(
    bundle: Bundle,
    file: string,
    known: Known,
    host = beginHost(bundle, this.#hosts, this.#options),
  ): Promise<LocalPipeline> {
    const loaded = this.#load(JSON.stringify(bundle.manifest), `${file}.json`, bundle, known, () => host);
    loaded.catch(() => {
      disposeOf(host);
    });
    return loaded;
  }

  async #load(
    text: string,
    file: string,
    bundle?: Bundle,
    known: Known = {},
    hostOf = (bundle: Bundle) => hostFor(bundle, this.#hosts, this.#options),
  ): Promise<LocalPipeline> {
    // What certainly needs all of the executor waits for it here, where nothing else has to.
    if (bundle !== undefined || !text.trimStart().startsWith("{")) await this.#code.rest.fetch();
    const { handle, ...info } = this.#live().load(text, file, bundle?.nodes ?? new Map<string, PythonClass>());
    let host: PythonHost | undefined;
    try {
      const needsHost = bundle && info.nodes.some(({ isPython }) => isPython);
      host = needsHost ? await hostOf(bundle) : undefined;
      const onGone = () => {
        this.#pipelines.delete(pipeline);
      };
      const pipeline = new LocalPipeline({ executor: this.#live(), handle, host, onGone }, { ...info, ...known });
      this.#pipelines.add(pipeline);
      return pipeline;
    } catch (error) {
      host?.dispose();
      this.#executor.unload(handle);
      throw error;
    }
  }

  /** The executor, unless there is none any more. */
  #live(): Executor {
    if (this.#disposing.signal.aborted) throw disposed();
    return this.#executor;
  }

  toJson(value: Value): Promise<string> {
    return attempt(() => this.#live().toJson(value));
  }

  fromJson(text: string): Promise<Value> {
    return attempt(() => this.#live().fromJson(text));
  }

  downloads(): Promise<readonly Download[]> {
    return Promise.resolve(downloadsHere());
  }

  dispose(): void {
    this.#preloaded?.dispose();
    this.#preloaded = undefined;
    this.#disposing.abort();
    for (const pipeline of [...this.#pipelines]) pipeline.stop(disposed());
  }
}

/** What a pipeline in this thread is made of. */
interface PipelineParts {
  readonly executor: Executor;
  readonly handle: number;
  readonly host: PythonHost | undefined;
  /** Called once when nothing of it is left. */
  readonly onGone: () => void;
}

/** A pipeline in this thread. */
export class LocalPipeline implements Pipeline {
  readonly #executor: Executor;
  readonly #handle: number;
  /** Disposed of when the pipeline was unloaded and no run is left. */
  #host: PythonHost | undefined;
  readonly #onGone: () => void;
  readonly #runs = new Set<LocalSession>();
  /** Why it can be run no more. */
  #ended: PipelineError | undefined;
  readonly info: PipelineInfo;
  readonly content?: string;
  readonly choice?: Choice;

  constructor({ executor, handle, host, onGone }: PipelineParts, info: PipelineInfo) {
    this.#executor = executor;
    this.#handle = handle;
    this.#host = host;
    this.#onGone = onGone;
    this.info = info;
    if (info.content !== undefined) this.content = info.content;
    if (info.choice !== undefined) this.choice = info.choice;
  }

  get manifest(): Manifest {
    return this.info.manifest;
  }

  get nodes(): readonly NodeInfo[] {
    return this.info.nodes;
  }

  get takesInput(): boolean {
    return this.info.takesInput;
  }

  get inputData(): Value {
    return this.info.inputData;
  }

  run(items: Iterable<Item> | AsyncIterable<Item>, options: SessionOptions = {}): AsyncIterable<Output> {
    return runOn(() => this.session(options), items);
  }

  session(options: SessionOptions = {}): Promise<LocalSession> {
    const ids = this.nodes.map(({ id }) => id);
    const onEnd = (session: LocalSession) => {
      this.#runs.delete(session);
      this.#release();
    };
    const parts = { executor: this.#executor, pipeline: this.#handle, ids, host: this.#host, onEnd };
    return attempt(() => {
      if (this.#ended) throw this.#ended;
      checkOptions(options);
      const session = new LocalSession(parts, options);
      if (!session.hasEnded) this.#runs.add(session);
      return session;
    });
  }

  unload(): void {
    if (this.#ended) return;
    this.#ended = new PipelineError("closed", "the pipeline was unloaded");
    this.#executor.unload(this.#handle);
    this.#release();
  }

  /** Unload it, end its runs with an error, and let nobody begin another. */
  stop(error: PipelineError): void {
    this.unload();
    this.#ended = error;
    for (const session of [...this.#runs]) session.stop(error);
  }

  #release(): void {
    if (!this.#ended || this.#runs.size > 0) return;
    this.#host?.dispose();
    this.#host = undefined;
    this.#onGone();
  }
}

/** How many items are handed over at once. */
const BATCH = 64;

/** Feed a session from one side and empty it from the other. */
export async function* runOn(
  begin: () => Promise<Session>,
  items: Iterable<Item> | AsyncIterable<Item>,
): AsyncGenerator<Output, void, undefined> {
  checkStream(items);
  const session = await begin();
  const source = new ItemSource(items);
  const mishaps: unknown[] = [];
  const feed = async () => {
    try {
      let batch: Item[] = [];
      for (let next = await source.next(); next !== undefined; next = await source.next()) {
        batch.push(next.item);
        // What comes with time is handed over when it comes.
        if (source.isAsync || batch.length === BATCH) {
          await session.send(batch);
          batch = [];
        }
      }
      if (batch.length > 0) await session.send(batch);
      session.close();
    } catch (error) {
      // A pipeline that takes no more says why when it is received from, if anything is wrong at all.
      if (error instanceof PipelineError && error.kind === "closed") return;
      mishaps.push(error);
      session.cancel();
    }
  };
  // Nobody waits for it: a source may never give what it is asked for, and whatever ends the run was told before.
  void feed();
  try {
    yield* session;
  } finally {
    source.leave();
  }
  if (mishaps.length > 0) throw mishaps[0];
}

/** Where the items of a run come from. */
class ItemSource {
  /** As `for await` has it, what it gives may come later. */
  readonly #iterator: Iterator<Item | Promise<Item>, unknown> | AsyncIterator<Item, unknown>;
  readonly isAsync: boolean;
  #isOver = false;
  #hasLeft = false;

  constructor(items: Iterable<Item> | AsyncIterable<Item>) {
    this.isAsync = Symbol.asyncIterator in items;
    this.#iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  }

  /** The next item; none when there are no more, or nobody wants any. Rejects with what the source throws. */
  async next(): Promise<{ readonly item: Item } | undefined> {
    if (this.#isOver) return undefined;
    try {
      const result = await this.#iterator.next();
      if (result.done === true) {
        this.#isOver = true;
        return undefined;
      }
      const item = await result.value;
      return this.#hasLeft ? undefined : { item };
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
  }

  /** Nobody wants more of it: it may clean up, now or when it comes to the end of what it waits for. */
  leave(): void {
    if (this.#isOver) return;
    [this.#isOver, this.#hasLeft] = [true, true];
    const clean = async () => this.#iterator.return?.();
    // What goes wrong then changes nothing of what the run gave.
    clean().catch(() => undefined);
  }
}

function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new PipelineError("manifest", `\`${file}\` is neither a bundle nor text in UTF-8`, {
      hint: "load what `rm-pack build` wrote, or a manifest in JSON or YAML",
    });
  }
}

/** What is told when a runtime is asked that was disposed of. */
export function disposed(): PipelineError {
  return new PipelineError("stopped", "the runtime was disposed of", { hint: "start another one" });
}

/** What goes wrong at once goes wrong in the promise. */
function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}
