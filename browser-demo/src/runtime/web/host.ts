/**
 * Python on the engine that also runs natively: the bundle is the very file that `rm-pack run` takes, its imports done when
 * it was packed.
 */
import type { Bundle } from "../bundle.ts";
import { PipelineError } from "../errors.ts";
import type { HostOptions } from "../hosts.ts";
import { InterpreterHost, type Starting, WorkerInterpreter } from "../interpreter.ts";
import type { PythonHost } from "../python.ts";
import { type Begun, Spare } from "../spare.ts";
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
    const [{ engine, taken: instantiated }, { layer, taken: unpacked }] = await Promise.all([begun.coming, given()]);
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
    const { interpreter, coming } = takeBegun(digest, options);
    const unpacked = takeQuietly(interpreter, { layer });
    const start = async () => {
      const { taken } = await coming;
      await Promise.all([taken, unpacked, interpreter.take(START)]);
    };
    return { interpreter, ready: start() };
  }
}

/** An interpreter that is given an engine when that is there. */
interface WithEngine extends Begun<Step> {
  readonly coming: Promise<Given>;
}

/** An engine that was given to an interpreter. */
interface Given {
  readonly engine: Engine;
  /** Settles when it was instantiated. */
  readonly taken: Promise<void>;
}

/** Begun with the download of an engine, and again when the one before has begun to work: for the next pipeline, or node. */
const spare = new Spare<Step, WithEngine>();

/**
 * See to it that there is an interpreter for the next that needs this engine. `files` are those of the engine that somebody
 * knows already.
 */
export function warm(digest: string, options: HostOptions, files: readonly EngineFile[] = []): void {
  spare.warm(addressOf(digest, options), options, () => begin(digest, options, files));
}

function addressOf(digest: string, { enginesURL = new URL("./", self.location.href).href }: HostOptions): string {
  return engineAddress(digest, enginesURL);
}

function takeBegun(digest: string, options: HostOptions): WithEngine {
  const begun = spare.take(addressOf(digest, options), options) ?? begin(digest, options, []);
  if (options.spare ?? true) {
    begun.interpreter.onFirstReply = () => {
      warm(digest, options);
    };
  }
  return begun;
}

function begin(digest: string, options: HostOptions, files: readonly EngineFile[]): WithEngine {
  const interpreter = new WorkerInterpreter<Step>(newWorker(), options);
  const given = async () => {
    const { onProgress } = options;
    const address = addressOf(digest, options);
    const engine = await engineAt(address, digest, { files, ...(onProgress && { onProgress }) });
    return { engine, taken: takeQuietly(interpreter, { engine }) };
  };
  // What bundles need beside the engine comes with it.
  zstdModule().catch(() => undefined);
  return { interpreter, coming: given() };
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
