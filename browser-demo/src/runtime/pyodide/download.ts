/** Downloads files and checks them. */
import type { Progress } from "../abi.ts";
import { sha256 } from "../bundle.ts";
import { PipelineError, reasonOf } from "../errors.ts";

/** How several downloads go together. */
export class Tally {
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  #loaded = 0;
  #total = 0;

  constructor(onProgress: ((progress: Progress) => void) | undefined) {
    this.#onProgress = onProgress;
  }

  /** So many bytes more, or fewer, will come than was known. */
  expect(count: number): void {
    this.#total += count;
  }

  add(count: number): void {
    this.#loaded += count;
    this.#onProgress?.({ loaded: this.#loaded, total: Math.max(this.#loaded, this.#total) });
  }
}

/** What a file has to be, and what to say where it is not. */
export interface Expected {
  readonly sha256: string;
  /** In bytes, where it is known. */
  readonly size?: number;
  /** What it is, with its address. */
  readonly name: string;
  /** What it was to be that it is not, such as `the one that this page was built with`. */
  readonly meant: string;
  /** What to do about a file that is not there. */
  readonly absent: string;
  /** What to do about a file that is another one. */
  readonly other: string;
}

/** A file, which has the SHA-256 that was expected. Rejects with a `load` error. */
export async function fetchChecked(address: URL, expected: Expected, tally: Tally): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
    const promised = expected.size ?? Number(response.headers.get("content-length") ?? 0);
    tally.expect(promised);
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
      length += part.value.length;
      if (expected.size !== undefined && length > expected.size) {
        await reader?.cancel();
        break;
      }
      parts.push(part.value);
      tally.add(part.value.length);
    }
    // A server may have compressed it, or not have said how long it is.
    tally.expect(length - promised);
  } catch (error) {
    throw new PipelineError("load", `${expected.name} cannot be loaded: ${reasonOf(error)}`, { hint: expected.absent });
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  if (expected.size === undefined || expected.size === length) {
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    const found = await sha256(bytes);
    if (found === expected.sha256) return bytes;
  }
  throw new PipelineError("load", `${expected.name} is not ${expected.meant}: its SHA-256 is another`, {
    causes: [`it has to be ${expected.sha256}`],
    hint: expected.other,
  });
}
