/** An interpreter in a worker of its own: the worker's side, for every host. */
import { type ErrorData, PipelineError, reasonOf } from "./errors.ts";
import type { Wire } from "./marshal.ts";
import { worthMoving } from "./transfer.ts";
import { isPlain, type Operation, type Order, type Reply } from "./python.ts";

/** To the worker: first what to start with, in steps, then orders, all to be done one after the other. Both sides are of one build. */
export type ToInterpreter<Step> = { readonly step: Step } | { readonly orders: readonly Order[] };

/** From the worker: `done` for each step, then a reply to each order. After `gone` nothing follows. */
export type FromInterpreter =
  | { readonly done: true }
  | { readonly reply: Reply }
  | { readonly gone: string; readonly error?: ErrorData }
  | { readonly printed: string; readonly isError: boolean };

/** An interpreter that has started. It throws when it is of no use any more. */
export type Dispatch = (operation: Operation, wire: Wire) => Wire;

/** Makes an interpreter in steps; the last gives it. */
export type Boot<Step> = (
  step: Step,
  onPrinted: (printed: string, isError: boolean) => void,
) => Dispatch | undefined | Promise<Dispatch | undefined>;

/** Be the worker of one interpreter. */
export function serve<Step>(boot: Boot<Step>): void {
  const scope = self as unknown as DedicatedWorkerGlobalScope;
  let dispatch: Dispatch = () => {
    throw new Error("the interpreter was asked for something before it was started");
  };
  let isReady = false;
  const post = (message: FromInterpreter, transfer: Transferable[] = []) => {
    scope.postMessage(message, transfer);
  };
  const onPrinted = (printed: string, isError: boolean) => {
    post({ printed, isError });
  };
  let steps = Promise.resolve();
  const attempt = async (step: Step) => {
    dispatch = (await boot(step, onPrinted)) ?? dispatch;
    post({ done: true });
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
  scope.onmessage = ({ data }: MessageEvent<ToInterpreter<Step>>) => {
    if ("step" in data) {
      steps = steps.then(() => attempt(data.step));
      steps.catch((error: unknown) => {
        post({ gone: reasonOf(error), ...(error instanceof PipelineError && { error: error.toData() }) });
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
