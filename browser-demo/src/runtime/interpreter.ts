/** An interpreter in a worker of its own, which can be stopped whatever it is at: the host's side, for every host. */
import { print, type HostOptions } from "./hosts.ts";
import { worthMoving } from "./marshal.ts";
import type { Order, PythonInstance, Reply } from "./python.ts";
import type { FromInterpreter, ToInterpreter } from "./serving.ts";

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** An instance whose worker `serve`s. */
export class WorkerInterpreter<Start> implements PythonInstance {
  readonly #worker: Worker;
  /** Whose it is; one that was made in advance is told later. */
  node: string;
  readonly #onEnd: () => void;
  /** Whoever waits for a reply, in the order in which these come. */
  readonly #waiting: Waiting[] = [];
  #orders: Order[] = [];
  #started: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #lost: Error | undefined;

  constructor(worker: Worker, node: string, { onPrinted = print }: HostOptions, onEnd: () => void = () => undefined) {
    this.#worker = worker;
    this.node = node;
    this.#onEnd = onEnd;
    worker.onmessage = ({ data }: MessageEvent<FromInterpreter>) => {
      if ("reply" in data) this.#waiting.shift()?.resolve(data.reply);
      else if ("printed" in data) onPrinted({ node: this.node, text: data.printed, isError: data.isError });
      else if ("gone" in data) this.#lose(data.gone);
      else this.#started?.resolve();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(`the worker has stopped: ${event.message || "its script cannot be loaded"}`);
    };
  }

  start(start: Start): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#started = { resolve, reject };
      if (this.#lost === undefined) this.#post({ start });
      else reject(this.#lost);
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

  #post(message: ToInterpreter<Start>, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = new Error(reason);
    this.#worker.terminate();
    this.#started?.reject(this.#lost);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#lost);
    this.#onEnd();
  }
}

/** Bytes that are all of their buffer, so that it can be handed over. */
function alone(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
    ? (bytes as Uint8Array<ArrayBuffer>)
    : bytes.slice();
}
