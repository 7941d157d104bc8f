/** Draws a manifest's graph, from left to right by level, and what flows through it. */
import type { Checked, Manifest, NodeMetrics } from "../runtime/index.ts";
import { make } from "./dom.ts";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 176;
const HEIGHT = 58;
const GAP_X = 44;
const GAP_Y = 18;

interface Place {
  readonly x: number;
  readonly y: number;
}

/** What is drawn of a node that changes. */
interface Drawn {
  readonly box: SVGGElement;
  readonly count: SVGTextElement;
  seen: number;
}

export class Graph {
  readonly #frame: HTMLElement;
  readonly #nodes = new Map<string, Drawn>();

  constructor(frame: HTMLElement) {
    this.#frame = frame;
  }

  /** Draw a manifest, or say that there is none. */
  draw({ manifest, kinds }: Checked): void {
    this.#nodes.clear();
    if (manifest === undefined) {
      this.#frame.replaceChildren(make("p", { class: "note" }, "The graph is drawn when the manifest can be read."));
      return;
    }
    const { nodes, passes } = arrange(manifest);
    const [right, bottom] = [...nodes.values(), ...passes.flat()].reduce(
      ([x, y], place) => [Math.max(x, place.x + WIDTH), Math.max(y, place.y + HEIGHT)],
      [0, 0],
    );
    const svg = shape("svg", {
      viewBox: `-2 -2 ${right + 4} ${bottom + 4}`,
      width: String(right + 4),
      height: String(bottom + 4),
      role: "img",
      "aria-label": describe(manifest),
    });
    manifest.connections.forEach(({ from, to, output }, index) => {
      const [start, end] = [nodes.get(from), nodes.get(to)];
      if (start === undefined || end === undefined) return;
      svg.append(shape("path", { class: "edge", d: line(start, passes[index] ?? [], end) }));
      if (output !== undefined) svg.append(text(start.x + WIDTH + 4, start.y + HEIGHT / 2 - 6, "edge-name", output));
    });
    manifest.nodes.forEach(({ id, node_type }, index) => {
      const place = nodes.get(id) ?? { x: 0, y: 0 };
      const kind = kinds[index] ?? "unknown";
      const box = shape("g", { class: `node ${kind}`, transform: `translate(${place.x} ${place.y})` });
      const count = text(WIDTH - 10, 20, "count", "");
      box.append(
        shape("rect", { width: String(WIDTH), height: String(HEIGHT), rx: "8" }),
        text(10, 20, "id", cut(id, 18)),
        text(10, 36, "type", cut(node_type, 24)),
        text(10, 51, "kind", kind === "unknown" ? "not in this executor" : kind),
        count,
      );
      svg.append(box);
      this.#nodes.set(id, { box, count, seen: 0 });
    });
    this.#frame.replaceChildren(svg);
  }

  /** Show that nothing is at work any more. */
  rest(): void {
    for (const { box } of this.#nodes.values()) box.classList.remove("busy");
  }

  /** Show how much nodes have done, and which of them have since the last time. */
  flow(metrics: readonly NodeMetrics[]): void {
    for (const { node, count } of metrics) {
      const drawn = this.#nodes.get(node);
      if (drawn === undefined) continue;
      drawn.count.textContent = count === 0 ? "" : String(count);
      drawn.box.classList.toggle("busy", count > drawn.seen);
      drawn.seen = count;
    }
  }
}

/** What is where: nodes, and the places where connections pass the columns between their ends. */
interface Arrangement {
  readonly nodes: ReadonlyMap<string, Place>;
  /** For each connection, in order. */
  readonly passes: readonly (readonly Place[])[];
}

/** Columns by the longest way from the input; in each, nodes and what passes by in the manifest's order. */
function arrange({ nodes, connections }: Manifest): Arrangement {
  const levels = new Map<string, number>(nodes.map(({ id }) => [id, 0]));
  // There is no cycle, so that the longest way has fewer steps than there are nodes.
  for (let round = 0; round < nodes.length; round += 1) {
    for (const { from, to } of connections) {
      levels.set(to, Math.max(levels.get(to) ?? 0, (levels.get(from) ?? 0) + 1));
    }
  }
  const rows = new Map<number, number>();
  const place = (level: number): Place => {
    const row = rows.get(level) ?? 0;
    rows.set(level, row + 1);
    return { x: level * (WIDTH + GAP_X), y: row * (HEIGHT + GAP_Y) };
  };
  const places = new Map(nodes.map(({ id }) => [id, place(levels.get(id) ?? 0)] as const));
  const passes = connections.map(({ from, to }) => {
    const [first, last] = [levels.get(from) ?? 0, levels.get(to) ?? 0];
    return Array.from({ length: Math.max(0, last - first - 1) }, (_, step) => place(first + 1 + step));
  });
  return { nodes: places, passes };
}

/** A line from a node to another, past what lies between. */
function line(from: Place, passes: readonly Place[], to: Place): string {
  const middle = HEIGHT / 2;
  const points: Place[] = [{ x: from.x + WIDTH, y: from.y + middle }];
  for (const { x, y } of passes) points.push({ x, y: y + middle }, { x: x + WIDTH, y: y + middle });
  points.push({ x: to.x, y: to.y + middle });
  return points.reduce((path, { x, y }, index) => {
    const before = points[index - 1];
    if (before === undefined) return `M${x},${y}`;
    const half = (before.x + x) / 2;
    return `${path} C${half},${before.y} ${half},${y} ${x},${y}`;
  }, "");
}

/** The graph in words. */
function describe({ nodes, connections }: Manifest): string {
  const names = nodes.map(({ id, node_type }) => `${id} (${node_type})`).join(", ");
  const ways = connections.map(({ from, to }) => `${from} to ${to}`).join(", ");
  return `Nodes: ${names}.${ways === "" ? "" : ` Connections: ${ways}.`}`;
}

function shape<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>>,
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function text(x: number, y: number, name: string, content: string): SVGTextElement {
  const made = shape("text", { x: String(x), y: String(y), class: name });
  made.textContent = content;
  return made;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
