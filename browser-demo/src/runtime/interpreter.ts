/** An interpreter in a worker of its own, which can be stopped whatever it is at: the host's side, for every host. */
import { type ErrorData, PipelineError } from "./errors.ts";
import { print, type HostOptions } from "./hosts.ts";
import { alone, worthMoving } from "./transfer.ts";
import type { Order, PythonHost, PythonInstance, Reply } from "./python.ts";
import type { FromInterpreter, ToInterpreter } from "./serving.ts";

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** An instance whose worker `serve`s. */
export class WorkerInterpreter<Step> implements PythonInstance {
  readonly #worker: Worker;
  /** Whose it is; whoever asks for it says so. */
  node = "";
  /** Whoever waits for a reply, in the order in which these come. */
  readonly #waiting: Waiting[] = [];
  #orders: Order[] = [];
  /** Whoever waits for a step of the start. */
  readonly #steps: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  #lost: Error | undefined;
  #onPrinted = print;
  /** Called once, when it has begun to work. */
  onFirstReply: (() => void) | undefined;

  constructor(worker: Worker, options: HostOptions) {
    this.#worker = worker;
    this.listen(options);
    worker.onmessage = ({ data }: MessageEvent<FromInterpreter>) => {
      if ("reply" in data) this.#replied(data.reply);
      else if ("printed" in data) this.#onPrinted({ node: this.node, text: data.printed, isError: data.isError });
      else if ("gone" in data) this.#lose(data.gone, data.error);
      else this.#steps.shift()?.resolve();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(`the worker has stopped: ${event.message || "its script cannot be loaded"}`);
    };
  }

  /** Tell what it prints to whoever has it now. */
  listen({ onPrinted = print }: HostOptions): void {
    this.#onPrinted = onPrinted;
  }

  /** Whether it will never do anything any more. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  #replied(reply: Reply): void {
    this.#waiting.shift()?.resolve(reply);
    this.onFirstReply?.();
    this.onFirstReply = undefined;
  }

  /** Do a step of the start. */
  take(step: Step): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) {
        reject(this.#lost);
        return;
      }
      this.#steps.push({ resolve, reject });
      this.#post({ step });
    });
  }

  call(order: Order): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) {
        reject(this.#lost);
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#orders.push(order);
      // Those that are given at once go together.
      if (this.#orders.length === 1)
        queueMicrotask(() => {
          this.#send();
        });
    });
  }

  dispose(): void {
    this.#lose("the interpreter was stopped");
  }

  #send(): void {
    const orders = this.#orders.map(({ wire: { payload, buffers }, ...order }) => {
      return { ...order, wire: { payload: alone(payload), buffers: buffers.map(alone) } };
    });
    this.#orders = [];
    if (this.#lost === undefined)
      this.#post({ orders }, worthMoving(orders.flatMap(({ wire }) => [wire.payload, ...wire.buffers])));
  }

  #post(message: ToInterpreter<Step>, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #lose(reason: string, error?: ErrorData): void {
    if (this.#lost !== undefined) return;
    this.#lost = error ? PipelineError.from(error) : new Error(reason);
    this.#worker.terminate();
    for (const { reject } of [...this.#steps.splice(0), ...this.#waiting.splice(0)]) reject(this.#lost);
  }
}

/** An interpreter that is about to be ready. */
export interface Starting<Step> {
  readonly interpreter: WorkerInterpreter<Step>;
  readonly ready: Promise<unknown>;
}

/** A host whose interpreters have workers of their own, the first of which is there when the host is. */
export abstract class InterpreterHost<Step> implements PythonHost {
  readonly protocol: number;
  /** The first is made as soon as it can be: whoever loads a pipeline runs it. */
  #first: Starting<Step> | undefined;

  constructor(protocol: number, first: Starting<Step>) {
    this.protocol = protocol;
    this.#first = first;
    // Told to whoever asks for it.
    first.ready.catch(() => undefined);
  }

  async instance(node: string): Promise<PythonInstance> {
    const { interpreter, ready } = this.#first ?? this.another();
    this.#first = undefined;
    interpreter.node = node;
    try {
      await ready;
    } catch (error) {
      interpreter.dispose();
      throw error;
    }
    return interpreter;
  }

  /** Those that were asked for are whoever's they are. */
  dispose(): void {
    this.#first?.interpreter.dispose();
    this.#first = undefined;
  }

  /** Begin one more. */
  protected abstract another(): Starting<Step>;
}

/** How interpreters of a host are started. */
export interface Start<Step> {
  readonly newWorker: () => Worker;
  /** What each takes, in this order. */
  readonly steps: readonly Step[];
  readonly options: HostOptions;
}

/** A host that makes each interpreter when it is asked for. */
export class WorkerHost<Step> extends InterpreterHost<Step> {
  readonly #start: Start<Step>;

  constructor(protocol: number, start: Start<Step>, first: Starting<Step>) {
    super(protocol, first);
    this.#start = start;
  }

  protected override another(): Starting<Step> {
    const { newWorker, steps, options } = this.#start;
    const interpreter = new WorkerInterpreter<Step>(newWorker(), options);
    return { interpreter, ready: Promise.all(steps.map((step) => interpreter.take(step))) };
  }
}
