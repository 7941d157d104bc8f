/**
 * Python on the engine that also runs natively: the bundle is the very file that `rm-pack run` takes, its imports done when
 * it was packed.
 */
import { type Bundle, sha256 } from "../bundle.ts";
import { PipelineError, reasonOf } from "../errors.ts";
import type { HostContext } from "../hosts.ts";
import { WorkerInterpreter } from "../interpreter.ts";
import { once } from "../once.ts";
import type { PythonHost, PythonInstance } from "../python.ts";
import { type Engine, loadEngine } from "./engine.ts";
import type { Start } from "./worker.ts";

const LAYER = "layer.zst";

/** A host for a bundle's Python nodes. */
export async function webHost(bundle: Bundle, context: HostContext): Promise<PythonHost> {
  const digest = bundle.engine?.digest;
  if (digest === undefined) throw new PipelineError("bundle", `the bundle \`${bundle.name}\` names no engine`);
  // Its scripts come while the engine does.
  const worker = startWorker();
  try {
    const [engine, layer] = await Promise.all([engineOf(digest, context), layerOf(bundle, context)]);
    return new WebHost({ engine, layer }, context, worker);
  } catch (error) {
    worker.terminate();
    throw error;
  }
}

function startWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "python" });
}

function engineOf(digest: string, { enginesURL, onProgress }: HostContext): Promise<Engine> {
  const base = enginesURL ?? new URL("./", self.location.href).href;
  const address = new URL(`engine-${digest}-web/`, base).href;
  // Pipelines of a page share it.
  return once(`engine ${address}`, () => loadEngine(address, digest, onProgress));
}

/** What an application changes in the memory of a fresh interpreter. */
export async function layerOf(bundle: Bundle, { decompress }: Pick<HostContext, "decompress">): Promise<Uint8Array> {
  const [compressed, promised] = [bundle.entries.get(LAYER), bundle.promised.get(LAYER)];
  let problem = `it has no entry \`${LAYER}\``;
  if (compressed && promised) {
    try {
      const layer = await decompress(compressed, promised.size);
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
  readonly #start: Start;
  readonly #context: HostContext;
  /** The first interpreter is made as soon as it can be: whoever loads a pipeline runs it. */
  #first: WorkerInterpreter<Start> | undefined;
  readonly #firstReady: Promise<void>;

  constructor(start: Start, context: HostContext, worker: Worker) {
    this.protocol = start.engine.plan.protocol;
    this.#start = start;
    this.#context = context;
    this.#first = new WorkerInterpreter<Start>(worker, "", context);
    this.#firstReady = this.#first.start(start);
    // Told when it is asked for.
    this.#firstReady.catch(() => undefined);
  }

  async instance(node: string): Promise<PythonInstance> {
    const first = this.#first;
    if (first !== undefined) {
      this.#first = undefined;
      first.node = node;
      await this.#firstReady;
      return first;
    }
    const instance = new WorkerInterpreter<Start>(startWorker(), node, this.#context);
    await instance.start(this.#start);
    return instance;
  }

  dispose(): void {
    // The others are disposed of one by one, and the engine is kept for the next pipeline.
    this.#first?.dispose();
    this.#first = undefined;
  }
}
