/** The page: puts the parts together. */
import { examples } from "virtual:examples";
import { openBundle, PipelineError, startWorker, type Checked, type Item, type Runtime } from "../runtime/index.ts";
import { duration, element, make, size } from "./dom.ts";
import { showDownloads } from "./downloads.ts";
import { Editor } from "./editor.ts";
import { takeFiles, type Opened } from "./files.ts";
import { Graph } from "./graph.ts";
import { exampleBundle } from "./example-bundles.ts";
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
  const page: { runtime?: Runtime; runner?: Runner } = {};
  views(() => void showDownloads(page.runtime));
  try {
    const runtime = await startWorker({
      onProgress: ({ loaded, total }) => {
        if (total > 0) bar.value = loaded / total;
      },
      onPythonProgress: ({ loaded, total }) => {
        bar.hidden = loaded === total;
        bar.value = loaded / total;
        text.textContent =
          loaded === total ? `Python was downloaded: ${size(total)}.` : `Python: ${size(loaded)} of ${size(total)} …`;
      },
      onPrinted: (printed) => page.runner?.print(printed),
    });
    page.runtime = runtime;
    bar.hidden = true;
    const count = runtime.nodeTypes.length;
    const took = duration(performance.now() - begun);
    text.textContent = `Ready after ${took}: version ${runtime.version}, ${count} Rust nodes, no Python.`;
    void showDownloads(runtime);
    page.runner = pipeline(runtime);
    new Live(runtime);
  } catch (error) {
    bar.hidden = true;
    text.textContent = PipelineError.of(error, "load").report();
    text.classList.add("error");
  }
}

/** The view of pipelines. */
function pipeline(runtime: Runtime): Runner {
  const choice = element("example", HTMLSelectElement);
  const items = element("items", HTMLTextAreaElement);
  const note = element("opened", HTMLParagraphElement);
  const graph = new Graph(element("graph", HTMLDivElement));
  const editor = new Editor(runtime);
  /** The bundle that has the Python nodes of the manifest, and what stands in for the items. */
  const opened: { bundle?: Uint8Array<ArrayBuffer>; sound?: readonly Item[] } = {};
  const all = [
    ...examples.filter((example) => !example.hasPython),
    SOUND,
    ...examples.filter((each) => each.hasPython),
  ];

  const feed = () => {
    if (opened.sound) return { items: opened.sound };
    return { lines: items.value.split("\n").filter((line) => line.trim() !== "") };
  };
  const source = () => ({
    content: editor.text,
    file: editor.file,
    ...(opened.bundle !== undefined && { bundle: opened.bundle }),
  });
  const runner = new Runner(runtime, source, feed);
  runner.onMetrics = (metrics) => {
    graph.flow(metrics);
  };
  runner.onEnd = () => {
    graph.rest();
  };
  editor.onChecked = (checked: Checked) => {
    graph.draw(checked);
    runner.canRun = checked.troubles.length === 0;
  };
  items.addEventListener("input", () => {
    delete opened.sound;
  });

  for (const [index, { name, hasPython }] of all.entries()) {
    choice.append(make("option", { value: String(index) }, hasPython ? `${name} (with Python)` : name));
  }
  /** Take the Python nodes of a bundle, or none. */
  const take = async (bytes: Uint8Array<ArrayBuffer> | undefined, file: string) => {
    const bundle = bytes && (await openBundle(bytes, file));
    editor.classes = bundle?.nodes ?? new Map();
    delete opened.bundle;
    if (bytes) opened.bundle = bytes;
    return bundle;
  };
  const show = async () => {
    const example = all[choice.selectedIndex];
    if (example === undefined) return;
    delete opened.sound;
    items.value = example.input;
    note.textContent = "";
    try {
      const bundle = example.hasPython ? await exampleBundle(example.name) : undefined;
      // Somebody chose another one meanwhile.
      if (all[choice.selectedIndex] !== example) return;
      await take(bundle?.bytes, bundle?.file ?? "");
      if (bundle) note.textContent = `Its Python nodes are in ${bundle.file}. Python is downloaded when you run it.`;
    } catch (error) {
      note.textContent = PipelineError.of(error, "load").report();
    }
    await editor.show(example.manifest, example.file);
  };
  choice.addEventListener("change", () => void show());
  void show();

  takeFiles(
    (file) => {
      location.hash = "#pipeline";
      void open(file);
    },
    (error) => {
      note.textContent = error.report();
    },
  );

  return runner;

  async function open(file: Opened): Promise<void> {
    switch (file.kind) {
      case "manifest":
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
          const bundle = await take(file.bytes, file.file);
          if (bundle === undefined) return;
          note.textContent = `The bundle ${file.file}, checked; its content hash is ${bundle.content}.`;
          await editor.show(JSON.stringify(bundle.manifest, undefined, 2), `${file.file}.json`);
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
