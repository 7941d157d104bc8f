/**
 * Values in the format of CPython's `marshal` module, version 2, with large buffers beside it: how values cross to the
 * executor, and from there to Python. The Rust side, `runtime/src/marshal/`, describes it.
 */
import { PipelineError } from "./errors.ts";
import { copyOf } from "./transfer.ts";
import { isRecord, type Value } from "./values.ts";

/** Marshal data, and the buffers that its placeholders count. */
export interface Wire {
  readonly payload: Uint8Array;
  readonly buffers: readonly Uint8Array[];
}

/** Texts up to this length are read and written here, where there is nothing but ASCII in them. */
const SHORT = 32;
/** Bytes at least this long travel beside the marshal data. */
const BUFFER_BYTES = 4096;
const MAX_DEPTH = 256;
const DIGIT_BITS = 15n;
const DIGIT_MASK = (1n << DIGIT_BITS) - 1n;

/** A tuple, which is no value of its own: executor and guest take their arguments as one. */
export class Tuple {
  readonly items: readonly Argument[];

  constructor(items: readonly Argument[]) {
    this.items = items;
  }
}

/** What stands in an argument: a value, or a tuple or list with tuples inside. */
export type Argument = Value | Tuple | readonly Argument[] | ReadonlyMap<string, Tuple>;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A value as marshal data. Throws an `item` error, with the place, for what is not a value. */
export function encode(value: Argument): Wire {
  const { payload, buffers } = encodeInPlace(value);
  return { payload: payload.slice(), buffers };
}

/** The same for whoever uses it at once: the payload lies where the next value will be encoded. */
export function encodeInPlace(value: Argument): Wire {
  const writer = new Writer();
  writer.value(value, 0, false);
  return { payload: writer.finish(), buffers: writer.buffers };
}

/** Where a writer writes. Making a fresh one for each value takes longer than writing most of them. */
let scratch = new DataView(new ArrayBuffer(1 << 12));
/** How much of it is kept after a large value. */
const KEPT_BYTES = 1 << 20;

class Writer {
  readonly buffers: Uint8Array[] = [];
  /** The keys and indices that lead to the value that is written, one for each level. */
  readonly #path: (string | number)[] = [];
  #view = scratch;
  #bytes = new Uint8Array(scratch.buffer);
  #length = 0;

  finish(): Uint8Array {
    if (this.#bytes.length <= KEPT_BYTES) scratch = this.#view;
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  #code(code: string): void {
    const at = this.#grow(1);
    this.#bytes[at] = code.charCodeAt(0);
  }

  #int32(value: number): void {
    const at = this.#grow(4);
    this.#view.setInt32(at, value, true);
  }

  #head(code: string, length: number): void {
    this.#code(code);
    this.#int32(length);
  }

  #raw(code: string, bytes: Uint8Array): void {
    this.#head(code, bytes.length);
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  #text(text: string): void {
    if (text.length <= SHORT && this.#ascii(text)) return;
    this.#raw("u", text.isWellFormed() ? encoder.encode(text) : encodeSurrogates(text));
  }

  /** Short texts, keys above all, are written faster by hand; whether this one was. */
  #ascii(text: string): boolean {
    const begin = this.#length;
    this.#head("u", text.length);
    const at = this.#grow(text.length);
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) {
        this.#length = begin;
        return false;
      }
      this.#bytes[at + index] = code;
    }
    return true;
  }

  #int(value: number | bigint): void {
    if (value >= -0x8000_0000 && value <= 0x7fff_ffff) {
      this.#head("i", Number(value));
      return;
    }
    const big = BigInt(value);
    const digits: number[] = [];
    for (let rest = big < 0n ? -big : big; rest > 0n; rest >>= DIGIT_BITS) digits.push(Number(rest & DIGIT_MASK));
    this.#head("l", big < 0n ? -digits.length : digits.length);
    for (const digit of digits) {
      const at = this.#grow(2);
      this.#view.setUint16(at, digit, true);
    }
  }

  #float(value: number): void {
    this.#code("g");
    const at = this.#grow(8);
    this.#view.setFloat64(at, value, true);
  }

  #placeholder(kind: string, buffer: Uint8Array, ...further: Argument[]): void {
    const index = this.buffers.push(buffer) - 1;
    this.#head(">", 1);
    this.value(new Tuple([kind, index, ...further]), 0, true);
  }

  #misfit(depth: number, problem: string): PipelineError {
    const steps = this.#path.slice(0, depth).map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`));
    return new PipelineError("item", `$${steps.join("")}: ${problem}`);
  }

  value(value: Argument, depth: number, isKey: boolean): void {
    if (depth > MAX_DEPTH) throw this.#misfit(depth, `nested deeper than ${MAX_DEPTH} levels`);
    switch (typeof value) {
      case "boolean":
        this.#code(value ? "T" : "F");
        return;
      case "number":
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.#int(value);
        else this.#float(value);
        return;
      case "bigint":
        this.#int(value);
        return;
      case "string":
        this.#text(value);
        return;
      case "object":
        break;
      default:
        throw this.#misfit(
          depth,
          `${(value as unknown) === undefined ? "undefined" : `a ${typeof value}`} is not a value`,
        );
    }
    if (value === null) {
      this.#code("N");
    } else if (value instanceof Uint8Array) {
      if (value.length >= BUFFER_BYTES && !isKey) this.#placeholder("bytes", value);
      else this.#raw("s", value);
    } else if (value instanceof Tuple) {
      this.#list("(", value.items, depth, isKey);
    } else if (Array.isArray(value)) {
      this.#list("[", value as readonly Argument[], depth, isKey);
    } else if (value instanceof Map) {
      this.#code("{");
      for (const [key, entry] of value as Map<Value, Value>) {
        this.#path[depth] = typeof key === "string" ? key : "(key)";
        this.value(key, depth + 1, true);
        this.value(entry, depth + 1, isKey);
      }
      this.#code("0");
    } else {
      this.#record(value as Readonly<Record<string, Value>>, depth, isKey);
    }
  }

  #list(code: string, items: readonly Argument[], depth: number, isKey: boolean): void {
    this.#head(code, items.length);
    // Not `forEach`, which passes over holes: what is missing there is undefined.
    for (let index = 0; index < items.length; index += 1) {
      this.#path[depth] = index;
      this.value(items[index] as Argument, depth + 1, isKey);
    }
  }

  #record(record: Readonly<Record<string, Value>>, depth: number, isKey: boolean): void {
    const prototype: unknown = Object.getPrototypeOf(record);
    if (prototype !== Object.prototype && prototype !== null) {
      throw this.#misfit(depth, `an object of the class ${record.constructor.name} is not a value`);
    }
    const keys = Object.keys(record);
    const [only] = keys;
    if (keys.length === 1 && only?.startsWith("$") === true) {
      this.#form(only, record[only] ?? null, depth);
      return;
    }
    this.#code("{");
    for (const key of keys) {
      const entry = record[key];
      if (entry === undefined) continue;
      this.#text(key);
      this.#path[depth] = key;
      this.value(entry, depth + 1, isKey);
    }
    this.#code("0");
  }

  /** What an object with a single key that begins with `$` stands for. */
  #form(name: string, body: Value, depth: number): void {
    if (name === "$float" && typeof body === "number") {
      this.#float(body);
      return;
    }
    if (isRecord(body)) {
      const { sample_rate, channels, samples, width, height, format, data, shape, dtype } = body as Record<
        string,
        unknown
      >;
      if (name === "$audio" && samples instanceof Float32Array && isCount(sample_rate) && isCount(channels)) {
        this.#placeholder("audio", bytesOf(samples), sample_rate, channels);
        return;
      }
      if (data instanceof Uint8Array) {
        if (name === "$video" && isCount(width) && isCount(height) && typeof format === "string") {
          this.#placeholder("video", data, width, height, format);
          return;
        }
        if (name === "$tensor" && Array.isArray(shape) && shape.every(isCount) && typeof dtype === "string") {
          this.#placeholder("tensor", data, dtype, new Tuple(shape));
          return;
        }
      }
    }
    throw this.#misfit(
      depth,
      `\`${name}\` does not hold what it should; a dictionary with this as its only key is written as a Map`,
    );
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function bytesOf(samples: Float32Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}

/** UTF-8 in which lone surrogates are encoded too. */
function encodeSurrogates(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xd800 && code <= 0xdfff) {
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    } else {
      bytes.push(...encoder.encode(character));
    }
  }
  return Uint8Array.from(bytes);
}

/** The value in marshal data. Throws a `version` error for what the executor never writes. `copy` is how it gets its bytes. */
export function decode(wire: Wire, copy = copyOf): Value {
  const reader = new Reader(wire, copy);
  const value = reader.value();
  if (!reader.isAtEnd) throw reader.odd("bytes are left over");
  return value;
}

const END = Symbol("end of a dictionary");

class Reader {
  readonly #payload: Uint8Array;
  readonly #view: DataView;
  readonly #buffers: readonly Uint8Array[];
  readonly #copy: typeof copyOf;
  #at = 0;

  constructor({ payload, buffers }: Wire, copy: typeof copyOf) {
    this.#payload = payload;
    this.#view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#buffers = buffers;
    this.#copy = copy;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#payload.length;
  }

  odd(what: string): PipelineError {
    return new PipelineError("version", `the executor answered with something unknown: ${what} at byte ${this.#at}`, {
      hint: "the page and the executor are of different builds; load the page again",
    });
  }

  #take(count: number): number {
    const at = this.#at;
    this.#at += count;
    if (count < 0 || this.#at > this.#payload.length) throw this.odd("too few bytes");
    return at;
  }

  #int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  #bytes(): Uint8Array {
    const length = this.#int32();
    const at = this.#take(length);
    return this.#payload.subarray(at, at + length);
  }

  value(): Value {
    const value = this.#next();
    if (value === END) throw this.odd("an end without a dictionary");
    return value;
  }

  #next(): Value | typeof END {
    const code = String.fromCharCode(this.#payload[this.#take(1)] ?? 0);
    switch (code) {
      case "N":
        return null;
      case "T":
        return true;
      case "F":
        return false;
      case "0":
        return END;
      case "i":
        return this.#int32();
      case "l":
        return this.#long();
      case "g":
        return this.#view.getFloat64(this.#take(8), true);
      case "u":
        return this.#text();
      case "s":
        return this.#copy(this.#bytes());
      case "(":
      case "[":
        return this.#list();
      case "{":
        return this.#dictionary();
      case ">":
        return this.#placeholder();
      default:
        throw this.odd(`the type ${JSON.stringify(code)}`);
    }
  }

  #text(): string {
    const length = this.#int32();
    const at = this.#take(length);
    if (length <= SHORT) {
      let text = "";
      for (let index = at; index < this.#at; index += 1) {
        const code = this.#payload[index] ?? 0;
        if (code >= 0x80) return decodeText(this.#payload.subarray(at, this.#at));
        text += String.fromCharCode(code);
      }
      return text;
    }
    return decodeText(this.#payload.subarray(at, this.#at));
  }

  #list(): Value[] {
    const items: Value[] = [];
    for (let left = this.#int32(); left > 0; left -= 1) items.push(this.value());
    return items;
  }

  #long(): number | bigint {
    const count = this.#int32();
    let value = 0n;
    for (let index = 0; index < Math.abs(count); index += 1) {
      value |= BigInt(this.#view.getUint16(this.#take(2), true)) << (DIGIT_BITS * BigInt(index));
    }
    if (count < 0) value = -value;
    const small = Number(value);
    return Number.isSafeInteger(small) ? small : value;
  }

  #dictionary(): Value {
    const [keys, values]: [Value[], Value[]] = [[], []];
    let isPlain = true;
    for (let key = this.#next(); key !== END; key = this.#next()) {
      isPlain &&= typeof key === "string" && key !== "__proto__";
      keys.push(key);
      values.push(this.value());
    }
    const [only] = keys;
    const isForm = keys.length === 1 && typeof only === "string" && only.startsWith("$");
    if (!isPlain || isForm) return new Map(keys.map((key, index) => [key, values[index] ?? null]));
    const record: Record<string, Value> = {};
    (keys as string[]).forEach((key, index) => {
      record[key] = values[index] ?? null;
    });
    return record;
  }

  #placeholder(): Value {
    if (this.#int32() !== 1) throw this.odd("a set");
    const parts = this.value();
    const [kind, index, first, second, third] = Array.isArray(parts) ? (parts as Value[]) : [];
    const buffer = typeof index === "number" ? this.#buffers[index] : undefined;
    if (buffer === undefined) throw this.odd("a placeholder without its buffer");
    switch (kind) {
      case "bytes":
        return this.#copy(buffer);
      case "audio": {
        // The buffer itself may lie at an address where no float can.
        const samples = new Float32Array(this.#copy(buffer).buffer);
        return { $audio: { sample_rate: first as number, channels: second as number, samples } };
      }
      case "video":
        return {
          $video: {
            width: first as number,
            height: second as number,
            format: third as string,
            data: this.#copy(buffer),
          },
        };
      case "tensor":
        return { $tensor: { dtype: first as string, shape: second as number[], data: this.#copy(buffer) } };
      default:
        throw this.odd("a placeholder of an unknown kind");
    }
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return decodeSurrogates(bytes);
  }
}

function decodeSurrogates(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] ?? 0;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first === 0xed && ((bytes[at + 1] ?? 0) & 0x20) !== 0) {
      const [second = 0, third = 0] = bytes.subarray(at + 1, at + 3);
      text += String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f));
    } else {
      text += new TextDecoder().decode(bytes.subarray(at, at + length));
    }
    at += length;
  }
  return text;
}
