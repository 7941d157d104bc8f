/**
 * Memory on its way between threads: it is moved where it can be, and what is done with is used again, as new memory takes
 * longer to get than to fill.
 */
import type { Item, Value } from "./values.ts";

/** Moving memory to another thread costs more than copying a little of it. */
const MOVED_BYTES = 16 << 10;
/** How much is kept to be used again. */
const KEPT_BYTES = 8 << 20;
/** Lists and dictionaries longer than this are searched for memory only if they begin with some: it would cost more than it may save. */
const SEARCHED = 64;
/** How deep values are searched: sound in a list in a dictionary is three levels down, and its samples two more. */
const SEARCHED_LEVELS = 8;

/** What was moved here and is done with, the latest last. */
const kept: ArrayBuffer[] = [];

/** The memory that is better moved than copied. */
export function worthMoving(parts: readonly Uint8Array[]): ArrayBuffer[] {
  return parts.filter(({ byteLength }) => byteLength >= MOVED_BYTES).map(({ buffer }) => buffer as ArrayBuffer);
}

/** Take memory that was moved here, and that nobody will look at any more. */
export function recycle(buffers: readonly ArrayBuffer[]): void {
  for (const buffer of buffers) if (!kept.includes(buffer)) kept.push(buffer);
  let bytes = kept.reduce((sum, { byteLength }) => sum + byteLength, 0);
  while (bytes > KEPT_BYTES) bytes -= kept.shift()?.byteLength ?? bytes;
}

/** A copy, in memory of its own. */
export function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.length < MOVED_BYTES) return bytes.slice();
  const place = kept.findLastIndex(({ byteLength }) => byteLength === bytes.length);
  const [room] = place < 0 ? [] : kept.splice(place, 1);
  if (room === undefined) return bytes.slice();
  const copy = new Uint8Array(room);
  copy.set(bytes);
  return copy;
}

/** Bytes in memory of their own, which can be moved. */
export function alone(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
    ? (bytes as Uint8Array<ArrayBuffer>)
    : copyOf(bytes);
}

/** What came in with a call, and where an interpreter has it: what goes out takes that memory. */
export class CameIn {
  /** What nothing that goes out has taken yet. */
  readonly #left: { readonly bytes: Uint8Array; readonly address: number }[];

  /** Nothing may write to what is at the addresses. */
  constructor(buffers: readonly Uint8Array[], addresses: readonly number[]) {
    const all = buffers.map((bytes, index) => ({ bytes, address: addresses[index] ?? 0 }));
    this.#left = all.filter(({ bytes }) => bytes.length === bytes.buffer.byteLength);
  }

  /** A copy of so many bytes of an interpreter's memory. What a node passes on as it came is not copied again. */
  copyOf(memory: Uint8Array, address: number, length: number): Uint8Array {
    const same = this.#take((part) => part.address === address && part.bytes.length === length);
    if (same !== undefined) return same;
    const bytes = memory.subarray(address, address + length);
    const room = this.#take((part) => part.bytes.length === length);
    if (room === undefined) return bytes.slice();
    room.set(bytes);
    return room;
  }

  #take(isWanted: (part: { readonly bytes: Uint8Array; readonly address: number }) => boolean): Uint8Array | undefined {
    const place = this.#left.findIndex(isWanted);
    return place < 0 ? undefined : this.#left.splice(place, 1)[0]?.bytes;
  }
}

/** The memory in values that is better moved than copied. */
export function movable(values: Iterable<{ readonly value: Value }>): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  for (const { value } of values) {
    mapMemory(value, (part) => {
      if (isLarge(part) && part.buffer instanceof ArrayBuffer) found.add(part.buffer);
      return part;
    });
  }
  return [...found];
}

/**
 * Items with copies of what is large, and the memory of these, which can be moved: whoever gave the items keeps what is theirs. A part
 * of something larger is copied, too: what crosses to a worker takes all that it is part of with it.
 */
export function withCopies(items: readonly Item[]): { readonly items: readonly Item[]; readonly moved: ArrayBuffer[] } {
  const moved: ArrayBuffer[] = [];
  const copy: Change = (part) => {
    if (!isLarge(part) && part.byteLength === part.buffer.byteLength) return part;
    // Not `slice`, which is a view where npm's `Buffer` has it.
    const own = part instanceof Float32Array ? new Float32Array(part) : new Uint8Array(part);
    if (isLarge(part)) moved.push(own.buffer);
    return own as typeof part;
  };
  const copies = items.map((item) => {
    const value = mapMemory(item.value, copy);
    return value === item.value ? item : { ...item, value };
  });
  return { items: copies, moved };
}

type Memory = Uint8Array | Float32Array;
type Change = <T extends Memory>(memory: T) => T;

/** A value with the memory in it changed, as far as it is searched. */
function mapMemory(value: Value, change: Change, depth = 0): Value {
  if (value instanceof Uint8Array || (value as unknown) instanceof Float32Array) return change(value as Uint8Array);
  if (depth === SEARCHED_LEVELS || typeof value !== "object" || value === null) return value;
  const map = (part: Value) => mapMemory(part, change, depth + 1);
  if (Array.isArray(value)) {
    const list = value as readonly Value[];
    if (!isSearched(list.length, () => list[0])) return list;
    const parts = list.map(map);
    return parts.some((part, index) => part !== list[index]) ? parts : list;
  }
  if (!(value instanceof Map) && !isPlain(value)) return value;
  const entries = value instanceof Map ? [...(value as Map<Value, Value>)] : Object.entries(value as Dictionary);
  if (!isSearched(entries.length, () => entries[0]?.[1])) return value;
  const parts = entries.map(([key, part]) => [key, map(part)] as const);
  if (parts.every(([, part], index) => part === entries[index]?.[1])) return value;
  return value instanceof Map ? new Map(parts) : Object.fromEntries(parts as (readonly [string, Value])[]);
}

type Dictionary = Readonly<Record<string, Value>>;

/** Whether what holds so much is searched. */
function isSearched(length: number, first: () => Value | undefined): boolean {
  if (length <= SEARCHED) return true;
  let isFound = false;
  mapMemory(first() ?? null, (memory) => {
    isFound = true;
    return memory;
  });
  return isFound;
}

/** Whether an object is a dictionary, and not of a class: that is no value. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isLarge({ byteLength }: Memory): boolean {
  return byteLength >= MOVED_BYTES;
}
