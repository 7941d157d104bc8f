/** Explains what was downloaded. */
import { duration, element, make, size } from "./dom.ts";

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/rm_runtime.*\.wasm$/, "the executor: graph, scheduling and all Rust nodes, compiled to WebAssembly"],
  [/worker.*\.js$/, "the worker that the executor runs in"],
  [/capture.*\.js$/, "what takes sound out of the audio thread; asked for with the first sound"],
  [/\.js$/, "this page's script, with the examples"],
  [/\.css$/, "this page's looks"],
];

/** One file that was asked for. */
interface Row {
  readonly name: string;
  readonly what: string;
  readonly timing: PerformanceResourceTiming;
}

/** What the worker downloaded is in its own list; the page is told the address of the executor only. */
export function showDownloads(executor: { readonly url: URL; readonly size: number; readonly took: number }): void {
  const rows = [
    ...performance
      .getEntriesByType("navigation")
      .map((timing) => row(timing as PerformanceNavigationTiming, "this page")),
    ...performance
      .getEntriesByType("resource")
      .filter(({ name }) => !name.startsWith("data:"))
      .map((timing) => row(timing as PerformanceResourceTiming)),
  ];
  const cells = rows.map(({ name, what, timing }) => {
    const network = timing.transferSize === 0 ? "nothing, it was kept" : size(timing.transferSize);
    return tableRow(name, what, size(timing.decodedBodySize), network, duration(timing.duration));
  });
  const file = executor.url.pathname.split("/").at(-1) ?? "";
  if (executor.size > 0) {
    cells.push(tableRow(file, kindOf(file), size(executor.size), "by the worker", duration(executor.took)));
  }
  element("downloads-list", HTMLTableSectionElement).replaceChildren(...cells);
  const sum = rows.reduce((bytes, { timing }) => bytes + timing.decodedBodySize, executor.size);
  element("downloads-sum", HTMLParagraphElement).textContent = `${cells.length} files, ${size(sum)} in all.`;
}

function row(timing: PerformanceResourceTiming, what?: string): Row {
  const name = new URL(timing.name).pathname.split("/").at(-1) ?? "";
  return { name: name === "" ? "index.html" : name, what: what ?? kindOf(name), timing };
}

function tableRow(name: string, ...cells: readonly string[]): HTMLTableRowElement {
  return make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((cell) => make("td", {}, cell)));
}

function kindOf(name: string): string {
  return KINDS.find(([pattern]) => pattern.test(name))?.[1] ?? "something else";
}
