/** An interpreter in a worker of its own, which can be stopped whatever it is at: the host's side, for every host. */
import { print, type HostOptions } from "./hosts.ts";
import { type Wire, worthMoving } from "./marshal.ts";
import type { Operation, PythonInstance } from "./python.ts";

/** To the worker: first what to start with, then one call after the other. Both sides are of one build. */
export type ToInterpreter<Start> =
  | { readonly start: Start }
  | { readonly operation: Operation; readonly payload: Uint8Array; readonly buffers: readonly Uint8Array[] };

/** From the worker: `ready` once, then an answer to each call. After `gone` nothing follows. */
export type FromInterpreter =
  | { readonly ready: true }
  | { readonly answer: Wire }
  | { readonly gone: string }
  | { readonly printed: string; readonly isError: boolean };

interface Waiting {
  readonly resolve: (answer: Wire) => void;
  readonly reject: (error: Error) => void;
}

/** An instance whose worker speaks as above. */
export class WorkerInterpreter<Start> implements PythonInstance {
  readonly #worker: Worker;
  /** Whose it is; one that was made in advance is told later. */
  node: string;
  readonly #onEnd: () => void;
  #waiting: Waiting | undefined;
  #lost: Error | undefined;

  constructor(worker: Worker, node: string, { onPrinted = print }: HostOptions, onEnd: () => void = () => undefined) {
    this.#worker = worker;
    this.node = node;
    this.#onEnd = onEnd;
    worker.onmessage = ({ data }: MessageEvent<FromInterpreter>) => {
      if ("printed" in data) onPrinted({ node: this.node, text: data.printed, isError: data.isError });
      else if ("gone" in data) this.#lose(data.gone);
      else this.#settle()?.resolve("answer" in data ? data.answer : { payload: new Uint8Array(), buffers: [] });
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(`the worker has stopped: ${event.message || "its script cannot be loaded"}`);
    };
  }

  async start(start: Start): Promise<void> {
    await this.#ask({ start }, []);
  }

  call(operation: Operation, { payload, buffers }: Wire): Promise<Wire> {
    const given = [payload, ...buffers].map(alone);
    const [first = new Uint8Array(), ...others] = given;
    return this.#ask({ operation, payload: first, buffers: others }, worthMoving(given));
  }

  dispose(): void {
    this.#lose("the interpreter was stopped");
  }

  #ask(message: ToInterpreter<Start>, transfer: Transferable[]): Promise<Wire> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) {
        reject(this.#lost);
        return;
      }
      this.#waiting = { resolve, reject };
      this.#worker.postMessage(message, transfer);
    });
  }

  #settle(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = new Error(reason);
    this.#worker.terminate();
    this.#settle()?.reject(this.#lost);
    this.#onEnd();
  }
}

/** Bytes that are all of their buffer, so that it can be handed over. */
function alone(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
    ? (bytes as Uint8Array<ArrayBuffer>)
    : bytes.slice();
}
