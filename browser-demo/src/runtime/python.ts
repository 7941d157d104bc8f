/**
 * What runs Python nodes: one interface for every host of them.
 *
 * The executor makes requests in the very form in which the guest takes them (`packager/engine/guest/_rm_guest.py`,
 * `dispatch`): the number of an operation, and its arguments as marshal data with buffers beside it. A host passes them to
 * an interpreter and the answer back, and looks into neither. What an answer means, what follows from an exception, when
 * a node sleeps or is made anew, is decided by the executor.
 */
import { decode, type Wire } from "./marshal.ts";

/** The version of the operations; the executor and every host must agree on it. */
export const PYTHON_PROTOCOL = 2;

/** What an interpreter is asked for here; mirrors `runtime/src/python/operation.rs`, where the arguments are described. */
export const Operation = {
  /** Asked by whoever restores a layer; the executor does not. */
  Resume: 6,
  Create: 8,
  Process: 9,
  Flush: 10,
  Cleanup: 11,
  Explain: 14,
  Generate: 15,
  ResumeNode: 16,
} as const;
export type Operation = (typeof Operation)[keyof typeof Operation];

/** Something for an interpreter to do. */
export interface Order {
  readonly operation: Operation;
  readonly wire: Wire;
  /** Whether it is to be passed over if what the interpreter did before it came to no plain end; see `isPlain`. */
  readonly isAhead: boolean;
}

/**
 * What became of an order: the guest's answer, exceptions included, or none if it was passed over. Its memory is from then on
 * whoever's asked.
 */
export interface Reply {
  readonly answer: Wire | undefined;
  /** How long the interpreter was at it. */
  readonly milliseconds: number;
}

/** One interpreter, with one node of a pipeline in it. */
export interface PythonInstance {
  /**
   * Ask for an operation, also before others are done: they are done one after the other.
   *
   * Rejects when the interpreter is gone: it then answers nothing any more, and the executor decides whether another one
   * takes its place.
   */
  call(order: Order): Promise<Reply>;
  /** Stop it at once, whatever it is at. */
  dispose(): void;
}

/** Something that makes interpreters with a bundle's code in them. */
export interface PythonHost {
  /** `PYTHON_PROTOCOL` of the guest in it. */
  readonly protocol: number;
  /** A fresh interpreter for a node; the executor's first request to it is `Create`. */
  instance(node: string): Promise<PythonInstance>;
  /** Free all that it has; no instance is used any more. */
  dispose(): void;
}

/** What a bundle says about the class behind a type of node. */
export interface PythonClass {
  readonly module: string;
  readonly class: string;
  readonly is_streaming: boolean;
  readonly is_source?: boolean;
}

/** What an answer with a list begins with, as marshal data: a tuple of two, `0` and the list; `runtime/src/python/answer.rs`. */
const LIST = [0x28, 2, 0, 0, 0, 0x69, 0, 0, 0, 0, 0x5b];

/** What bytes become where only their place matters. */
const NO_BYTES = new Uint8Array();

/** Whether an answer is a list of outputs that can be read: the node is done, and ready for its next item. */
export function isPlain(answer: Wire): boolean {
  if (!LIST.every((byte, index) => answer.payload[index] === byte)) return false;
  try {
    decode(answer, () => NO_BYTES);
    return true;
  } catch {
    return false;
  }
}
