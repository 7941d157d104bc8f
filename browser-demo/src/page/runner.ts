/** Runs what the editor holds: items in, outputs and metrics out while they come. */
import {
  type Item,
  type NodeMetrics,
  type OnError,
  type Output,
  PipelineError,
  type Printed,
  type Runtime,
  type Session,
  type Source,
} from "../runtime/index.ts";
import { duration, element, make } from "./dom.ts";

/** How many outputs stay on the page; all are counted. */
const SHOWN = 500;
/** How much of an output is shown. */
const LENGTH = 400;
/** How long an item waits for the next where they go one at a time, and how often metrics are asked for. */
const SLOWLY = 400;
const REFRESH = 150;

/** What a pipeline is fed with. */
export type Feed = { readonly lines: readonly string[] } | { readonly items: readonly Item[] };

export class Runner {
  readonly #runtime: Runtime;
  readonly #run = element("run", HTMLButtonElement);
  readonly #stop = element("stop", HTMLButtonElement);
  readonly #slowly = element("slowly", HTMLInputElement);
  readonly #onError = element("on-error", HTMLSelectElement);
  readonly #status = element("run-status", HTMLParagraphElement);
  readonly #error = element("run-error", HTMLPreElement);
  readonly #outputs = element("outputs", HTMLOListElement);
  readonly #metrics = element("metrics", HTMLTableSectionElement);
  #session: Session | undefined;
  #count = 0;
  #isStopped = false;
  /** Called while nodes are at work, and once after. */
  onMetrics: ((metrics: readonly NodeMetrics[]) => void) | undefined;

  /** Called when a run is over. */
  onEnd: (() => void) | undefined;

  constructor(runtime: Runtime, source: () => Source, feed: () => Feed) {
    this.#runtime = runtime;
    this.#run.addEventListener("click", () => void this.run(source(), feed()));
    this.#stop.addEventListener("click", () => {
      this.#isStopped = true;
      this.#session?.cancel();
    });
  }

  /** Whether there is something that could run. */
  set canRun(canRun: boolean) {
    this.#run.disabled = !canRun || this.#session !== undefined;
    this.#run.dataset["canRun"] = String(canRun);
  }

  async run(source: Source, feed: Feed): Promise<void> {
    this.#begin();
    const begun = performance.now();
    let timer: ReturnType<typeof setInterval> | undefined;
    let last: Session | undefined;
    try {
      const pipeline = await this.#runtime.load(source);
      const onError = this.#onError.value as OnError;
      const session = await pipeline.session({ asText: true, onError });
      pipeline.unload();
      this.#session = session;
      last = session;
      session.onReport = ({ policy, error }) => {
        this.#show(`${policy}: ${error.report()}`, "report");
      };
      this.#stop.disabled = false;
      timer = setInterval(() => void this.#refresh(session), REFRESH);
      const sending = this.#send(session, pipeline.takesInput ? feed : { lines: [] });
      for (let batch = await session.receive(); batch !== undefined; batch = await session.receive()) {
        for (const output of batch) this.#output(output);
        this.#status.textContent = `${outputs(this.#count)} so far …`;
        await this.#refresh(session);
      }
      await sending;
      const what = this.#isStopped ? "Stopped" : "Done";
      this.#status.textContent = `${what}: ${outputs(this.#count)} in ${duration(performance.now() - begun)}.`;
    } catch (error) {
      this.#fail(PipelineError.of(error, "stopped"));
    } finally {
      clearInterval(timer);
      this.#session = undefined;
      this.#stop.disabled = true;
      if (last) await this.#refresh(last);
      this.onEnd?.();
      this.#run.disabled = this.#run.dataset["canRun"] !== "true";
    }
  }

  /** Show a line that a Python node has printed. */
  print({ node, text }: Printed): void {
    this.#show(text, "printed", `printed by ${node}`);
  }

  #begin(): void {
    this.#run.disabled = true;
    this.#count = 0;
    this.#isStopped = false;
    this.#error.hidden = true;
    this.#outputs.replaceChildren();
    this.#metrics.replaceChildren();
    this.#status.textContent = "Running …";
  }

  /** Feed a session. An item that is none ends the feeding, and is told; what came before is worked on. */
  async #send(session: Session, feed: Feed): Promise<void> {
    const isSlow = this.#slowly.checked;
    const send = (from: number, to?: number) =>
      "lines" in feed ? session.sendLines(feed.lines.slice(from, to)) : session.send(feed.items.slice(from, to));
    const count = "lines" in feed ? feed.lines.length : feed.items.length;
    try {
      if (!isSlow) await send(0);
      for (let index = 0; isSlow && index < count && !this.#isStopped; index += 1) {
        await send(index, index + 1);
        await new Promise((resolve) => setTimeout(resolve, SLOWLY));
      }
    } catch (error) {
      const problem = PipelineError.of(error, "item");
      // What ended the pipeline is told when it is received from.
      if (problem.kind !== "closed") this.#fail(problem);
    }
    session.close();
  }

  async #refresh(session: Session): Promise<void> {
    // A worker that has stopped has no more to say.
    const metrics = await session.metrics().catch(() => undefined);
    if (metrics === undefined) return;
    this.onMetrics?.(metrics);
    const rows = metrics.map(({ node, count, results, p50, p95 }) => {
      const cells = [String(count), String(results), duration(p50), duration(p95)];
      return make("tr", {}, make("th", { scope: "row" }, node), ...cells.map((cell) => make("td", {}, cell)));
    });
    this.#metrics.replaceChildren(...rows);
  }

  #output({ node, output, value, sequence }: Output): void {
    this.#count += 1;
    const from = output === undefined ? node : `${node}, ${output}`;
    const text = typeof value === "string" ? value : "";
    this.#show(shorten(text), "output", `item ${sequence + 1}, from ${from}`);
  }

  #show(text: string, kind: string, title = ""): void {
    const line = make("li", { class: kind, value: String(this.#count) }, make("code", {}, text));
    if (title !== "") line.append(make("small", {}, ` ${title}`));
    this.#outputs.append(line);
    if (this.#outputs.childElementCount > SHOWN) this.#outputs.firstElementChild?.remove();
  }

  #fail(error: PipelineError): void {
    this.#error.textContent = error.report();
    this.#error.hidden = false;
    this.#status.textContent = `Failed after ${outputs(this.#count)}.`;
  }
}

/** An output's JSON text, as far as it is worth reading. */
function shorten(text: string): string {
  const sound = /^\{"\$audio":\{"sample_rate":(\d+),"channels":(\d+),"samples":"/.exec(text);
  if (sound) {
    const [head, rate = "1", channels = "1"] = sound;
    const bytes = ((text.length - head.length - 3) * 3) / 4;
    const frames = Math.floor(bytes / 4 / Number(channels));
    return `sound: ${frames} frames, ${rate} Hz, ${channels} ${channels === "1" ? "channel" : "channels"}`;
  }
  return text.length <= LENGTH ? text : `${text.slice(0, LENGTH)}… (${text.length} characters)`;
}

function outputs(count: number): string {
  return count === 1 ? "1 output" : `${count} outputs`;
}
