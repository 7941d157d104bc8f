/**
 * Python on the engine that also runs natively: the bundle is the very file that `rm-pack run` takes, its imports done when
 * it was packed.
 */
import type { Bundle } from "../bundle.ts";
import { PipelineError } from "../errors.ts";
import type { HostOptions } from "../hosts.ts";
import { WorkerHost } from "../interpreter.ts";
import { once } from "../once.ts";
import type { PythonHost } from "../python.ts";
import { type Engine, loadEngine } from "./engine.ts";
import { packedLayer } from "./layer.ts";
import type { Step } from "./worker.ts";

/** A host for a bundle's Python nodes. */
export async function webHost(bundle: Bundle, options: HostOptions): Promise<PythonHost> {
  const digest = bundle.engine?.digest;
  if (digest === undefined) throw new PipelineError("bundle", `the bundle \`${bundle.name}\` names no engine`);
  const last = async () => {
    const engine = await engineOf(digest, options);
    return { protocol: engine.plan.protocol, step: { engine } };
  };
  // The layer is unpacked in the interpreter's own worker, while the engine is downloaded here.
  const early = async () => ({ layer: await packedLayer(bundle) });
  return WorkerHost.begin<Step>(takeWorker, { early, last }, options);
}

/** Begin what is needed when a bundle will come that needs this engine: to download it, and a worker. */
export async function warm(digest: string, options: HostOptions): Promise<void> {
  spare ??= newWorker();
  await engineOf(digest, options);
}

/** A worker that was begun for a bundle that has not come yet. */
let spare: Worker | undefined;

function takeWorker(): Worker {
  const worker = spare ?? newWorker();
  spare = undefined;
  return worker;
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
