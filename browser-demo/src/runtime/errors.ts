/** What can go wrong. Every error says what, where, why, and what to do next, and crosses to a worker and back as data. */

/** One thing that is wrong with a manifest. */
export interface Trouble {
  /** Where in the document, such as `nodes[2].node_type`; empty for text that cannot be read. */
  readonly place: string;
  /** Where in the text, from 1, if that is known. */
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

/** A line of a Python traceback. */
export interface Frame {
  readonly file: string;
  readonly line: number;
  readonly function: string;
}

/** What kind of thing went wrong. */
export type ErrorKind =
  /** The manifest is none, or cannot run; `troubles` says where. */
  | "manifest"
  /** A bundle is damaged, of another version, or for another host. */
  | "bundle"
  /** An item is not what items are; `item` is its number, from 1. */
  | "item"
  /** A node failed; `node` and perhaps `item` say where. */
  | "node"
  /** The pipeline takes no more items: it was closed, or has ended. */
  | "closed"
  /** Nobody here runs Python. */
  | "python"
  /** An option is not what it may be. */
  | "option"
  /** Something could not be downloaded or started, or is nothing that can be. */
  | "load"
  /** Two parts of this package are of different versions. */
  | "version"
  /** The executor itself has stopped; a fresh one is needed. */
  | "stopped";

/** What is known about an error besides its message. */
export interface ErrorDetails {
  /** What it came of, outermost first. */
  readonly causes?: readonly string[];
  /** What to do about it. */
  readonly hint?: string;
  readonly troubles?: readonly Trouble[];
  readonly node?: string;
  readonly item?: number;
  readonly frames?: readonly Frame[];
}

/** An error as plain data. */
export interface ErrorData {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** Any error of this package. */
export class PipelineError extends Error {
  readonly kind: ErrorKind;
  readonly details: ErrorDetails;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message);
    this.name = "PipelineError";
    this.kind = kind;
    this.details = details;
  }

  static from(data: ErrorData): PipelineError {
    return new PipelineError(data.kind, data.message, data.details);
  }

  /** Whatever was thrown, as an error of this package. */
  static of(thrown: unknown, kind: ErrorKind): PipelineError {
    return thrown instanceof PipelineError ? thrown : new PipelineError(kind, reasonOf(thrown));
  }

  toData(): ErrorData {
    return { kind: this.kind, message: this.message, details: this.details };
  }

  /** All that is known, a line each. */
  report(): string {
    const { causes = [], hint } = this.details;
    const lines = [this.message, ...causes.flatMap((cause) => cause.split("\n").map((line) => `  ${line}`))];
    if (hint !== undefined) lines.push(`hint: ${hint}`);
    return lines.join("\n");
  }
}

/** What was thrown, in words. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
