/** An interpreter in a worker of its own: the worker's side, for every host. */
import { reasonOf } from "./errors.ts";
import { type Wire, worthMoving } from "./marshal.ts";
import { isPlain, type Operation, type Order, type Reply } from "./python.ts";

/** To the worker: first what to start with, then orders, to be done one after the other. Both sides are of one build. */
export type ToInterpreter<Start> = { readonly start: Start } | { readonly orders: readonly Order[] };

/** From the worker: `ready` once, then a reply to each order. After `gone` nothing follows. */
export type FromInterpreter =
  | { readonly ready: true }
  | { readonly reply: Reply }
  | { readonly gone: string }
  | { readonly printed: string; readonly isError: boolean };

/** An interpreter that has started. It throws when it is of no use any more. */
export type Dispatch = (operation: Operation, wire: Wire) => Wire;

/** Makes an interpreter from what it is to start with. */
export type Boot<Start> = (
  start: Start,
  onPrinted: (printed: string, isError: boolean) => void,
) => Dispatch | Promise<Dispatch>;

/** Be the worker of one interpreter. */
export function serve<Start>(boot: Boot<Start>): void {
  const scope = self as unknown as DedicatedWorkerGlobalScope;
  let dispatch: Dispatch = () => {
    throw new Error("the interpreter was asked for something before it was started");
  };
  let isReady = false;
  const post = (message: FromInterpreter, transfer: Transferable[] = []) => {
    scope.postMessage(message, transfer);
  };
  const attempt = async (start: Start) => {
    dispatch = await boot(start, (printed, isError) => {
      post({ printed, isError });
    });
    post({ ready: true });
  };
  const follow = ({ operation, wire, isAhead }: Order) => {
    if (isAhead && !isReady) {
      post({ reply: { answer: undefined, milliseconds: 0 } });
      return;
    }
    const begun = performance.now();
    const answer = dispatch(operation, wire);
    const milliseconds = performance.now() - begun;
    isReady = isPlain(answer);
    post({ reply: { answer, milliseconds } }, worthMoving([answer.payload, ...answer.buffers]));
  };
  scope.onmessage = ({ data }: MessageEvent<ToInterpreter<Start>>) => {
    if ("start" in data) {
      attempt(data.start).catch((error: unknown) => {
        post({ gone: reasonOf(error) });
      });
      return;
    }
    try {
      data.orders.forEach(follow);
    } catch (error) {
      post({ gone: reasonOf(error) });
    }
  };
}
