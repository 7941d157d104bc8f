/** The worker's side: answers the requests of `protocol.ts` with a runtime in this thread. */
import type { Progress } from "./code.ts";
import { PipelineError, type ErrorKind } from "./errors.ts";
import { indexAddress } from "./folder.ts";
import { expect, give } from "./given.ts";
import { HOSTS, type Printed } from "./hosts.ts";
import { movable, recycle } from "./transfer.ts";
import { LocalRuntime, type LocalPipeline } from "./pipeline.ts";
import {
  isOurs,
  PROTOCOL,
  type FromWorker,
  type Method,
  type Methods,
  type ProgressMessage,
  type Request,
} from "./protocol.ts";
import type { LocalSession } from "./session.ts";
import type { Output } from "./values.ts";

type Handlers = {
  readonly [M in Method]: (
    ...parameters: Methods[M]["arguments"]
  ) => Methods[M]["result"] | Promise<Methods[M]["result"]>;
};

const scope = self as unknown as DedicatedWorkerGlobalScope;
const pipelines = new Map<number, LocalPipeline>();
const sessions = new Map<number, LocalSession>();
let opened: LocalRuntime | undefined;
let handles = 0;

const handlers: Handlers = {
  async open(code, { progressOf, ...options }) {
    const tellOf = (of: ProgressMessage["of"]) => (progress: Progress) => {
      post({ protocol: PROTOCOL, of, progress });
    };
    const onPrinted = (printed: Printed) => {
      post({ protocol: PROTOCOL, printed });
    };
    if (options.preload !== undefined) expect(indexAddress(options.preload));
    opened = await LocalRuntime.start(code, HOSTS, {
      ...options,
      ...(progressOf.includes("executor") && { onExecutor: tellOf("executor") }),
      ...(progressOf.includes("python") && { onProgress: tellOf("python") }),
      onPrinted,
    });
    return { version: opened.version, nodeTypes: opened.nodeTypes };
  },
  give({ address, value, coming = [] }) {
    coming.forEach(expect);
    give(address, value);
    return null;
  },
  check: (text, file, classes) => runtime().check(text, file, classes),
  async load(source) {
    const pipeline = await runtime().load(source);
    pipelines.set(++handles, pipeline);
    return { pipeline: handles, ...pipeline.info };
  },
  unload(handle) {
    pipelines.get(handle)?.unload();
    pipelines.delete(handle);
    return null;
  },
  async session(handle, options) {
    const pipeline = pipelines.get(handle);
    if (pipeline === undefined) throw new PipelineError("closed", "the pipeline was unloaded");
    const session = await pipeline.session(options);
    const own = ++handles;
    sessions.set(own, session);
    session.onReport = ({ policy, error }) => {
      post({ protocol: PROTOCOL, session: own, policy, report: error.toData() });
    };
    return own;
  },
  async send(handle, items) {
    await sessionOf(handle).send(items);
    // They came by themselves, and are in the executor's memory now.
    recycle(movable(items));
    return null;
  },
  async sendLines(handle, lines) {
    await sessionOf(handle).sendLines(lines);
    return null;
  },
  close(handle) {
    sessions.get(handle)?.close();
    return null;
  },
  async receive(handle) {
    return (await sessionOf(handle).receive()) ?? null;
  },
  metrics: (handle) => sessionOf(handle).metrics(),
  cancel(handle) {
    sessions.get(handle)?.cancel();
    return null;
  },
  forget(handle) {
    sessions.get(handle)?.cancel();
    sessions.delete(handle);
    return null;
  },
  downloads: () => runtime().downloads(),
  toJson: (value) => runtime().toJson(value),
  fromJson: (text) => runtime().fromJson(text),
};

function runtime(): LocalRuntime {
  if (opened === undefined) throw new PipelineError("load", "the worker was asked for something before it was opened");
  return opened;
}

function sessionOf(handle: number): LocalSession {
  const session = sessions.get(handle);
  if (session === undefined) throw new PipelineError("closed", "the session is over");
  return session;
}

function post(message: FromWorker, transfer: Transferable[] = []): void {
  scope.postMessage(message, transfer);
}

async function answer<M extends Method>({ id, method, arguments: parameters }: Request<M>): Promise<void> {
  const kind: ErrorKind = "stopped";
  try {
    const handler = handlers[method] as (...parameters: Methods[M]["arguments"]) => unknown;
    const result = await handler(...parameters);
    const isReceived = method === "receive" && result !== null;
    post({ protocol: PROTOCOL, id, result }, isReceived ? movable(result as readonly Output[]) : []);
  } catch (error) {
    post({ protocol: PROTOCOL, id, error: PipelineError.of(error, kind).toData() });
  }
}

scope.onmessage = ({ data }: MessageEvent<unknown>) => {
  if (isOurs(data)) {
    void answer(data as Request);
    return;
  }
  const { id, protocol } = data as { id?: number; protocol?: unknown };
  const error = new PipelineError("version", `the worker speaks version ${PROTOCOL}, the page ${String(protocol)}`, {
    hint: "the page and its worker are of different builds; load the page again",
  });
  post({ protocol: PROTOCOL, id: id ?? 0, error: error.toData() });
};
