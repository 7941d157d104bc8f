/** Interpreters that are begun before anybody asks for them, whatever they are made of. */
import type { HostOptions } from "./hosts.ts";
import type { WorkerInterpreter } from "./interpreter.ts";

/** An interpreter that is on its way. */
export interface Begun<Step> {
  readonly interpreter: WorkerInterpreter<Step>;
  /** Rejects when it will never be of use. */
  readonly coming: Promise<unknown>;
}

/** The interpreter for a node that nobody has asked for yet. There is at most one of a kind in a thread. */
export class Spare<Step, B extends Begun<Step>> {
  #kept: { readonly from: string; readonly begun: B } | undefined;

  /** See to it that there is one for the next who needs what is at the address `from`. */
  warm(from: string, { disposed }: HostOptions, begin: () => B): void {
    if (disposed?.aborted || this.#of(from)) return;
    this.drop();
    const begun = begin();
    this.#kept = { from, begun };
    const drop = () => {
      if (this.#kept?.begun === begun) this.drop();
    };
    begun.coming.catch(drop);
    disposed?.addEventListener("abort", drop, { once: true });
  }

  /** The one that was begun for this address, for the caller alone; it tells `options` what it prints. */
  take(from: string, options: HostOptions): B | undefined {
    const begun = this.#of(from);
    if (begun === undefined) return undefined;
    this.#kept = undefined;
    begun.interpreter.listen(options);
    return begun;
  }

  /** What nobody will ask for. */
  drop(): void {
    this.#kept?.begun.interpreter.dispose();
    this.#kept = undefined;
  }

  #of(from: string): B | undefined {
    return this.#kept?.from === from && !this.#kept.begun.interpreter.isLost ? this.#kept.begun : undefined;
  }
}
