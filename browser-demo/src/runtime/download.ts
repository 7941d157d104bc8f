/** Downloads files, and checks them. */
import type { Progress } from "./code.ts";
import { sha256 } from "./bundle.ts";
import { PipelineError, reasonOf } from "./errors.ts";

/** A file that was downloaded. */
export interface Download {
  readonly url: string;
  /** Its size in bytes, decompressed. */
  readonly size: number;
  /** How many bytes came over the network: 0 if the browser had it. */
  readonly transferred: number;
  /** How long that took. */
  readonly milliseconds: number;
}

/** What was downloaded in this thread since then, in milliseconds on its clock. */
export function downloadsHere(since = 0): readonly Download[] {
  const entries = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
  return entries.filter(({ startTime }) => startTime >= since).map(asDownload);
}

/** What the browser says about a download. */
export function asDownload({ name, decodedBodySize, transferSize, duration }: PerformanceResourceTiming): Download {
  return { url: name, size: decodedBodySize, transferred: transferSize, milliseconds: duration };
}

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

  /** Whether anybody wants to hear of it. */
  get isHeard(): boolean {
    return this.#onProgress !== undefined;
  }

  add(count: number): void {
    this.#loaded += count;
    this.#onProgress?.({ loaded: this.#loaded, total: Math.max(this.#loaded, this.#total) });
  }
}

/** What a server has at an address. Rejects with what `problem` makes of the reason if it cannot be had. */
export async function get(address: string | URL, problem: (reason: string) => Error): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address);
  } catch (error) {
    throw problem(reasonOf(error));
  }
  if (!response.ok) throw problem(`the server answered ${response.status} ${response.statusText}`);
  return response;
}

/** All of it. Rejects with what `problem` makes of the reason if it cannot be had, or not to its end. */
export async function getWhole(address: string | URL, problem: (reason: string) => Error): Promise<ArrayBuffer> {
  const response = await get(address, problem);
  try {
    return await response.arrayBuffer();
  } catch (error) {
    throw problem(`the download was cut off: ${reasonOf(error)}`);
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
  tally.expect(expected.size ?? 0);
  return checked(await getExpected(address, expected), expected, tally);
}

/**
 * A module of WebAssembly, compiled while it comes; from the response itself, as browsers keep what they compiled of nothing
 * else. Nobody gets it before it was found to have the SHA-256 that was expected. Rejects with a `load` error.
 */
export async function compileChecked(address: URL, expected: Expected, tally: Tally): Promise<WebAssembly.Module> {
  tally.expect(expected.size ?? 0);
  const response = await getExpected(address, expected);
  const copy = response.clone();
  const compiling = WebAssembly.compileStreaming(response);
  // Told when it is asked for, after what is wrong with the file.
  compiling.catch(() => undefined);
  await checked(copy, expected, tally);
  return compiling.catch((error: unknown) => {
    throw cannotLoad(expected, reasonOf(error));
  });
}

function getExpected(address: URL, expected: Expected): Promise<Response> {
  return get(address, (reason) => cannotLoad(expected, reason));
}

function cannotLoad({ name, absent }: Expected, reason: string): PipelineError {
  return new PipelineError("load", `${name} cannot be loaded: ${reason}`, { hint: absent });
}

async function checked(response: Response, expected: Expected, tally: Tally): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await read(response, expected, tally);
  if (bytes !== undefined && (await sha256(bytes)) === expected.sha256) return bytes;
  throw new PipelineError("load", `${expected.name} is not ${expected.meant}: its SHA-256 is another`, {
    causes: [`it has to be ${expected.sha256}`],
    hint: expected.other,
  });
}

/** The bytes of a response at once: one piece after the other keeps this thread from all else. */
async function whole(response: Response, expected: Expected): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw cannotLoad(expected, reasonOf(error));
  }
}

/** The bytes of a response; nothing if they are more or fewer than expected. */
async function read(
  response: Response,
  expected: Expected,
  tally: Tally,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!tally.isHeard) {
    const { headers } = response;
    const isOther =
      !headers.has("content-encoding") && Number(headers.get("content-length") ?? NaN) > (expected.size ?? Infinity);
    if (isOther) {
      await response.body?.cancel();
      return undefined;
    }
    const bytes = await whole(response, expected);
    return expected.size === undefined || expected.size === bytes.length ? bytes : undefined;
  }
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = response.body?.getReader();
  let promised = expected.size;
  if (promised === undefined) {
    promised = Number(response.headers.get("content-length") ?? 0);
    tally.expect(promised);
  }
  let length = 0;
  try {
    for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
      length += part.value.length;
      if (expected.size !== undefined && length > expected.size) {
        await reader?.cancel();
        return undefined;
      }
      parts.push(part.value);
      tally.add(part.value.length);
    }
  } catch (error) {
    throw cannotLoad(expected, reasonOf(error));
  }
  // A server may have compressed it, or not have said how long it is.
  tally.expect(length - promised);
  if (expected.size !== undefined && expected.size !== length) return undefined;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
