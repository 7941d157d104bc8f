/**
 * The executor, `runtime/` compiled to wasm32: calls by number, each with a framed tuple of arguments and a framed answer.
 * The Rust side, with the shapes, is `runtime/src/web/calls.rs`; nothing else of this package knows them.
 */
import type { ExecutorCode } from "./code.ts";
import { PipelineError, type ErrorDetails, type Frame, type Trouble, reasonOf } from "./errors.ts";
import { decode, encode, encodeInPlace, Tuple, type Argument } from "./marshal.ts";
import { PYTHON_PROTOCOL, type Operation, type Order, type PythonClass, type Reply } from "./python.ts";
import { isRecord, type Item, type Value } from "./values.ts";

/** The version of the calls. */
const ABI = 5;

const Call = {
  Describe: 0,
  Check: 1,
  Load: 2,
  Unload: 3,
  Start: 4,
  Push: 5,
  PushLines: 6,
  Close: 7,
  Turn: 8,
  Answer: 9,
  Lost: 10,
  Wake: 11,
  Cancel: 12,
  Drop: 13,
  ToJson: 14,
  FromJson: 15,
} as const;
type Call = (typeof Call)[keyof typeof Call];

/** What an error in a node means where the manifest does not say it. */
export type OnError = "fail" | "skip" | "stop";

/** A node of a loaded pipeline. */
export interface NodeInfo {
  readonly id: string;
  readonly isPython: boolean;
  /** The length of the longest way to it. */
  readonly level: number;
}

/** A pipeline that the executor has read. */
export interface Loaded {
  readonly handle: number;
  readonly manifest: Manifest;
  /** The items that came with the manifest. */
  readonly inputData: Value;
  /** Whether it takes items; a pipeline of sources does not. */
  readonly takesInput: boolean;
  readonly nodes: readonly NodeInfo[];
}

/** A manifest as the executor gives it back: checked, in one canonical form. */
export interface Manifest {
  readonly version: "v1";
  readonly metadata: { readonly name: string; readonly description?: string };
  readonly nodes: readonly {
    readonly id: string;
    readonly node_type: string;
    readonly params?: Readonly<Record<string, Value>>;
  }[];
  readonly connections: readonly { readonly from: string; readonly to: string; readonly output?: string }[];
}

/** What an editor is told about a manifest. */
export interface Checked {
  /** The manifest, if the text is one, even if it cannot run. */
  readonly manifest?: Manifest;
  /** What each node is; `null` for a type that nobody knows. */
  readonly kinds: readonly ("rust" | "python" | null)[];
  readonly troubles: readonly Trouble[];
}

/** What a turn came to; see `Call::Turn` in `runtime/src/web/calls.rs`. */
export interface Turn {
  readonly outputs: readonly [number, string | null, Value, string | null, number | null, number][];
  readonly requests: readonly Request[];
  /** With a lane where a node sleeps in the middle of its work, and then with the time that it spent on that; see `Request`. */
  readonly sleeps: readonly (readonly [ticket: number, seconds: number, lane: number | null, spent: number])[];
  readonly worked: readonly (readonly [node: number, milliseconds: number])[];
  readonly reports: readonly Report[];
  /** Whether there is more to do at once. */
  readonly hasMore: boolean;
  /** Whether an item would be taken now, and whether any will be. */
  readonly canPush: boolean;
  readonly isOpen: boolean;
  readonly hasEnded: boolean;
  readonly failure?: PipelineError;
}

/** Something for an interpreter to do. */
export interface Request {
  readonly ticket: number;
  readonly lane: number;
  readonly node: number;
  /** How many milliseconds the node was at what this goes on with, asleep or not, since it last gave something. */
  readonly spent: number;
  readonly order: Order;
}

/** What an interpreter said to a request. */
export interface Replied extends Reply {
  readonly ticket: number;
}

/** An error that did not end a run. */
export interface Report {
  readonly policy: "skipped" | "stopped" | "as well";
  readonly error: PipelineError;
}

/** What is wrong with items that cannot be put into the executor's form: the first that cannot, and the place in its value. */
function misfit(items: readonly Item[], error: unknown): unknown {
  if (!(error instanceof PipelineError) || error.kind !== "item") return error;
  for (const [item, { value }] of items.entries()) {
    try {
      encode(value);
    } catch (problem) {
      return new PipelineError("item", reasonOf(problem), { item });
    }
  }
  return error;
}

/** The functions of the module; `runtime/src/web/exports.rs`. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  abi(): number;
  request(length: number): number;
  call(operation: number): number;
  response(): number;
}

/** An instance of the executor. One that has stopped answers nothing any more. */
export class Executor {
  readonly #exports: Exports;
  #stopped: string | undefined;
  readonly nodeTypes: readonly string[];
  readonly version: string;

  private constructor(exports: Exports) {
    this.#exports = exports;
    const abi = exports.abi();
    if (abi !== ABI) throw mismatch("calls", ABI, abi);
    const description = this.#call(Call.Describe) as { protocol: number; version: string; node_types: string[] };
    if (description.protocol !== PYTHON_PROTOCOL) {
      throw mismatch("Python operations", PYTHON_PROTOCOL, description.protocol);
    }
    this.nodeTypes = description.node_types;
    this.version = description.version;
  }

  static async instantiate({ core, rest }: ExecutorCode): Promise<Executor> {
    const made: { executor?: Executor; exports?: WebAssembly.Exports } = {};
    const host = {
      now: () => performance.now(),
      panicked: (address: number, length: number) => {
        const { executor, exports } = made;
        if (executor === undefined || exports === undefined) return;
        const { buffer } = exports["memory"] as WebAssembly.Memory;
        executor.#stopped = new TextDecoder().decode(new Uint8Array(buffer, address, length));
      },
    };
    const imports = rest.importsFor(core, () => ({ host, core: made.exports ?? {} }));
    const { exports } = await WebAssembly.instantiate(core, { host, ...imports });
    made.exports = exports;
    made.executor = new Executor(exports as unknown as Exports);
    return made.executor;
  }

  check(text: string, file: string, classes: ReadonlyMap<string, PythonClass>): Checked {
    const { manifest, kinds, troubles } = this.#call(Call.Check, text, file, classesArgument(classes)) as {
      manifest: Manifest | null;
      kinds: Checked["kinds"];
      troubles: [string, number | null, number | null, string][];
    };
    return {
      ...(manifest && { manifest: withDefaults(manifest) }),
      kinds,
      troubles: troubles.map(([place, line, column, message]) => trouble(place, line, column, message)),
    };
  }

  load(text: string, file: string, classes: ReadonlyMap<string, PythonClass>): Loaded {
    const { pipeline, manifest, input_data, takes_input, nodes } = this.#call(
      Call.Load,
      text,
      file,
      classesArgument(classes),
    ) as unknown as {
      pipeline: number;
      manifest: Manifest;
      input_data: Value;
      takes_input: boolean;
      nodes: [string, boolean, number][];
    };
    return {
      handle: pipeline,
      manifest: withDefaults(manifest),
      inputData: input_data,
      takesInput: takes_input,
      nodes: nodes.map(([id, isPython, level]) => ({ id, isPython, level })),
    };
  }

  unload(pipeline: number): void {
    this.#call(Call.Unload, pipeline);
  }

  start(pipeline: number, onError: OnError): number {
    return this.#call(Call.Start, pipeline, onError) as number;
  }

  /** How many of the items were taken. */
  push(run: number, items: readonly Item[]): number {
    const tuples = items.map(({ value, session, timestampUs }) => {
      return new Tuple([value, session ?? null, timestampUs ?? null]);
    });
    try {
      return this.#call(Call.Push, run, tuples) as number;
    } catch (error) {
      throw misfit(items, error);
    }
  }

  /** The same for items as JSON text. */
  pushLines(run: number, lines: readonly string[]): number {
    return this.#call(Call.PushLines, run, lines) as number;
  }

  close(run: number): void {
    this.#call(Call.Close, run);
  }

  turn(run: number, steps: number, outputs: number, asText: boolean): Turn {
    const answer = this.#call(Call.Turn, run, steps, outputs, asText);
    const [given, requests, sleeps, worked, reports, flags, failure] = answer as unknown as [
      Turn["outputs"],
      [number, number, number, Operation, boolean, number, Uint8Array, Uint8Array[]][],
      Turn["sleeps"],
      [number, number][],
      [Report["policy"], Value][],
      number,
      Value,
    ];
    return {
      outputs: given,
      requests: requests.map(([ticket, lane, node, operation, isAhead, spent, payload, buffers]) => {
        return { ticket, lane, node, spent, order: { operation, wire: { payload, buffers }, isAhead } };
      }),
      sleeps,
      worked,
      reports: reports.map(([policy, error]) => ({ policy, error: nodeError(error) })),
      hasMore: (flags & 1) !== 0,
      canPush: (flags & 2) !== 0,
      isOpen: (flags & 4) !== 0,
      hasEnded: (flags & 8) !== 0,
      ...(failure !== null && { failure: nodeError(failure) }),
    };
  }

  answer(run: number, replies: readonly Replied[]): void {
    const tuples = replies.map(({ ticket, milliseconds, answer }) => {
      return new Tuple([ticket, milliseconds, answer?.payload ?? null, answer?.buffers ?? []]);
    });
    this.#call(Call.Answer, run, tuples);
  }

  lost(run: number, ticket: number, reason: string): void {
    this.#call(Call.Lost, run, ticket, reason);
  }

  wake(run: number, ticket: number): void {
    this.#call(Call.Wake, run, ticket);
  }

  cancel(run: number): void {
    this.#call(Call.Cancel, run);
  }

  drop(run: number): void {
    this.#call(Call.Drop, run);
  }

  /** A value as JSON text. */
  toJson(value: Value): string {
    return this.#call(Call.ToJson, value) as string;
  }

  /** A value from JSON text. */
  fromJson(text: string): Value {
    return this.#call(Call.FromJson, text);
  }

  #call(call: Call, ...args: Argument[]): Value {
    if (this.#stopped !== undefined) throw stopped(this.#stopped);
    const { payload, buffers } = encodeInPlace(new Tuple(args));
    const lengths = [payload.length, buffers.length, ...buffers.map((buffer) => buffer.length)];
    const parts = [payload, ...buffers];
    const total = parts.reduce((sum, part) => sum + part.length, 4 * lengths.length);
    let length: number;
    try {
      const address = this.#exports.request(total);
      const memory = this.#exports.memory.buffer;
      const view = new DataView(memory, address, total);
      lengths.forEach((length, index) => {
        view.setUint32(4 * index, length, true);
      });
      const bytes = new Uint8Array(memory);
      let at = address + 4 * lengths.length;
      for (const part of parts) {
        bytes.set(part, at);
        at += part.length;
      }
      length = this.#exports.call(call);
    } catch (error) {
      // A trap: a panic, no memory, or a part of it that is not there. What the module knew can no longer be trusted.
      this.#stopped ??= reasonOf(error);
      throw stopped(this.#stopped);
    }
    return this.#result(this.#exports.response(), length);
  }

  #result(address: number, length: number): Value {
    const memory = this.#exports.memory.buffer;
    const view = new DataView(memory, address, length);
    const count = view.getUint32(4, true);
    let at = address + 8 + 4 * count;
    const take = (size: number) => new Uint8Array(memory, (at += size) - size, size);
    const payload = take(view.getUint32(0, true));
    const buffers = Array.from({ length: count }, (_, index) => take(view.getUint32(8 + 4 * index, true)));
    const answer = decode({ payload, buffers });
    const [status, result] = Array.isArray(answer) ? (answer as Value[]) : [];
    if (status === 0 && result !== undefined) return result;
    throw callError(result ?? null);
  }
}

function classesArgument(classes: ReadonlyMap<string, PythonClass>): ReadonlyMap<string, Tuple> {
  const tuples = [...classes].map(([type, { module, class: name, is_streaming, is_source = false }]) => {
    return [type, new Tuple([module, name, is_streaming, is_source])] as const;
  });
  return new Map(tuples);
}

function withDefaults(manifest: Manifest): Manifest {
  return { ...manifest, connections: (manifest as Partial<Manifest>).connections ?? [] };
}

function trouble(place: string, line: number | null, column: number | null, message: string): Trouble {
  return { place, message, ...(line !== null && { line }), ...(column !== null && { column }) };
}

function field(value: Value, name: string): Value {
  return isRecord(value) ? ((value as Readonly<Record<string, Value>>)[name] ?? null) : null;
}

function causesOf(value: Value): readonly string[] {
  return field(value, "causes") as string[];
}

function nodeError(value: Value): PipelineError {
  const [node, item, exception] = ["node", "item", "exception"].map((name) => field(value, name));
  const frames = exception === undefined || exception === null ? undefined : field(exception, "frames");
  const details: ErrorDetails = {
    causes: causesOf(value),
    ...(typeof node === "string" && { node }),
    ...(typeof item === "number" && { item }),
    ...(frames !== undefined && {
      frames: (frames as [string, number, string][]).map(([file, line, name]): Frame => {
        return { file, line, function: name };
      }),
    }),
  };
  return new PipelineError("node", field(value, "message") as string, details);
}

function callError(value: Value): PipelineError {
  const message = field(value, "message");
  const text = typeof message === "string" ? message : "the executor did not understand a call";
  const causes = causesOf(value);
  const [places, index] = [field(value, "places"), field(value, "index")];
  if (Array.isArray(places)) {
    const troubles = (places as [string, number | null, number | null][]).map(([place, line, column]) => {
      return trouble(place, line, column, text);
    });
    return new PipelineError("manifest", text, { causes, troubles });
  }
  if (typeof index === "number") return new PipelineError("item", text, { causes, item: index });
  return new PipelineError("item", text, { causes });
}

function mismatch(what: string, known: number, found: number): PipelineError {
  return new PipelineError("version", `this page knows version ${known} of the executor's ${what}, not ${found}`, {
    hint: "the page and the executor are of different builds: run `npm run wasm`, or load the page again",
  });
}

function stopped(reason: string): PipelineError {
  return new PipelineError("stopped", `the executor has stopped: ${reason}`, {
    hint: "what ran in it is lost; start a fresh one",
  });
}
