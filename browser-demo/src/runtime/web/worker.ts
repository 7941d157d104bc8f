/** The worker of one interpreter on the engine. */
import { serve } from "../serving.ts";
import type { Engine } from "./engine.ts";
import { Interpreter } from "./interpreter.ts";
import { type PackedLayer, unpack } from "./layer.ts";

/** What an interpreter is started with: an application, and then the engine that it is for. */
export type Step = { readonly layer: PackedLayer } | { readonly engine: Engine };

let layer: Uint8Array = new Uint8Array();

serve<Step>(async (step, onPrinted) => {
  if ("layer" in step) {
    layer = await unpack(step.layer);
    return undefined;
  }
  const interpreter = Interpreter.start(step.engine, layer, (stream, printed) => {
    onPrinted(printed, stream === "stderr");
  });
  layer = new Uint8Array();
  return (operation, wire) => interpreter.call(operation, wire);
});
