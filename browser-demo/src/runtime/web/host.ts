/**
 * Python on the engine that also runs natively: the bundle is the very file that `rm-pack run` takes, its imports done when
 * it was packed.
 */
import type { Bundle } from "../bundle.ts";
import { PipelineError } from "../errors.ts";
import type { HostOptions } from "../hosts.ts";
import { InterpreterHost, type Starting, WorkerInterpreter } from "../interpreter.ts";
import type { PythonHost } from "../python.ts";
import { zstdModule } from "../zstd.ts";
import { type Engine, engineAddress, engineAt, type EngineFile } from "./engine.ts";
import { type PackedLayer, packedLayer } from "./layer.ts";
import type { Step } from "./worker.ts";

const START: Step = { start: true };

/** A host for a bundle's Python nodes. */
export async function webHost(bundle: Bundle, options: HostOptions): Promise<PythonHost> {
  const digest = bundle.engine?.digest;
  if (digest === undefined) throw new PipelineError("bundle", `the bundle \`${bundle.name}\` names no engine`);
  const begun = takeBegun(digest, options);
  const { interpreter } = begun;
  // Each is given to the interpreter as soon as it is there.
  const given = async () => {
    const layer = await packedLayer(bundle);
    return { layer, taken: takeQuietly(interpreter, { layer }) };
  };
  try {
    const [{ engine, taken: instantiated }, { layer, taken: unpacked }] = await Promise.all([begun.engine, given()]);
    const ready = takeQuietly(interpreter, START);
    await Promise.all([instantiated, unpacked]);
    const application = { digest, layer, options };
    return new WebHost(engine.plan.protocol, application, { interpreter, ready });
  } catch (error) {
    interpreter.dispose();
    throw PipelineError.of(error, "load");
  }
}

/** What the interpreters of a host have in them. */
interface Application {
  readonly digest: string;
  readonly layer: PackedLayer;
  readonly options: HostOptions;
}

class WebHost extends InterpreterHost<Step> {
  readonly #application: Application;

  constructor(protocol: number, application: Application, first: Starting<Step>) {
    super(protocol, first);
    this.#application = application;
  }

  protected override another(): Starting<Step> {
    const { digest, layer, options } = this.#application;
    const { interpreter, engine } = takeBegun(digest, options);
    const unpacked = takeQuietly(interpreter, { layer });
    const start = async () => {
      const { taken } = await engine;
      await Promise.all([taken, unpacked, interpreter.take(START)]);
    };
    return { interpreter, ready: start() };
  }
}

/** An interpreter that is given an engine when that is there. */
interface Begun {
  /** Of the engine. */
  readonly address: string;
  readonly interpreter: WorkerInterpreter<Step>;
  readonly engine: Promise<Given>;
}

/** An engine that was given to an interpreter. */
interface Given {
  readonly engine: Engine;
  /** Settles when it was instantiated. */
  readonly taken: Promise<void>;
}

/**
 * An interpreter for a node that nobody has asked for yet. There is at most one in a thread: it is begun with the download
 * of an engine, and again when the one before it has begun to work, for the next pipeline, or the next node of this one.
 */
let spare: Begun | undefined;

/**
 * See to it that there is an interpreter for the next that needs this engine. `files` are those of the engine that somebody
 * knows already.
 */
export function warm(digest: string, options: HostOptions, files: readonly EngineFile[] = []): void {
  const { disposed } = options;
  if (disposed?.aborted || (spare?.address === addressOf(digest, options) && !spare.interpreter.isLost)) return;
  spare?.interpreter.dispose();
  const begun = begin(digest, options, files);
  spare = begun;
  const drop = () => {
    if (spare !== begun) return;
    spare = undefined;
    begun.interpreter.dispose();
  };
  begun.engine.catch(drop);
  disposed?.addEventListener("abort", drop, { once: true });
}

function addressOf(digest: string, { enginesURL = new URL("./", self.location.href).href }: HostOptions): string {
  return engineAddress(digest, enginesURL);
}

function takeBegun(digest: string, options: HostOptions): Begun {
  let begun = spare;
  if (begun?.address === addressOf(digest, options) && !begun.interpreter.isLost) spare = undefined;
  else begun = begin(digest, options, []);
  const { interpreter } = begun;
  interpreter.listen(options);
  if (options.spare ?? true) {
    interpreter.onFirstReply = () => {
      warm(digest, options);
    };
  }
  return begun;
}

function begin(digest: string, options: HostOptions, files: readonly EngineFile[]): Begun {
  const address = addressOf(digest, options);
  const interpreter = new WorkerInterpreter<Step>(newWorker(), options);
  const given = async () => {
    const { onProgress } = options;
    const engine = await engineAt(address, digest, { files, ...(onProgress && { onProgress }) });
    return { engine, taken: takeQuietly(interpreter, { engine }) };
  };
  // What bundles need beside the engine comes with it.
  zstdModule().catch(() => undefined);
  return { address, interpreter, engine: given() };
}

/** What goes wrong is told to whoever waits for it, which may be nobody. */
function takeQuietly(interpreter: WorkerInterpreter<Step>, step: Step): Promise<void> {
  const taken = interpreter.take(step);
  taken.catch(() => undefined);
  return taken;
}

function newWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "python" });
}
