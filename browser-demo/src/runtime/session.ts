/** A run of a pipeline in this thread: moves items, results, requests to Python and the passing of time. */
import type { Executor, OnError, Replied, Report, Request, Turn } from "./abi.ts";
import { checkItems, checkLines } from "./checks.ts";
import { PipelineError, reasonOf } from "./errors.ts";
import { later } from "./later.ts";
import { recycle, worthMoving } from "./transfer.ts";
import { type NodeMetrics, RunMetrics } from "./metrics.ts";
import { Operation, type Order, type PythonHost, type PythonInstance, type Reply } from "./python.ts";
import type { Item, Output } from "./values.ts";

/** How a run is to go. */
export interface SessionOptions {
  /** What an error in a node means where the manifest does not say it; `fail` unless told otherwise. */
  readonly onError?: OnError;
  /** Whether outputs come as JSON text, in which 5.0 and 5 differ, instead of as values. */
  readonly asText?: boolean;
  /**
   * How long a Python node may work without giving anything, in milliseconds, sleeping included: a minute; 0 for ever. A Rust node
   * that waits for its outputs is given up after that time, too; one that does not come back from a call is not stopped, and holds the
   * thread of the executor.
   */
  readonly timeout?: number;
}

/**
 * A pipeline at work. Items are sent and outputs received independently of each other; the queues between nodes are
 * bounded, so sending waits while the pipeline has no room, and somebody has to receive.
 */
export interface Session extends AsyncIterable<Output> {
  /** Send items, as soon as there is room for them. Rejects when they will not be taken. */
  send(items: readonly Item[]): Promise<void>;
  /** The same for items as JSON text, each a value or a `{"$packet": ...}`. */
  sendLines(lines: readonly string[]): Promise<void>;
  /** Say that no item will follow. */
  close(): void;
  /** The outputs that are there, at least one; `undefined` when there are no more. Rejects if a node failed. */
  receive(): Promise<readonly Output[] | undefined>;
  /** How long nodes were at work so far. */
  metrics(): Promise<readonly NodeMetrics[]>;
  /** Interrupt the nodes that are at work, and let the others clean up. */
  cancel(): void;
  /** Called for each error that does not end the run. */
  onReport: ((report: Report) => void) | undefined;
}

/** How many outputs are kept for whoever receives; beyond that they wait in the pipeline. */
const KEPT = 256;
/** How many items are offered to the executor at first; what it does not take was put into its form in vain. */
const OFFERED = 16;
/** How many steps the executor takes before others get a chance to speak. */
const STEPS = 256;
/** How many milliseconds this thread is held at once. */
const SLICE = 8;

/** What is waiting to be sent. */
interface Batch {
  readonly items: readonly Item[] | readonly string[];
  readonly isText: boolean;
  taken: number;
  readonly resolve: () => void;
  readonly reject: (error: PipelineError) => void;
}

interface Receiver {
  readonly resolve: (outputs: readonly Output[] | undefined) => void;
  readonly reject: (error: PipelineError) => void;
}

/** What a local session needs to know about its pipeline. */
export interface SessionParts {
  readonly executor: Executor;
  readonly pipeline: number;
  readonly ids: readonly string[];
  readonly host: PythonHost | undefined;
  /** Called once when nothing of the run is left. */
  readonly onEnd: (session: LocalSession) => void;
}

export class LocalSession implements Session {
  readonly #executor: Executor;
  readonly #run: number;
  readonly #ids: readonly string[];
  readonly #host: PythonHost | undefined;
  readonly #onEnd: (session: LocalSession) => void;
  readonly #asText: boolean;
  readonly #timeout: number;
  readonly #metrics: RunMetrics;
  readonly #batches: Batch[] = [];
  readonly #outputs: Output[] = [];
  readonly #receivers: Receiver[] = [];
  /** The interpreter of each lane, and what it is asked one after the other. */
  readonly #lanes = new Map<number, Lane>();
  /** How many requests interpreters are at, and what they said to others. */
  #asked = 0;
  readonly #replies: Replied[] = [];
  /** Each stops a timer. */
  readonly #timers = new Set<() => void>();
  /** How many items are offered next: as many as were taken lately, and as much again. */
  #offer = OFFERED;
  #canPush = true;
  #isClosing = false;
  #isClosed = false;
  #isPumping = false;
  #isDue = false;
  #ended: { readonly failure: PipelineError | undefined } | undefined;
  onReport: ((report: Report) => void) | undefined;

  constructor({ executor, pipeline, ids, host, onEnd }: SessionParts, options: SessionOptions) {
    this.#executor = executor;
    this.#ids = ids;
    this.#host = host;
    this.#onEnd = onEnd;
    this.#asText = options.asText ?? false;
    this.#timeout = options.timeout ?? 60_000;
    this.#metrics = new RunMetrics(ids);
    this.#run = executor.start(pipeline, options.onError ?? "fail");
    this.#pump();
  }

  async send(items: readonly Item[]): Promise<void> {
    checkItems(items);
    await this.#enqueue(items, false);
  }

  async sendLines(lines: readonly string[]): Promise<void> {
    checkLines(lines);
    await this.#enqueue(lines, true);
  }

  #enqueue(items: Batch["items"], isText: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended || this.#isClosing) {
        reject(closed(this.#ended?.failure));
        return;
      }
      this.#batches.push({ items, isText, taken: 0, resolve, reject });
      this.#pump();
    });
  }

  close(): void {
    this.#isClosing = true;
    this.#pump();
  }

  receive(): Promise<readonly Output[] | undefined> {
    return new Promise((resolve, reject) => {
      this.#receivers.push({ resolve, reject });
      this.#deliver();
      this.#pump();
    });
  }

  metrics(): Promise<readonly NodeMetrics[]> {
    return Promise.resolve(this.#metrics.snapshot());
  }

  cancel(): void {
    this.#tell(() => {
      this.#executor.cancel(this.#run);
    });
    if (this.#ended) return;
    for (const lane of this.#lanes.values()) lane.interrupt();
    this.#isClosing = true;
    this.#rejectBatches(closed(undefined));
    this.#pump();
  }

  /** End it with an error, whatever it is at; outputs that nobody has received yet are gone. */
  stop(error: PipelineError): void {
    this.#outputs.length = 0;
    this.#end(error);
  }

  /** Whether nothing of it is left. */
  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Output> {
    try {
      for (let batch = await this.receive(); batch !== undefined; batch = await this.receive()) yield* batch;
    } finally {
      // Whoever stops listening has no use for the rest.
      this.cancel();
    }
  }

  /** Let the executor do what it can. Never throws: what goes wrong ends the run. */
  #pump(): void {
    if (this.#isPumping || this.#isDue || this.#ended) return;
    this.#isPumping = true;
    try {
      const begun = performance.now();
      for (;;) {
        this.#push();
        if (this.#replies.length > 0) this.#answer(this.#replies.splice(0));
        const turn = this.#executor.turn(this.#run, STEPS, KEPT - this.#outputs.length, this.#asText);
        this.#follow(turn);
        if (turn.hasEnded) {
          this.#end(turn.failure);
          break;
        }
        this.#canPush = turn.canPush;
        if (!turn.isOpen && this.#batches.length > 0) this.#rejectBatches(closed(undefined));
        const canPush = turn.canPush && this.#batches.length > 0;
        const canClose = this.#isClosing && !this.#isClosed && this.#batches.length === 0;
        const canGive = this.#outputs.length < KEPT && turn.hasMore;
        if (!canPush && !canClose && !canGive) break;
        if (performance.now() - begun > SLICE) {
          this.#pumpAfterOthers();
          break;
        }
      }
    } catch (error) {
      this.#end(PipelineError.of(error, "stopped"));
    } finally {
      this.#isPumping = false;
    }
  }

  #pumpAfterOthers(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    afterOthers(() => {
      this.#isDue = false;
      this.#pump();
    });
  }

  /** Push what waits, as far as there is room. */
  #push(): void {
    for (let batch = this.#batches[0]; batch !== undefined && this.#canPush; batch = this.#batches[0]) {
      const rest = batch.items.slice(batch.taken, batch.taken + this.#offer);
      try {
        const taken = batch.isText
          ? this.#executor.pushLines(this.#run, rest as readonly string[])
          : this.#executor.push(this.#run, rest as readonly Item[]);
        batch.taken += taken;
        this.#offer = Math.min(2 * taken + 1, KEPT);
        this.#canPush = taken === rest.length;
        if (batch.taken < batch.items.length) continue;
        this.#batches.shift();
        batch.resolve();
      } catch (error) {
        const problem = PipelineError.of(error, "item");
        if (problem.kind === "stopped") throw problem;
        this.#batches.shift();
        const item = batch.taken + (problem.details.item ?? 0) + 1;
        batch.reject(
          new PipelineError("item", `item ${item} cannot be read: ${problem.message}`, { ...problem.details, item }),
        );
      }
    }
    if (this.#isClosing && !this.#isClosed && this.#batches.length === 0) {
      this.#isClosed = true;
      this.#executor.close(this.#run);
    }
  }

  #answer(replies: readonly Replied[]): void {
    this.#executor.answer(this.#run, replies);
    for (const { answer } of replies) if (answer !== undefined) recycle(worthMoving(answer.buffers));
  }

  /** Do what a turn asks for. */
  #follow(turn: Turn): void {
    for (const [node, output, value, session, timestampUs, sequence] of turn.outputs) {
      this.#metrics.gave(node);
      this.#outputs.push({
        node: this.#ids[node] ?? "",
        value,
        sequence,
        ...(output !== null && { output }),
        ...(session !== null && { session }),
        ...(timestampUs !== null && { timestampUs }),
      });
    }
    for (const [node, milliseconds] of turn.worked) this.#metrics.worked(node, milliseconds);
    for (const report of turn.reports) this.onReport?.(report);
    for (const sleep of turn.sleeps) this.#sleep(...sleep);
    for (const request of turn.requests) this.#ask(request);
    this.#deliver();
  }

  /** A node that sleeps in the middle of its work does so out of its time. */
  #sleep(ticket: number, seconds: number, lane: number | null, spent: number): void {
    const milliseconds = seconds * 1000;
    const left = lane === null || this.#timeout === 0 ? Infinity : Math.max(0, this.#timeout - spent);
    const stop = later(
      () => {
        this.#timers.delete(stop);
        this.#tell(() => {
          if (milliseconds < left || lane === null) this.#executor.wake(this.#run, ticket);
          else this.#isUp(lane, ticket);
        });
      },
      Math.min(milliseconds, left),
    );
    this.#timers.add(stop);
  }

  /** A node's time is up while it sleeps. */
  #isUp(number: number, ticket: number): void {
    const lane = this.#lanes.get(number);
    lane?.interrupt();
    this.#executor.lost(this.#run, ticket, tookLonger(this.#timeout, lane?.node));
  }

  #ask(request: Request): void {
    const { lane: number, node, ticket, spent, order } = request;
    if (order.operation === Operation.Create) {
      this.#lanes.get(number)?.interrupt();
      this.#lanes.set(number, new Lane(this.#host, this.#ids[node] ?? "", this.#timeout));
    }
    const lane = this.#lanes.get(number);
    const reply = lane?.call(order, spent) ?? Promise.reject(new Error("no interpreter was made"));
    this.#asked += 1;
    reply.then(
      ({ answer, milliseconds }) => {
        this.#asked -= 1;
        if (this.#ended) return;
        this.#replies.push({ ticket, answer, milliseconds });
        // Where more replies are on their way, those that have come are handed over together.
        if (this.#asked === 0) this.#pump();
        else this.#pumpAfterOthers();
      },
      (error: unknown) => {
        this.#asked -= 1;
        this.#tell(() => {
          this.#executor.lost(this.#run, ticket, reasonOf(error));
        });
      },
    );
  }

  /** Tell the executor something, unless it is too late. */
  #tell(tell: () => void): void {
    if (this.#ended) return;
    try {
      tell();
    } catch (error) {
      this.#end(PipelineError.of(error, "stopped"));
    }
    this.#pump();
  }

  #deliver(): void {
    while (this.#receivers.length > 0) {
      if (this.#outputs.length > 0) {
        this.#receivers.shift()?.resolve(this.#outputs.splice(0));
      } else if (this.#ended) {
        const { failure } = this.#ended;
        const receiver = this.#receivers.shift();
        if (failure) receiver?.reject(failure);
        else receiver?.resolve(undefined);
      } else {
        return;
      }
    }
  }

  #end(failure: PipelineError | undefined): void {
    if (this.#ended) return;
    this.#ended = { failure };
    for (const stop of this.#timers) stop();
    for (const lane of this.#lanes.values()) lane.interrupt();
    this.#lanes.clear();
    try {
      this.#executor.drop(this.#run);
    } catch {
      // The executor has stopped, which is what ended the run.
    }
    this.#rejectBatches(closed(failure));
    this.#deliver();
    this.#onEnd(this);
  }

  #rejectBatches(error: PipelineError): void {
    for (const batch of this.#batches.splice(0)) batch.reject(error);
  }
}

/** An interpreter of a run, or the promise of one. */
class Lane {
  readonly node: string;
  readonly #timeout: number;
  readonly #instance: Promise<PythonInstance>;
  #made: PythonInstance | undefined;
  #isGone = false;
  /** Whoever waits for it, the next one first, with how much of its time was spent; and when that one's reply has to be there. */
  readonly #waiting: { readonly reject: (error: Error) => void; readonly spent: number }[] = [];
  #deadline = Infinity;
  /** Stops the timer that watches it, and when that looks. */
  #watch: (() => void) | undefined;
  #due = Infinity;

  constructor(host: PythonHost | undefined, node: string, timeout: number) {
    this.node = node;
    this.#timeout = timeout;
    this.#instance = host
      ? host.instance(node)
      : Promise.reject(new Error("nobody here runs Python nodes; load their bundle, which says who does"));
    this.#instance.then(
      (instance) => {
        this.#made = instance;
        if (this.#isGone) instance.dispose();
      },
      // Told when it is asked for something.
      () => undefined,
    );
  }

  /** `spent` is how many milliseconds of its time the node has had for this already. */
  async call(order: Order, spent: number): Promise<Reply> {
    const instance = await this.#instance;
    if (this.#isGone) throw stopped();
    const reply = instance.call(order);
    // An interpreter that was stopped need not say so.
    return new Promise((resolve, reject) => {
      this.#waiting.push({ reject, spent });
      if (this.#waiting.length === 1) this.#setDeadline();
      reply.then(
        (reply) => {
          this.#waiting.shift();
          this.#setDeadline();
          resolve(reply);
        },
        (error: unknown) => {
          this.#waiting.shift();
          this.#setDeadline();
          reject(error instanceof Error ? error : new Error(reasonOf(error)));
        },
      );
    });
  }

  /** Replies come one after the other, and each has its time. */
  #setDeadline(): void {
    if (this.#timeout === 0) return;
    const [next] = this.#waiting;
    const left = next === undefined ? Infinity : Math.max(0, this.#timeout - next.spent);
    this.#deadline = performance.now() + left;
    if (next === undefined || left === Infinity || (this.#watch !== undefined && this.#due <= this.#deadline)) return;
    this.#watch?.();
    this.#watchFor(left);
  }

  /** One timer for many calls: most are over long before it, and a timer for each costs more than some of them. */
  #watchFor(milliseconds: number): void {
    this.#due = performance.now() + milliseconds;
    this.#watch = later(() => {
      this.#watch = undefined;
      const left = this.#deadline - performance.now();
      if (left === Infinity || this.#isGone) return;
      if (left > 0) {
        this.#watchFor(left);
        return;
      }
      this.#waiting.shift()?.reject(new Error(tookLonger(this.#timeout, this.node)));
      this.interrupt();
    }, milliseconds);
  }

  /** Stop the interpreter, if it was made and whenever it is. */
  interrupt(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#watch?.();
    this.#made?.dispose();
    for (const { reject } of this.#waiting.splice(0)) reject(stopped());
  }
}

function tookLonger(timeout: number, node?: string): string {
  return `it took longer than ${timeout / 1000} s, the time that ${node === undefined ? "it" : `node \`${node}\``} may take`;
}

function stopped(): Error {
  return new Error("the interpreter was stopped");
}

function closed(failure: PipelineError | undefined): PipelineError {
  const why = failure ? `: ${failure.message}` : "";
  return new PipelineError("closed", `the pipeline takes no more items${why}`);
}

/** Call back when whoever else waits for this thread had a turn; timers may be held back for a second in hidden pages. */
function afterOthers(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(undefined);
}
