/** What a host and the worker of one of its interpreters say to each other. */
import type { Wire } from "../marshal.ts";
import type { Engine } from "./engine.ts";

/** To the worker. Calls are answered in their order. */
export type ToInterpreter =
  | { readonly start: { readonly engine: Engine; readonly layer: Uint8Array } }
  | { readonly operation: number; readonly request: Wire };

/** From the worker: `started` or `answer` once for each message to it, or `stopped`, after which it is of no further use. */
export type FromInterpreter =
  | { readonly started: true }
  | { readonly answer: Wire }
  | { readonly stopped: string }
  | { readonly stream: "stdout" | "stderr"; readonly line: string };
