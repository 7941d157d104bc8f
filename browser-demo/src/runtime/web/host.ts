/**
 * Python on the engine that also runs natively: the bundle is the very file that `rm-pack run` takes, its imports done when
 * it was packed.
 */
import type { Bundle } from "../bundle.ts";
import { PipelineError } from "../errors.ts";
import type { HostOptions } from "../hosts.ts";
import { WorkerHost, WorkerInterpreter } from "../interpreter.ts";
import { once } from "../once.ts";
import type { PythonHost } from "../python.ts";
import { type Engine, loadEngine } from "./engine.ts";
import { packedLayer } from "./layer.ts";
import type { Step } from "./worker.ts";

const START: Step = { start: true };

/** A host for a bundle's Python nodes. */
export async function webHost(bundle: Bundle, options: HostOptions): Promise<PythonHost> {
  const digest = bundle.engine?.digest;
  if (digest === undefined) throw new PipelineError("bundle", `the bundle \`${bundle.name}\` names no engine`);
  const { interpreter, engine: coming } = takeBegun(digest, options);
  const unpacked = async () => {
    const layer = await packedLayer(bundle);
    await interpreter.take({ layer });
    return layer;
  };
  try {
    const [engine, layer] = await Promise.all([coming, unpacked()]);
    const steps: Step[] = [{ engine }, { layer }, START];
    const first = { interpreter, ready: interpreter.take(START) };
    return new WorkerHost(engine.plan.protocol, { newWorker, steps, options }, first);
  } catch (error) {
    interpreter.dispose();
    throw PipelineError.of(error, "load");
  }
}

/** Begin what is needed when a bundle will come that needs this engine. */
export function warm(digest: string, options: HostOptions): void {
  if (spare?.digest === digest) return;
  spare?.interpreter.dispose();
  const begun = begin(digest, options);
  spare = begun;
  begun.engine.catch(() => {
    begun.interpreter.dispose();
    if (spare === begun) spare = undefined;
  });
}

/** An interpreter that takes an engine, when that is there. */
interface Begun {
  readonly digest: string;
  readonly interpreter: WorkerInterpreter<Step>;
  readonly engine: Promise<Engine>;
}

/** The one for a bundle that has not come yet. */
let spare: Begun | undefined;

function takeBegun(digest: string, options: HostOptions): Begun {
  if (spare?.digest !== digest) return begin(digest, options);
  const begun = spare;
  spare = undefined;
  return begun;
}

function begin(digest: string, options: HostOptions): Begun {
  const interpreter = new WorkerInterpreter<Step>(newWorker(), options);
  const taken = async () => {
    const engine = await engineOf(digest, options);
    await interpreter.take({ engine });
    return engine;
  };
  return { digest, interpreter, engine: taken() };
}

function newWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "python" });
}

/** An engine, which pipelines of a page share. */
function engineOf(digest: string, { enginesURL, onProgress }: HostOptions): Promise<Engine> {
  const base = enginesURL ?? new URL("./", self.location.href).href;
  const address = new URL(`engine-${digest}-web/`, base).href;
  return once(`engine ${address}`, () => loadEngine(address, digest, onProgress));
}
