/** How long nodes are at work, in a fixed amount of memory. */

/** What is known about a node's work. */
export interface NodeMetrics {
  readonly node: string;
  /** How many pieces of work it has done: items, and the end of the stream. */
  readonly count: number;
  /** How many outputs it gave that left the pipeline. */
  readonly results: number;
  /** Half of the pieces took at most so many milliseconds, and nineteen of twenty; `null` before the first. */
  readonly p50: number | null;
  readonly p95: number | null;
}

/** The lower end of the first bucket in milliseconds, and how many buckets double it: 16 of them are 4.4 % each. */
const LOWEST = 0.0005;
const PER_DOUBLING = 16;
const BUCKETS = 27 * PER_DOUBLING;

/** Counts durations in buckets whose widths grow with them. */
export class Histogram {
  readonly #buckets = new Uint32Array(BUCKETS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(milliseconds: number): void {
    const bucket = Math.floor(Math.log2(Math.max(milliseconds, LOWEST) / LOWEST) * PER_DOUBLING);
    const index = Math.min(bucket, BUCKETS - 1);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
    this.#count += 1;
  }

  /** What this part of the durations does not exceed, up to a bucket's width. */
  quantile(part: number): number | null {
    if (this.#count === 0) return null;
    let left = Math.ceil(part * this.#count);
    for (const [index, count] of this.#buckets.entries()) {
      left -= count;
      if (left <= 0) return index === 0 ? 0 : LOWEST * 2 ** ((index + 1) / PER_DOUBLING);
    }
    return null;
  }
}

/** The work of a run's nodes. */
export class RunMetrics {
  readonly #nodes: readonly { readonly id: string; readonly work: Histogram; results: number }[];

  constructor(ids: readonly string[]) {
    this.#nodes = ids.map((id) => ({ id, work: new Histogram(), results: 0 }));
  }

  worked(node: number, milliseconds: number): void {
    this.#nodes[node]?.work.add(milliseconds);
  }

  gave(node: number): void {
    const state = this.#nodes[node];
    if (state) state.results += 1;
  }

  snapshot(): NodeMetrics[] {
    return this.#nodes.map(({ id, work, results }) => {
      return { node: id, count: work.count, results, p50: work.quantile(0.5), p95: work.quantile(0.95) };
    });
  }
}
