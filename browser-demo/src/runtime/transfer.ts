/**
 * Memory on its way between threads: it is moved where it can be, and what is done with is used again, as new memory takes
 * longer to get than to fill.
 */
import { isRecord, type Item, type Value } from "./values.ts";

/** Moving memory to another thread costs more than copying a little of it. */
const MOVED_BYTES = 16 << 10;
/** How much is kept to be used again. */
const KEPT_BYTES = 8 << 20;
/** Lists and dictionaries longer than this are not searched for what is large: that would cost more than it may save. */
const SEARCHED = 64;

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
    mapLarge(value, (large) => {
      if (large.buffer instanceof ArrayBuffer) found.add(large.buffer);
      return large;
    });
  }
  return [...found];
}

/** Items with copies of what is large, and the memory of these, which can be moved: whoever gave the items keeps what is theirs. */
export function withCopies(items: readonly Item[]): { readonly items: readonly Item[]; readonly moved: ArrayBuffer[] } {
  const moved: ArrayBuffer[] = [];
  const copy: Change = (large) => {
    // Not `slice`, which is a view where npm's `Buffer` has it.
    const own = large instanceof Float32Array ? new Float32Array(large) : new Uint8Array(large);
    moved.push(own.buffer);
    return own as typeof large;
  };
  const copies = items.map((item) => {
    const value = mapLarge(item.value, copy);
    return value === item.value ? item : { ...item, value };
  });
  return { items: copies, moved };
}

type Change = <T extends Uint8Array | Float32Array>(large: T) => T;

/** A value with what is large in it changed: the value itself, or what a list or dictionary of values holds. */
function mapLarge(value: Value, change: Change): Value {
  if (Array.isArray(value)) {
    const list = value as readonly Value[];
    if (list.length > SEARCHED) return list;
    const items = list.map((item) => mapMedia(item, change));
    return items.some((item, index) => item !== list[index]) ? items : list;
  }
  const changed = mapMedia(value, change);
  if (changed !== value || !isRecord(value)) return changed;
  const entries = Object.entries(value as Readonly<Record<string, Value>>);
  if (entries.length > SEARCHED) return value;
  const parts = entries.map(([key, part]) => [key, mapMedia(part, change)] as const);
  return parts.some(([, part], index) => part !== entries[index]?.[1]) ? Object.fromEntries(parts) : value;
}

/** The same for bytes, sound, pictures and tensors. */
function mapMedia(value: Value, change: Change): Value {
  if (value instanceof Uint8Array) return isLarge(value) ? change(value) : value;
  if (!isRecord(value)) return value;
  for (const [form, field] of MEDIA) {
    const media = (value as Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>)[form];
    const part = media?.[field];
    if (!isLarge(part)) continue;
    const changed = change(part);
    return changed === part ? value : ({ ...value, [form]: { ...media, [field]: changed } } as unknown as Value);
  }
  return value;
}

/** The forms of `values.ts` that have memory of their own, and where. */
const MEDIA = [
  ["$audio", "samples"],
  ["$video", "data"],
  ["$tensor", "data"],
] as const;

function isLarge(part: unknown): part is Uint8Array | Float32Array {
  return (part instanceof Uint8Array || part instanceof Float32Array) && part.byteLength >= MOVED_BYTES;
}
