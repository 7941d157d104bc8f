/** What callers give, looked at before anything is done with it: what is wrong, where, and what is expected. */
import type { OnError } from "./abi.ts";
import { PipelineError } from "./errors.ts";
import type { FolderSource } from "./folder.ts";
import type { Source } from "./pipeline.ts";
import type { SessionOptions } from "./session.ts";
import type { Item } from "./values.ts";

/** A source as it is used here. */
export type PlainSource = Omit<Source, "content" | "bundle"> & {
  readonly content: string | Uint8Array<ArrayBuffer>;
  readonly bundle?: Uint8Array<ArrayBuffer>;
};

const SOURCES =
  "`load({ content, file })` takes a manifest's text or a bundle's bytes, `load({ folder, name })` a folder that `rm-pack build` wrote to";

/** What a pipeline is to be loaded from. Throws a `load` error for anything else. */
export function checkSource(source: Source | FolderSource): PlainSource | FolderSource {
  const given: unknown = source;
  if (typeof given !== "object" || given === null) {
    throw new PipelineError("load", `\`load\` was given ${told(given)}`, { hint: SOURCES });
  }
  if ("folder" in source) {
    checkFolder(source);
    return source;
  }
  const { content, bundle, file, ...others } = source;
  return {
    ...others,
    ...(file !== undefined && { file: checkText(file, "file") }),
    content: typeof content === "string" ? content : bytesOf(content, "content", "text or bytes"),
    ...(bundle !== undefined && { bundle: bytesOf(bundle, "bundle", "a bundle's bytes") }),
  };
}

function checkFolder({ folder, name, target }: FolderSource): void {
  if (!((folder as unknown) instanceof URL) && typeof folder !== "string") {
    throw new PipelineError("load", `\`folder\` is ${told(folder)}, and has to be an address`, { hint: SOURCES });
  }
  if (!URL.canParse(String(folder), self.location.href)) {
    throw new PipelineError("load", `\`folder\` is \`${String(folder)}\`, which is no address`, { hint: SOURCES });
  }
  if (name !== undefined) checkText(name, "name");
  const targets: readonly unknown[] = ["auto", "web", "pyodide", undefined];
  if (targets.includes(target)) return;
  const isNative = (target as unknown) === "wasmtime";
  throw new PipelineError("option", `\`target\` is ${told(target)}, and has to be "auto", "web" or "pyodide"`, {
    hint: isNative ? 'bundles for `wasmtime` run on what is called "web" here' : 'leave it out, which is "auto"',
  });
}

function checkText(given: unknown, name: string): string {
  if (typeof given === "string") return given;
  throw new PipelineError("load", `\`${name}\` is ${told(given)}, and has to be text`, { hint: SOURCES });
}

/** Bytes of whatever kind. */
function bytesOf(given: unknown, name: string, expected: string): Uint8Array<ArrayBuffer> {
  if (given instanceof Uint8Array) return given as Uint8Array<ArrayBuffer>;
  if (given instanceof ArrayBuffer) return new Uint8Array(given);
  const isRead = given instanceof Blob || given instanceof Response;
  throw new PipelineError("load", `\`${name}\` is ${told(given)}, and has to be ${expected}`, {
    hint: isRead ? "read it first, as with `await response.arrayBuffer()`" : SOURCES,
  });
}

const POLICIES: readonly OnError[] = ["fail", "skip", "stop"];

/** How a run is to go. Throws an `option` error for what cannot be. */
export function checkOptions(options: SessionOptions): SessionOptions {
  const given: unknown = options;
  if (typeof given !== "object" || given === null) {
    throw new PipelineError("option", `the options of a run are ${told(given)}, and have to be an object`);
  }
  const { onError, asText, timeout } = options;
  if (onError !== undefined && !POLICIES.includes(onError)) {
    throw new PipelineError("option", `\`onError\` is ${told(onError)}, and has to be "fail", "skip" or "stop"`);
  }
  if (asText !== undefined && typeof asText !== "boolean") {
    throw new PipelineError("option", `\`asText\` is ${told(asText)}, and has to be true or false`);
  }
  if (timeout !== undefined && !(typeof timeout === "number" && timeout >= 0)) {
    const what = `\`timeout\` is ${told(timeout)}, and has to be a number of milliseconds, 0 for ever`;
    throw new PipelineError("option", what);
  }
  return options;
}

/** The items of a run. Throws an `item` error for what gives none. */
export function checkStream(items: Iterable<Item> | AsyncIterable<Item>): void {
  const given: unknown = items;
  const isSource =
    typeof given === "object" && given !== null && (Symbol.asyncIterator in given || Symbol.iterator in given);
  if (isSource) return;
  throw new PipelineError("item", `\`run\` was given ${told(given)}, and takes items one after the other`, {
    hint: "give it a list such as `[{ value: 1 }]`, or a generator of such items",
  });
}

/** Items that are sent together. Throws an `item` error, with the number of the first that is none. */
export function checkItems(items: readonly Item[]): void {
  const given: unknown = items;
  if (!Array.isArray(given)) {
    throw new PipelineError("item", `\`send\` was given ${told(given)}, and takes a list of items`, {
      hint: "`send([{ value: 1 }])` sends one",
    });
  }
  for (let index = 0; index < given.length; index += 1) {
    const item: unknown = given[index];
    if (typeof item !== "object" || item === null || !("value" in item)) {
      throw refused(index + 1, `it is ${told(item)}, and has to be an object with a \`value\``);
    }
    const { session = null, timestampUs = null } = item as {
      readonly session?: unknown;
      readonly timestampUs?: unknown;
    };
    if (session !== null && typeof session !== "string") {
      throw refused(index + 1, `its \`session\` is ${told(session)}, and has to be text`);
    }
    if (timestampUs !== null && !Number.isSafeInteger(timestampUs)) {
      throw refused(index + 1, `its \`timestampUs\` is ${told(timestampUs)}, and has to be a whole number`);
    }
  }
}

function refused(item: number, problem: string): PipelineError {
  return new PipelineError("item", `item ${item} is none: ${problem}`, {
    item,
    hint: "items have the form `{ value, session?, timestampUs? }`",
  });
}

/** Lines that are sent together. Throws an `item` error for anything else. */
export function checkLines(lines: readonly string[]): void {
  const given: unknown = lines;
  if (!Array.isArray(given)) {
    throw new PipelineError("item", `\`sendLines\` was given ${told(given)}, and takes a list of texts`);
  }
  const index = given.findIndex((line) => typeof line !== "string");
  if (index < 0) return;
  const what = `item ${index + 1} is none: it is ${told(given[index])}, and has to be text, in JSON`;
  throw new PipelineError("item", what, { item: index + 1, hint: "`send` takes values" });
}

/** What was given, in words. */
function told(given: unknown): string {
  switch (typeof given) {
    case "undefined":
      return "undefined";
    case "string":
      return JSON.stringify(given.length > 40 ? `${given.slice(0, 40)}…` : given);
    case "number":
    case "bigint":
    case "boolean":
      return String(given);
    case "object":
      break;
    default:
      return `a ${typeof given}`;
  }
  if (given === null) return "null";
  if (Array.isArray(given)) return `a list of ${given.length}`;
  const { constructor } = given as { readonly constructor?: unknown };
  const name = typeof constructor === "function" ? constructor.name : "";
  return name === "Object" || name === "" ? "an object" : `an object of the class ${name}`;
}
