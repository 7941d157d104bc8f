/**
 * Python on the engine that also runs natively: the bundle is the very file that `rm-pack run` takes, its imports done when
 * it was packed.
 */
import { decompress } from "fzstd";
import { type Bundle, sha256 } from "../bundle.ts";
import { PipelineError, reasonOf } from "../errors.ts";
import type { Places } from "../hosts.ts";
import type { Wire } from "../marshal.ts";
import type { Operation, PythonHost, PythonInstance } from "../python.ts";
import { type Engine, loadEngine } from "./engine.ts";
import type { FromInterpreter, ToInterpreter } from "./messages.ts";

const LAYER = "layer.zst";

/** The engines that were loaded: pipelines of a page share them. */
const engines = new Map<string, Promise<Engine>>();

/** A host for a bundle's Python nodes. */
export async function webHost(bundle: Bundle, { engines: base }: Places): Promise<PythonHost> {
  const digest = bundle.engine?.digest;
  if (digest === undefined) throw new PipelineError("bundle", `the bundle \`${bundle.name}\` names no engine`);
  const [engine, layer] = await Promise.all([engineOf(base, digest), layerOf(bundle)]);
  return new WebHost(engine, layer);
}

function engineOf(base: string, digest: string): Promise<Engine> {
  let engine = engines.get(digest);
  if (engine === undefined) {
    engine = loadEngine(base, digest);
    engines.set(digest, engine);
    // Another try may have more luck.
    engine.catch(() => engines.delete(digest));
  }
  return engine;
}

async function layerOf(bundle: Bundle): Promise<Uint8Array> {
  const [compressed, promised] = [bundle.entries.get(LAYER), bundle.promised.get(LAYER)];
  let problem = `it has no entry \`${LAYER}\``;
  if (compressed && promised) {
    try {
      const layer = decompress(compressed, new Uint8Array(promised.size));
      if ((await sha256(layer as Uint8Array<ArrayBuffer>)) === promised.sha256) return layer;
      problem = `the entry \`${LAYER}\` does not have the digest that it must have`;
    } catch (error) {
      problem = `the entry \`${LAYER}\` cannot be decompressed: ${reasonOf(error)}`;
    }
  }
  throw new PipelineError("bundle", `the bundle \`${bundle.name}\` was altered after it was packed: ${problem}`, {
    hint: "copy it again from where it came from, or pack again",
  });
}

class WebHost implements PythonHost {
  readonly protocol: number;
  readonly #engine: Engine;
  readonly #layer: Uint8Array;

  constructor(engine: Engine, layer: Uint8Array) {
    this.protocol = engine.plan.protocol;
    this.#engine = engine;
    this.#layer = layer;
  }

  async instance(node: string): Promise<PythonInstance> {
    const instance = new WebInstance(node);
    await instance.start(this.#engine, this.#layer);
    return instance;
  }

  dispose(): void {
    // Interpreters are disposed of one by one, and the engine is kept for the next pipeline.
  }
}

interface Waiting {
  readonly resolve: (answer: Wire | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** An interpreter in a worker of its own, which can be stopped whatever it is at. */
class WebInstance implements PythonInstance {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #stopped: string | undefined;

  constructor(node: string) {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: `python: ${node}` });
    this.#worker.onmessage = ({ data }: MessageEvent<FromInterpreter>) => {
      this.#take(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#stop(`the interpreter's worker has stopped: ${event.message || "its script cannot be loaded"}`);
    };
  }

  async start(engine: Engine, layer: Uint8Array): Promise<void> {
    await this.#ask({ start: { engine, layer } }, []);
  }

  async call(operation: Operation, request: Wire): Promise<Wire> {
    const answer = await this.#ask({ operation, request }, transferable(request));
    if (answer === undefined) throw new Error("the interpreter's worker gave no answer");
    return answer;
  }

  dispose(): void {
    this.#stop("the interpreter was stopped");
  }

  #ask(message: ToInterpreter, transfer: Transferable[]): Promise<Wire | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#stopped !== undefined) {
        reject(new Error(this.#stopped));
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(message, transfer);
    });
  }

  #take(message: FromInterpreter): void {
    if ("line" in message) {
      // What nodes print is theirs to judge: nothing has gone wrong here.
      if (message.stream === "stderr") console.warn(message.line);
      else console.info(message.line);
    } else if ("stopped" in message) {
      this.#stop(message.stopped);
    } else {
      this.#waiting.shift()?.resolve("answer" in message ? message.answer : undefined);
    }
  }

  #stop(reason: string): void {
    this.#stopped ??= reason;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(this.#stopped));
  }
}

/** The memory of a request that is its own, and can move instead of being copied. */
function transferable({ payload, buffers }: Wire): Transferable[] {
  return [payload, ...buffers]
    .filter((bytes) => bytes.byteLength === bytes.buffer.byteLength)
    .map((bytes) => bytes.buffer as ArrayBuffer);
}
