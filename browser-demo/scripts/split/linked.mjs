// What the linker says about a module of WebAssembly that it was asked to keep relocations for (`--emit-relocs`): which function
// mentions which piece of data, and which piece holds the address of another. The format is that of the tool conventions:
// https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md

const CODE = 10;
const DATA = 11;
const IMPORT = 2;
const CUSTOM = 0;
const SEGMENT_INFO = 5;
const SYMBOL_TABLE = 8;
const KIND = { function: 0, data: 1, global: 2, section: 3, tag: 4, table: 5 };
const UNDEFINED = 0x10;
const EXPLICIT_NAME = 0x40;
/** Relocations that hold an address in memory: R_WASM_MEMORY_ADDR_LEB, _SLEB, _I32. */
const ADDRESSES = [3, 4, 5];
/** The others that may be there, and whether an addend follows: functions, table slots, types, globals, offsets. */
const OTHERS = new Map([
  ...[0, 1, 2, 6, 7, 10, 13, 20].map((type) => [type, false]),
  ...[8, 9].map((type) => [type, true]),
]);

class Reader {
  constructor(bytes, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get isOver() {
    return this.at >= this.end;
  }

  byte() {
    return this.bytes[this.at++];
  }

  number() {
    let [result, shift] = [0, 0];
    for (;;) {
      const byte = this.byte();
      result += (byte & 0x7f) * 2 ** shift;
      shift += 7;
      if (byte < 0x80) return result;
    }
  }

  signed() {
    const begin = this.at;
    const value = this.number();
    const bits = 7 * (this.at - begin);
    return value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
  }

  text() {
    const length = this.number();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }

  /** So many bytes, as a reader of their own. */
  part(length) {
    this.at += length;
    return new Reader(this.bytes, this.at - length, this.at);
  }
}

/** The module without what only linkers read. */
export function withoutLinking(bytes) {
  const reader = new Reader(bytes, 8);
  const kept = [bytes.subarray(0, 8)];
  while (!reader.isOver) {
    const begin = reader.at;
    const id = reader.byte();
    const content = reader.part(reader.number());
    if (id !== CUSTOM || !/^(linking|reloc\..*)$/.test(content.text())) kept.push(bytes.subarray(begin, reader.at));
  }
  return Buffer.concat(kept);
}

/**
 * `pieces` of data, each `{ start, end }` in memory with the `pieces` whose addresses it holds; and for each function, by its
 * index, those that it mentions.
 */
export function readLinked(bytes) {
  const sections = new Map();
  const customs = new Map();
  const reader = new Reader(bytes, 8);
  while (!reader.isOver) {
    const id = reader.byte();
    const content = reader.part(reader.number());
    if (id === CUSTOM) customs.set(content.text(), content);
    else sections.set(id, content);
  }
  const [code, data] = [sections.get(CODE), sections.get(DATA)];
  if (code === undefined || data === undefined) throw new Error("the module has no code, or no data");
  const symbolTable = customs.get("linking");
  if (symbolTable === undefined) throw new Error("the module was not linked with --emit-relocs");
  const functions = functionRanges(code, importedFunctions(sections.get(IMPORT)));
  const segments = dataSegments(data);
  const { symbols, pieces } = readSymbols(symbolTable, segments);
  const mentions = new Map(functions.map(({ index }) => [index, new Set()]));
  for (const { offset, symbol } of addresses(customs.get("reloc.CODE"))) {
    const { index } = find(functions, code.at + offset);
    const piece = symbols[symbol];
    if (piece !== undefined) mentions.get(index).add(piece);
  }
  const ordered = pieces.toSorted((a, b) => a.place - b.place);
  for (const { offset, symbol } of addresses(customs.get("reloc.DATA"))) {
    const at = data.at + offset;
    const piece = symbols[symbol];
    if (piece === undefined) continue;
    for (const holder of ordered) if (holder.place <= at && at < holder.place + holder.size) holder.holds.add(piece);
  }
  return { pieces, mentions };
}

function importedFunctions(section) {
  if (section === undefined) return 0;
  const reader = new Reader(section.bytes, section.at, section.end);
  let functions = 0;
  for (let count = reader.number(); count > 0; count -= 1) {
    reader.text();
    reader.text();
    if (reader.byte() !== KIND.function) throw new Error("the module imports something that is no function");
    reader.number();
    functions += 1;
  }
  return functions;
}

/** Where the functions are in the file. */
function functionRanges(section, imported) {
  const reader = new Reader(section.bytes, section.at, section.end);
  return Array.from({ length: reader.number() }, (_, number) => {
    const { at: begin, end } = reader.part(reader.number());
    return { index: imported + number, begin, end };
  });
}

function dataSegments(section) {
  const reader = new Reader(section.bytes, section.at, section.end);
  return Array.from({ length: reader.number() }, () => {
    if (reader.number() !== 0 || reader.byte() !== 0x41)
      throw new Error("a data segment that is not put at a constant");
    const address = reader.signed();
    reader.byte();
    const { at: place } = reader.part(reader.number());
    return { address, place };
  });
}

function readSymbols(linking, segments) {
  const reader = new Reader(linking.bytes, linking.at, linking.end);
  reader.number();
  const pieces = [];
  let symbols = [];
  while (!reader.isOver) {
    const kind = reader.byte();
    const part = reader.part(reader.number());
    // What is never written to comes first, which is what is divided.
    if (kind === SEGMENT_INFO && part.number() > 0 && !part.text().startsWith(".rodata")) {
      throw new Error("the first segment of data is not the one that is only read");
    }
    if (kind !== SYMBOL_TABLE) continue;
    symbols = Array.from({ length: part.number() }, () => {
      const [kind, flags] = [part.byte(), part.number()];
      const isUndefined = (flags & UNDEFINED) !== 0;
      if (kind === KIND.section) part.number();
      else if (kind !== KIND.data) {
        part.number();
        if (!isUndefined || (flags & EXPLICIT_NAME) !== 0) part.text();
      } else {
        const name = part.text();
        if (isUndefined) return undefined;
        const [segment, offset, size] = [segments[part.number()], part.number(), part.number()];
        if (segment === undefined) return undefined;
        const start = segment.address + offset;
        const piece = { name, start, end: start + size, size, place: segment.place + offset, holds: new Set() };
        pieces.push(piece);
        return piece;
      }
      return undefined;
    });
  }
  return { symbols, pieces };
}

/** The relocations that hold addresses in memory: where in the section, and of which symbol. */
function* addresses(section) {
  if (section === undefined) return;
  const reader = new Reader(section.bytes, section.at, section.end);
  reader.number();
  for (let count = reader.number(); count > 0; count -= 1) {
    const [type, offset, symbol] = [reader.byte(), reader.number(), reader.number()];
    const isAddress = ADDRESSES.includes(type);
    if (!isAddress && !OTHERS.has(type)) throw new Error(`a relocation of the type ${type}, which is not known here`);
    if (isAddress || OTHERS.get(type)) reader.signed();
    if (isAddress) yield { offset, symbol };
  }
}

/** The range that an offset is in, of ranges in order. */
function find(ranges, offset) {
  let [low, high] = [0, ranges.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ranges[middle].begin <= offset) low = middle;
    else high = middle - 1;
  }
  const range = ranges[low];
  if (offset < range.begin || offset >= range.end) throw new Error("a relocation outside of all functions");
  return range;
}
