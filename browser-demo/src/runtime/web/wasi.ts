/**
 * The part of WASI 0.2 that CPython needs: clocks, random numbers, and what it prints. There are no files, arguments or
 * environment, and no network, as natively.
 *
 * Every function has the form that the canonical ABI gives it when a component imports it: numbers in, one number out, or
 * the address last at which to write the result.
 */

/** What an instance of the engine lends to the functions that it imports. */
export interface Guest {
  readonly memory: WebAssembly.Memory;
  /** Room for `size` bytes. */
  allocate(size: number, align: number): number;
}

/** The functions that an instance of the engine imports, and what belongs to them. */
export interface Wasi {
  /** By the names that a plan has for them. */
  readonly functions: ReadonlyMap<string, HostFunction>;
  /** Hand over what was printed without a line end, as after a call. */
  flush(): void;
}

/** Where what Python prints goes, line by line. */
export type OnLine = (stream: "stdout" | "stderr", line: string) => void;

type HostFunction = (...values: never[]) => number | bigint | undefined;

const STDIN = 1;
const STDOUT = 2;
const STDERR = 3;
/** Numbers of pollables begin here. */
const FIRST_POLLABLE = 16;
/** A line longer than this is handed over in pieces, so that a node that never ends a line does not fill the memory. */
const LONGEST_LINE = 64 << 10;
const NEWLINE = 0x0a;
const MILLION = 1_000_000n;
/** `access-denied` of the error codes of sockets. */
const ACCESS_DENIED = 1;

/** Python called `exit` of the C library. */
export class Exit extends Error {}

/** The host's side of an instance. */
export function wasi(guest: () => Guest, onLine: OnLine): Wasi {
  const view = () => new DataView(guest().memory.buffer);
  const output = { [STDOUT]: new Lines("stdout", onLine), [STDERR]: new Lines("stderr", onLine) };
  /** When each pollable is ready, on the monotonic clock. */
  const pollables = new Map<number, number>();
  let handles = FIRST_POLLABLE;
  const readyAt = (time: number) => {
    pollables.set(++handles, time);
    return handles;
  };
  const emptyList = (at: number) => {
    view().setUint32(at, 0, true);
    view().setUint32(at + 4, 0, true);
    return undefined;
  };
  const nothing = (at: number) => {
    view().setUint8(at, 0);
    return undefined;
  };
  const denied = (_: number, at: number) => {
    view().setUint8(at, 1);
    view().setUint8(at + 4, ACCESS_DENIED);
    return undefined;
  };
  const monotonic = () => BigInt(Math.round(performance.now() * 1000)) * 1000n;
  const waitUntil = (time: number) => {
    for (let left = time - performance.now(); left > 0; left = time - performance.now()) pause(left);
  };
  const functions: Readonly<Record<string, HostFunction>> = {
    "wasi:cli/environment@0.2.0#get-environment": emptyList,
    "wasi:cli/environment@0.2.0#get-arguments": emptyList,
    "wasi:filesystem/preopens@0.2.0#get-directories": emptyList,
    "wasi:cli/terminal-stdin@0.2.0#get-terminal-stdin": nothing,
    "wasi:cli/terminal-stdout@0.2.0#get-terminal-stdout": nothing,
    "wasi:cli/terminal-stderr@0.2.0#get-terminal-stderr": nothing,
    "wasi:cli/stdin@0.2.0#get-stdin": () => STDIN,
    "wasi:cli/stdout@0.2.0#get-stdout": () => STDOUT,
    "wasi:cli/stderr@0.2.0#get-stderr": () => STDERR,
    "wasi:cli/exit@0.2.0#exit": (status: number) => {
      throw new Exit(`exit(${status})`);
    },
    "wasi:clocks/monotonic-clock@0.2.0#now": monotonic,
    "wasi:clocks/monotonic-clock@0.2.0#resolution": () => 1000n,
    "wasi:clocks/monotonic-clock@0.2.0#subscribe-instant": (time: bigint) => readyAt(Number(time) / 1e6),
    "wasi:clocks/monotonic-clock@0.2.0#subscribe-duration": (time: bigint) =>
      readyAt(performance.now() + Number(time) / 1e6),
    "wasi:clocks/wall-clock@0.2.0#now": (at: number) => {
      const now = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
      view().setBigUint64(at, now / (1000n * MILLION), true);
      view().setUint32(at + 8, Number(now % (1000n * MILLION)), true);
      return undefined;
    },
    "wasi:clocks/wall-clock@0.2.0#resolution": (at: number) => {
      view().setBigUint64(at, 0n, true);
      view().setUint32(at + 8, 1000, true);
      return undefined;
    },
    "wasi:random/random@0.2.0#get-random-bytes": (wanted: bigint, at: number) => {
      const length = Number(wanted);
      const start = guest().allocate(length, 1);
      const bytes = new Uint8Array(guest().memory.buffer, start, length);
      // As much at once as browsers give.
      for (let from = 0; from < length; from += 65_536) crypto.getRandomValues(bytes.subarray(from, from + 65_536));
      view().setUint32(at, start, true);
      view().setUint32(at + 4, length, true);
      return undefined;
    },
    "wasi:io/poll@0.2.0#[method]pollable.block": (pollable: number) => {
      waitUntil(pollables.get(pollable) ?? 0);
      return undefined;
    },
    "wasi:io/poll@0.2.0#poll": (list: number, count: number, at: number) => {
      const memory = view();
      const times = Array.from(
        { length: count },
        (_, index) => pollables.get(memory.getUint32(list + 4 * index, true)) ?? 0,
      );
      waitUntil(Math.min(...times));
      const now = performance.now();
      const ready = times.flatMap((time, index) => (time <= now ? [index] : []));
      const start = guest().allocate(4 * ready.length, 4);
      ready.forEach((index, place) => {
        view().setUint32(start + 4 * place, index, true);
      });
      view().setUint32(at, start, true);
      view().setUint32(at + 4, ready.length, true);
      return undefined;
    },
    "wasi:io/streams@0.2.0#[method]input-stream.subscribe": () => readyAt(0),
    "wasi:io/streams@0.2.0#[method]output-stream.subscribe": () => readyAt(0),
    // Standard input is at its end.
    "wasi:io/streams@0.2.0#[method]input-stream.read": (_: number, __: bigint, at: number) => {
      view().setUint8(at, 1);
      view().setUint8(at + 4, 1);
      return undefined;
    },
    "wasi:io/streams@0.2.0#[method]output-stream.check-write": (_: number, at: number) => {
      view().setUint8(at, 0);
      view().setBigUint64(at + 8, BigInt(LONGEST_LINE), true);
      return undefined;
    },
    "wasi:io/streams@0.2.0#[method]output-stream.write": (
      stream: number,
      start: number,
      length: number,
      at: number,
    ) => {
      output[stream === STDERR ? STDERR : STDOUT].write(new Uint8Array(guest().memory.buffer, start, length));
      view().setUint8(at, 0);
      return undefined;
    },
    "wasi:io/streams@0.2.0#[method]output-stream.blocking-flush": (_: number, at: number) => {
      view().setUint8(at, 0);
      return undefined;
    },
    "wasi:sockets/instance-network@0.2.0#instance-network": () => 4,
    "wasi:sockets/tcp-create-socket@0.2.0#create-tcp-socket": denied,
    "wasi:sockets/udp-create-socket@0.2.0#create-udp-socket": denied,
    drop: (handle: number) => {
      pollables.delete(handle);
      return undefined;
    },
  };
  return {
    functions: new Map(Object.entries(functions)),
    flush() {
      for (const lines of [output[STDOUT], output[STDERR]]) lines.flush();
    },
  };
}

/** Text that comes in pieces, cut into lines. */
class Lines {
  readonly #stream: "stdout" | "stderr";
  readonly #onLine: OnLine;
  /** What has no line end yet. Bytes, as a piece may end inside a letter. */
  #parts: Uint8Array[] = [];
  #length = 0;

  constructor(stream: "stdout" | "stderr", onLine: OnLine) {
    this.#stream = stream;
    this.#onLine = onLine;
  }

  write(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, from);
      const to = newline < 0 ? bytes.length : newline + 1;
      // A copy: the guest will write something else there.
      this.#parts.push(bytes.slice(from, to));
      this.#length += to - from;
      if (newline >= 0 || this.#length >= LONGEST_LINE) this.flush();
      from = to;
    }
  }

  flush(): void {
    if (this.#length === 0) return;
    const line = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      line.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#length = 0;
    this.#onLine(this.#stream, new TextDecoder("utf-8", { ignoreBOM: true }).decode(line).replace(/[\r\n]+$/, ""));
  }
}

let sleeper: Int32Array | undefined;

/** Hold this thread for some milliseconds. */
function pause(milliseconds: number): void {
  // The memory of WebAssembly can be shared everywhere, not only where pages are isolated.
  sleeper ??= new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);
  Atomics.wait(sleeper, 0, 0, milliseconds);
}
