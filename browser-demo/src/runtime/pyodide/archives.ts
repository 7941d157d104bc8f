/**
 * The archives of compiled modules on Python's path, their directories read for it (`packager/python/pyodide/_rm_archives.py`).
 *
 * Python's own importer of archives is written in Python, and reads them while nothing of the interpreter is optimised yet.
 */
import { partsOf } from "../bundle.ts";
import { encode, Tuple } from "../marshal.ts";

/** Where the archives are, but for the library; and what is read of all of them. */
export const FOLDER = "/remotemedia";
/** Where Pyodide puts its library. */
export const LIBRARY_PATH = "/lib/python314.zip";
/** `FIRST` and `DIRECTORY` of `_rm_archives`. */
export const FIRST_PATH = `${FOLDER}/first.zip`;
export const DIRECTORY_PATH = `${FOLDER}/directory`;

/** An archive, and its path in the interpreter's file system. */
export type Archive = readonly [path: string, bytes: Uint8Array<ArrayBuffer>];

/** What an interpreter is given beside the archives. */
export interface Directory {
  /** The archive in which it finds its first module, and with it the importer. */
  readonly first: Uint8Array<ArrayBuffer>;
  /** What `_rm_archives` describes. */
  readonly directory: Uint8Array;
}

/** What the interpreter imports before there is an importer. */
const FIRST_FILES = ["encodings/__init__.pyc", "_rm_boot.pyc", "_rm_archives.pyc"];
const COMPILED = ".pyc";
const PACKAGE = "/__init__.pyc";
const STORED = 0;

/** What an archive's directory says of a file. */
interface Entry {
  readonly name: string;
  readonly method: number;
  readonly content: Uint8Array<ArrayBuffer>;
  /** Where the content begins, and where its header does. */
  readonly start: number;
  readonly at: number;
  readonly size: number;
  /** What Python keeps of it otherwise: time, date and check sum. */
  readonly stamps: readonly [time: number, date: number, crc: number];
}

/** Read the directories of archives, which Python looks into in this order; nothing if they are without the importer for it. */
export async function readDirectories(archives: readonly Archive[]): Promise<Directory | undefined> {
  const modules = new Map<string, Tuple>();
  const first = new Map<string, Entry>();
  const directories = archives.map(([path, bytes], archive) => {
    const entries = entriesOf(bytes);
    for (const entry of entries.filter(({ name }) => isModule(name))) {
      const { name, method, start, content } = entry;
      const isPackage = name.endsWith(PACKAGE);
      const module = name.slice(0, -(isPackage ? PACKAGE : COMPILED).length).replaceAll("/", ".");
      if (modules.has(module)) continue;
      modules.set(module, new Tuple([archive, name, isPackage, method !== STORED, start, content.length]));
      if (FIRST_FILES.includes(name)) first.set(name, entry);
    }
    return new Tuple([path, entries.map(rowOf)]);
  });
  if (first.size < FIRST_FILES.length) return undefined;
  const inflated = [...first].map(async ([name, entry]) => [name, await inflate(entry)] as const);
  return {
    first: joined(partsOf(new Map(await Promise.all(inflated)), "")),
    directory: encode(new Tuple([modules, directories])).payload,
  };
}

/** Compiled modules that are imported by their path; not those that Python keeps beside sources, nor what is no module. */
function isModule(name: string): boolean {
  return name.endsWith(COMPILED) && !name.includes("__pycache__/");
}

/** A file as Python's importer of archives remembers it. */
function rowOf({ name, method, content, size, at, stamps }: Entry): Tuple {
  return new Tuple([name, method, content.length, size, at, ...stamps]);
}

/** The files of an archive that was written by rm-pack or by the build of the page, and checked. */
function entriesOf(bytes: Uint8Array<ArrayBuffer>): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [end, header, local] = [22, 46, 30];
  const entries: Entry[] = [];
  let at = view.getUint32(bytes.length - end + 16, true);
  for (let left = view.getUint16(bytes.length - end + 10, true); left > 0; left -= 1) {
    const short = (offset: number) => view.getUint16(at + offset, true);
    const long = (offset: number) => view.getUint32(at + offset, true);
    const place = long(42);
    const begin = place + local + view.getUint16(place + 26, true) + view.getUint16(place + 28, true);
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(at + header, at + header + short(28))),
      method: short(10),
      content: bytes.subarray(begin, begin + long(20)),
      start: begin,
      at: place,
      size: long(24),
      stamps: [short(12), short(14), long(16)],
    });
    at += header + short(28) + short(30) + short(32);
  }
  return entries;
}

async function inflate({ method, content }: Entry): Promise<Uint8Array> {
  if (method === STORED) return content;
  const inflated = new Blob([content]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(inflated).arrayBuffer());
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
