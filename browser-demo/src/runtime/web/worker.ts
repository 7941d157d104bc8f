/** The worker of one interpreter on the engine. */
import { serve } from "../serving.ts";
import type { Engine } from "./engine.ts";
import { Interpreter } from "./interpreter.ts";
import { type PackedLayer, unpack } from "./layer.ts";

/** What an interpreter is started with: an engine and an application for it, whichever is there first, and the word to go. */
export type Step = { readonly engine: Engine } | { readonly layer: PackedLayer } | { readonly start: true };

let interpreter: Interpreter | undefined;
let layer: Uint8Array | undefined;

serve<Step>(async (step, onPrinted) => {
  if ("engine" in step) {
    interpreter = Interpreter.of(step.engine, (stream, printed) => {
      onPrinted(printed, stream === "stderr");
    });
  } else if ("layer" in step) {
    layer = await unpack(step.layer);
  } else {
    if (interpreter === undefined || layer === undefined) throw new Error("it has no engine, or no application");
    const started = interpreter;
    started.begin(layer);
    layer = undefined;
    return (operation, wire) => started.call(operation, wire);
  }
  return undefined;
});
