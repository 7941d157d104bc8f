/** The worker of one interpreter. */
import { Interpreter } from "./interpreter.ts";
import type { FromInterpreter, ToInterpreter } from "./messages.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;
let interpreter: Interpreter | undefined;

function post(message: FromInterpreter, transfer: Transferable[] = []): void {
  scope.postMessage(message, transfer);
}

scope.onmessage = ({ data }: MessageEvent<ToInterpreter>) => {
  try {
    if ("start" in data) {
      interpreter = Interpreter.start(data.start.engine, data.start.layer, (stream, line) => {
        post({ stream, line });
      });
      post({ started: true });
      return;
    }
    if (interpreter === undefined) throw new Error("the interpreter was not started");
    const answer = interpreter.call(data.operation, data.request);
    post({ answer }, [answer.payload.buffer, ...answer.buffers.map((buffer) => buffer.buffer)]);
  } catch (error) {
    post({ stopped: error instanceof Error ? error.message : String(error) });
  }
};
