/** Explains what was downloaded. */
import { asDownload, type Download, type Runtime } from "../runtime/index.ts";
import { duration, element, make, size } from "./dom.ts";

const KINDS: readonly (readonly [RegExp, string])[] = [
  [
    /rm_runtime_rest.*\.wasm$/,
    "the rest of the executor: YAML, sound, text, Python; asked for when something needs it",
  ],
  [/rm_runtime.*\.wasm$/, "the executor: graph, scheduling and the smaller Rust nodes, compiled to WebAssembly"],
  [/rm_zstd.*\.wasm$/, "what reads zstd: for pipelines with Python nodes on the engine that also runs natively"],
  [/-web\/.*\.wasm$/, "a part of the Python engine, which also runs natively: for all pipelines with Python nodes"],
  [/-web\/engine\.json$/, "how the parts of the Python engine are put together"],
  [/\.rmpkg$/, "a bundle: an example's Python nodes, imported already"],
  [/bundles\/index\.json$/, "which bundles there are"],
  [/worker.*\.js$/, "a worker's script: the executor runs in one, and each Python node in another"],
  [/(host|interpreter).*\.js$/, "what runs Python nodes; asked for with the first of them"],
  [/capture.*\.js$/, "what takes sound out of the audio thread; asked for with the first sound"],
  [/\.js$/, "this page's script, with the examples"],
  [/\.css$/, "this page's looks"],
];

/** What was downloaded, by the page itself and by the worker of its runtime, if that is there. */
export async function showDownloads(runtime: Runtime | undefined): Promise<void> {
  const entries = [
    ...performance.getEntriesByType("navigation"),
    ...performance.getEntriesByType("resource").filter(({ name }) => !name.startsWith("data:")),
  ] as PerformanceResourceTiming[];
  const own = entries.map(asDownload);
  // What the page has downloaded for the runtime, both know.
  const others = ((await runtime?.downloads()) ?? []).filter(
    ({ url }) => !own.some((download) => download.url === url),
  );
  const all: readonly Download[] = [...own, ...others];
  const rows = all.map((download) => {
    const name = new URL(download.url).pathname.split("/").at(-1) ?? "";
    const network = download.transferred === 0 ? "nothing, it was kept" : size(download.transferred);
    const cells = [kindOf(download.url), size(download.size), network, duration(download.milliseconds)];
    const head = make("th", { scope: "row" }, name === "" ? "index.html" : name);
    return make("tr", {}, head, ...cells.map((cell) => make("td", {}, cell)));
  });
  element("downloads-list", HTMLTableSectionElement).replaceChildren(...rows);
  const sum = all.reduce((bytes, download) => bytes + download.size, 0);
  element("downloads-sum", HTMLParagraphElement).textContent = `${all.length} files, ${size(sum)} in all.`;
}

function kindOf(url: string): string {
  const { pathname } = new URL(url);
  if (pathname.endsWith("/") || pathname.endsWith(".html")) return "this page";
  return KINDS.find(([pattern]) => pattern.test(pathname))?.[1] ?? "something else";
}
