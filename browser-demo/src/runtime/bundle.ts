/**
 * Reads bundles: the same checks as natively (`runtime/src/bundle/`), before anything in one is used. What is not used here is not
 * read either: the list of modules and an engine inside have the right digest, if any, and no other look is taken at them.
 */
import type { Manifest } from "./abi.ts";
import { PipelineError } from "./errors.ts";
import type { PythonClass } from "./python.ts";

/** The version of the format that is known here. */
const FORMAT = 1;
const DESCRIPTION = "bundle.json";
const COMMENT = "rm-pack bundle, content sha256 ";
/** The compressed form that entries have by name; their digests are those of what is inside. */
const COMPRESSED = ".zst";
/** The entries that every target has, if any; bundles for Pyodide have files beside them. */
const ENTRIES: readonly string[] = [DESCRIPTION, "layer.zst", "modules.json", "engine.wasm.zst"];

/** A bundle whose archive, description and plain entries were checked. */
export interface Bundle {
  readonly name: string;
  readonly target: string;
  readonly packer: string;
  /** The SHA-256 of the description, and through it of everything. */
  readonly content: string;
  /** The engine that its Python nodes need, if it has any. */
  readonly engine?: { readonly digest: string; readonly python: string };
  readonly nodes: ReadonlyMap<string, PythonClass>;
  /** The names of the packages of Pyodide's own that they use. */
  readonly packages: readonly string[];
  readonly manifest: Manifest;
  /** Every entry's bytes as they are stored. Compressed ones are checked by whoever decompresses them. */
  readonly entries: ReadonlyMap<string, Uint8Array>;
  /** What every entry has to be when it is decompressed. */
  readonly promised: ReadonlyMap<string, { readonly sha256: string; readonly size: number }>;
}

interface Description {
  readonly format: number;
  readonly name: string;
  readonly target: string;
  readonly packer: string;
  readonly engine: { readonly digest: string; readonly python: string } | null;
  readonly nodes: Readonly<Record<string, PythonClass>>;
  readonly packages?: Readonly<Record<string, unknown>>;
  readonly manifest: Manifest;
  readonly entries: Readonly<Record<string, { readonly sha256: string; readonly size: number }>>;
}

/** Whether bytes look like a bundle rather than a manifest. */
export function looksLikeBundle(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b;
}

/** Whether a file is to be a bundle by its name. */
export function isBundleName(file: string): boolean {
  return /\.rmpkg$/i.test(file);
}

/** What to say of text that was to be a bundle. */
export function noBundle(text: string, file: string): PipelineError {
  return refused(file, `it is text that begins with ${JSON.stringify(text.trimStart().slice(0, 20))}`);
}

/** Open a bundle and check it. `file` names it in errors. Rejects with a `bundle` error. */
export async function openBundle(bytes: Uint8Array<ArrayBuffer>, file: string): Promise<Bundle> {
  const { entries, comment } = readArchive(bytes, file);
  const text = entries.get(DESCRIPTION);
  if (text === undefined) throw refused(file, `it has no entry \`${DESCRIPTION}\``);
  const description = parse(text, file);
  if (description.format !== FORMAT) {
    throw new PipelineError("bundle", `\`${file}\` has the bundle format ${description.format}; this is ${FORMAT}`, {
      hint: "pack it with the rm-pack of this version",
    });
  }
  const content = await sha256(text);
  if (comment !== COMMENT + content) {
    throw altered(file, `\`${DESCRIPTION}\` does not have the digest that the archive's comment promises`);
  }
  if (!areInOrder([...entries.keys()]) || !isMadeOf(bytes, partsOf(entries, comment))) {
    throw altered(file, "the archive is not in the form in which rm-pack writes it");
  }
  const promised = new Map(Object.entries(description.entries));
  for (const name of new Set([...entries.keys(), ...promised.keys()])) {
    if (name === DESCRIPTION) continue;
    if (!isKnown(name, description.target)) {
      throw altered(file, `it has an entry \`${name}\` that bundles of format ${FORMAT} do not have`);
    }
    const [found, expected] = [entries.get(name), promised.get(name)];
    if (found === undefined) throw altered(file, `the entry \`${name}\` is missing`);
    if (expected === undefined)
      throw altered(file, `it has an entry \`${name}\` that \`${DESCRIPTION}\` does not list`);
    if (name.endsWith(COMPRESSED)) continue;
    if (found.length !== expected.size || (await sha256(found)) !== expected.sha256) {
      throw altered(file, `the entry \`${name}\` does not have the digest that \`${DESCRIPTION}\` promises`);
    }
  }
  const hash = /-([0-9a-f]{16})\.rmpkg$/i.exec(file)?.[1];
  if (hash !== undefined && hash !== content.slice(0, 16)) {
    throw altered(file, `its name promises the content ${hash}, and its content is ${content.slice(0, 16)}`);
  }
  return {
    name: description.name,
    target: description.target,
    packer: description.packer,
    content,
    ...(description.engine && { engine: description.engine }),
    nodes: new Map(Object.entries(description.nodes)),
    packages: Object.keys(description.packages ?? {}),
    manifest: description.manifest,
    entries,
    promised,
  };
}

/** Whether the description comes first, and the others by their names. */
function areInOrder([first, ...others]: readonly string[]): boolean {
  return first === DESCRIPTION && others.every((name, index) => index === 0 || (others[index - 1] ?? "") < name);
}

/** Whether a bundle may have an entry of this name. Files of one for Pyodide have names that lead out of no folder. */
function isKnown(name: string, target: string): boolean {
  const isFile = target === "pyodide" && !name.includes("/") && !["", ".", ".."].includes(name);
  return isFile || ENTRIES.includes(name);
}

/** Whether bytes are these parts one behind the other. A part that is the same memory needs no look. */
function isMadeOf(bytes: Uint8Array, parts: readonly Uint8Array[]): boolean {
  let at = 0;
  for (const part of parts) {
    const isSame = part.buffer === bytes.buffer && part.byteOffset === bytes.byteOffset + at;
    if (!isSame && !areEqual(bytes.subarray(at, at + part.length), part)) return false;
    at += part.length;
  }
  return at === bytes.length;
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

function parse(bytes: Uint8Array, file: string): Description {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Description;
  } catch (error) {
    throw altered(file, `\`${DESCRIPTION}\` cannot be read: ${String(error)}`);
  }
}

/** SHA-256 in hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const LESS_THAN = 0x3c;
const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const LOCAL_SIZE = 30;
const CENTRAL_SIZE = 46;
const END_SIZE = 22;
/** Midnight of 1 January 1980, the earliest date that archives have. */
const DATE = 0x0021;
/** Made on Unix, by version 1.0 of the format; a plain file, readable by all. */
const MADE_BY = 0x030a;
const NEEDS = 10;
const ATTRIBUTES = 0o100644 << 16;

interface Archive {
  readonly entries: Map<string, Uint8Array<ArrayBuffer>>;
  readonly comment: string;
}

/** The entries of an archive in which all are stored, as far as its directory says. `openBundle` checks the rest. */
function readArchive(bytes: Uint8Array<ArrayBuffer>, file: string): Archive {
  // Servers have a page for what they do not find.
  if (bytes[0] === LESS_THAN) throw noBundle(new TextDecoder().decode(bytes.subarray(0, 200)), file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const comment = COMMENT.length + 64;
  const end = bytes.length - END_SIZE - comment;
  if (end < 0 || view.getUint32(end, true) !== END) throw refused(file, "it does not end as bundles do");
  const entries = new Map<string, Uint8Array<ArrayBuffer>>();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left -= 1) {
    if (at + CENTRAL_SIZE > end || view.getUint32(at, true) !== CENTRAL)
      throw altered(file, "its directory is damaged");
    const [size, nameLength] = [view.getUint32(at + 24, true), view.getUint16(at + 28, true)];
    const local = view.getUint32(at + 42, true);
    const begin = local + LOCAL_SIZE + nameLength;
    const name = new TextDecoder().decode(bytes.subarray(at + CENTRAL_SIZE, at + CENTRAL_SIZE + nameLength));
    if (begin + size > bytes.length) throw altered(file, `the entry \`${name}\` is cut off`);
    entries.set(name, bytes.subarray(begin, begin + size));
    at += CENTRAL_SIZE + nameLength;
  }
  return { entries, comment: new TextDecoder().decode(bytes.subarray(bytes.length - comment)) };
}

/** The parts of an archive in the one form that bundles have, one behind the other. */
export function partsOf(entries: ReadonlyMap<string, Uint8Array>, comment: string): readonly Uint8Array[] {
  const encoder = new TextEncoder();
  const [locals, directory]: [Uint8Array[], Uint8Array[]] = [[], []];
  let offset = 0;
  for (const [path, content] of entries) {
    const name = encoder.encode(path);
    const sums = [crc32(content), content.length, content.length] as const;
    const local = header([4, LOCAL], [2, NEEDS, 0, 0, 0, DATE], [4, ...sums], [2, name.length, 0]);
    locals.push(local, name, content);
    const central = header(
      ...([
        [4, CENTRAL],
        [2, MADE_BY, NEEDS, 0, 0, 0, DATE],
        [4, ...sums],
        [2, name.length, 0, 0, 0, 0],
      ] as const),
      [4, ATTRIBUTES, offset],
    );
    directory.push(central, name);
    offset += local.length + name.length + content.length;
  }
  const text = encoder.encode(comment);
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const end = header([4, END], [2, 0, 0, entries.size, entries.size], [4, length, offset], [2, text.length]);
  return [...locals, ...directory, end, text];
}

/** Numbers of so many bytes each, the lowest byte first. */
function header(...fields: readonly (readonly [width: 2 | 4, ...values: number[]])[]): Uint8Array {
  const bytes = fields.flatMap(([width, ...values]) =>
    values.flatMap((value) => Array.from({ length: width }, (_, place) => (value >>> (8 * place)) & 0xff)),
  );
  return Uint8Array.from(bytes);
}

/** What each byte comes to with none to three bytes behind it. */
const CRC_TABLES = [0, 1, 2, 3].map((behind) =>
  Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 8 * (behind + 1); bit > 0; bit -= 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  }),
) as [Int32Array, Int32Array, Int32Array, Int32Array];

/** Four bytes at a time, as most of a bundle is through before V8 has optimised this. */
function crc32(bytes: Uint8Array): number {
  const [last, third, second, first] = CRC_TABLES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - (bytes.length % 4);
  let crc = -1;
  for (let index = 0; index < whole; index += 4) {
    crc ^= view.getInt32(index, true);
    const high = (third[(crc >>> 16) & 0xff] ?? 0) ^ (last[crc >>> 24] ?? 0);
    crc = (first[crc & 0xff] ?? 0) ^ (second[(crc >>> 8) & 0xff] ?? 0) ^ high;
  }
  for (let index = whole; index < bytes.length; index += 1)
    crc = (crc >>> 8) ^ (last[(crc ^ (bytes[index] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

function refused(file: string, problem: string): PipelineError {
  return new PipelineError("bundle", `\`${file}\` is not a bundle: ${problem}`, {
    hint: "bundles are what `rm-pack build` writes, and end in .rmpkg",
  });
}

/** A bundle, by its file or its name, is not what was packed. */
export function altered(file: string, what: string): PipelineError {
  return new PipelineError("bundle", `\`${file}\` was altered after it was packed: ${what}`, {
    hint: "copy it again from where it came from, or pack again",
  });
}
