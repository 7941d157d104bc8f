/** The page: puts the parts together. */
import { examples } from "virtual:examples";
import { EXECUTOR, PipelineError, startWorker, type Checked, type Item, type Source } from "../runtime/index.ts";
import { duration, element, make } from "./dom.ts";
import { showDownloads } from "./downloads.ts";
import { Editor } from "./editor.ts";
import { takeFiles, type Opened } from "./files.ts";
import { Graph } from "./graph.ts";
import { Live } from "./live.ts";
import { Runner } from "./runner.ts";

/** An example of this page's own: the file on the page has no Python in it. */
const SOUND = {
  name: "sound level (drop a WAV file)",
  file: "sound-level.yaml",
  manifest: `version: v1
metadata: { name: sound-level }
nodes:
  - { id: resample, node_type: AudioResampleNode, params: { sample_rate: 16000 } }
  - { id: chunks, node_type: AudioChunkNode, params: { duration_ms: 100 } }
  - { id: level, node_type: AudioLevelNode }
connections:
  - { from: resample, to: chunks }
  - { from: chunks, to: level }
`,
  input: "",
  hasPython: false,
};

const VIEWS = ["pipeline", "live", "downloads"];

async function start(): Promise<void> {
  const text = element("engine-text", HTMLSpanElement);
  const bar = element("engine-progress", HTMLProgressElement);
  const begun = performance.now();
  const executor = { url: EXECUTOR, size: 0, took: 0 };
  views(() => {
    showDownloads(executor);
  });
  try {
    const runtime = await startWorker({
      onProgress: ({ loaded, total }) => {
        executor.size = loaded;
        if (total > 0) bar.value = loaded / total;
      },
    });
    executor.took = performance.now() - begun;
    showDownloads(executor);
    bar.hidden = true;
    const count = runtime.nodeTypes.length;
    text.textContent = `Ready after ${duration(executor.took)}: version ${runtime.version}, ${count} Rust nodes, no Python.`;
    pipeline(runtime);
    new Live(runtime);
  } catch (error) {
    bar.hidden = true;
    text.textContent = PipelineError.of(error, "load").report();
    text.classList.add("error");
  }
}

/** The view of pipelines. */
function pipeline(runtime: Awaited<ReturnType<typeof startWorker>>): void {
  const choice = element("example", HTMLSelectElement);
  const items = element("items", HTMLTextAreaElement);
  const note = element("opened", HTMLParagraphElement);
  const graph = new Graph(element("graph", HTMLDivElement));
  const editor = new Editor(runtime);
  /** What stands in for the editor's text, or for the items. */
  const opened: { bundle?: Source; sound?: readonly Item[] } = {};
  const all = [
    ...examples.filter((example) => !example.hasPython),
    SOUND,
    ...examples.filter((each) => each.hasPython),
  ];

  const feed = () => {
    if (opened.sound) return { items: opened.sound };
    return { lines: items.value.split("\n").filter((line) => line.trim() !== "") };
  };
  const source = () => opened.bundle ?? { content: editor.text, file: editor.file };
  const runner = new Runner(runtime, source, feed);
  runner.onMetrics = (metrics) => {
    graph.flow(metrics);
  };
  runner.onEnd = () => {
    graph.rest();
  };
  editor.onEdited = () => {
    delete opened.bundle;
  };
  editor.onChecked = (checked: Checked) => {
    graph.draw(checked);
    runner.canRun = checked.troubles.length === 0 || opened.bundle !== undefined;
  };
  items.addEventListener("input", () => {
    delete opened.sound;
  });

  for (const [index, { name, hasPython }] of all.entries()) {
    choice.append(make("option", { value: String(index) }, hasPython ? `${name} (needs Python)` : name));
  }
  const show = () => {
    const example = all[choice.selectedIndex];
    if (example === undefined) return;
    delete opened.bundle;
    delete opened.sound;
    items.value = example.input;
    note.textContent = example.hasPython
      ? "This example has nodes in Python. They run with `rm-pack run`; in the browser they will with a bundle for Pyodide or for the web, which this version does not have yet."
      : "";
    void editor.show(example.manifest, example.file);
  };
  choice.addEventListener("change", show);
  show();

  takeFiles(
    (file) => {
      location.hash = "#pipeline";
      void open(file);
    },
    (error) => {
      note.textContent = error.report();
    },
  );

  async function open(file: Opened): Promise<void> {
    switch (file.kind) {
      case "manifest":
        delete opened.bundle;
        note.textContent = `The manifest of ${file.file}.`;
        await editor.show(file.text, file.file);
        return;
      case "items":
        delete opened.sound;
        items.value = file.text;
        note.textContent = `The items of ${file.file}.`;
        return;
      case "sound":
        opened.sound = file.items;
        items.value = "";
        note.textContent = `The sound of ${file.file}: ${file.items.length} packets of 20 ms, in place of the items below.`;
        return;
      case "bundle":
        try {
          const loaded = await runtime.load(file.source);
          loaded.unload();
          opened.bundle = file.source;
          note.textContent = `The bundle ${file.file}, checked; its content hash is ${loaded.content ?? "unknown"}.`;
          await editor.show(JSON.stringify(loaded.manifest, undefined, 2), `${file.file}.json`);
        } catch (error) {
          note.textContent = PipelineError.of(error, "bundle").report();
        }
    }
  }
}

/** Shows one view at a time, by the address. */
function views(onDownloads: () => void): void {
  const show = () => {
    const wanted = location.hash.slice(1);
    const view = VIEWS.includes(wanted) ? wanted : "pipeline";
    for (const name of VIEWS) element(`view-${name}`, HTMLElement).hidden = name !== view;
    for (const link of document.querySelectorAll("nav a")) {
      if (link.getAttribute("href") === `#${view}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (view === "downloads") onDownloads();
  };
  addEventListener("hashchange", show);
  show();
}

void start();
