/** The worker of one interpreter on the engine. */
import { reasonOf } from "../errors.ts";
import type { FromInterpreter, ToInterpreter } from "../interpreter.ts";
import { worthMoving } from "../marshal.ts";
import type { Engine } from "./engine.ts";
import { Interpreter } from "./interpreter.ts";

/** What an interpreter is started with. */
export interface Start {
  readonly engine: Engine;
  readonly layer: Uint8Array;
}

const scope = self as unknown as DedicatedWorkerGlobalScope;
let interpreter: Interpreter | undefined;

function post(message: FromInterpreter, transfer: Transferable[] = []): void {
  scope.postMessage(message, transfer);
}

scope.onmessage = ({ data }: MessageEvent<ToInterpreter<Start>>) => {
  try {
    if ("start" in data) {
      interpreter = Interpreter.start(data.start.engine, data.start.layer, (stream, printed) => {
        post({ printed, isError: stream === "stderr" });
      });
      post({ ready: true });
      return;
    }
    if (interpreter === undefined) throw new Error("the interpreter was asked for something before it was started");
    const answer = interpreter.call(data.operation, data);
    post({ answer }, worthMoving([answer.payload, ...answer.buffers]));
  } catch (error) {
    post({ gone: reasonOf(error) });
  }
};
