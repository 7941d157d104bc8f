/** The worker of one interpreter on the engine. */
import { serve } from "../serving.ts";
import type { Engine } from "./engine.ts";
import { Interpreter } from "./interpreter.ts";

/** What an interpreter is started with. */
export interface Start {
  readonly engine: Engine;
  readonly layer: Uint8Array;
}

serve<Start>(({ engine, layer }, onPrinted) => {
  const interpreter = Interpreter.start(engine, layer, (stream, printed) => {
    onPrinted(printed, stream === "stderr");
  });
  return (operation, wire) => interpreter.call(operation, wire);
});
