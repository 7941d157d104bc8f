/** Pipelines in a folder that `rm-pack build` wrote to: which of a pipeline's bundles is taken, and why. */
import { altered, type Bundle, openBundle } from "./bundle.ts";
import { getWhole } from "./download.ts";
import { PipelineError, reasonOf } from "./errors.ts";
import { taken } from "./given.ts";
import type { EngineFile } from "./web/engine.ts";

/** A pipeline in a folder with an `index.json`, which may hold it packed for several targets. */
export interface FolderSource {
  /** The folder's address. */
  readonly folder: string | URL;
  /** The pipeline's name, where the folder has several. */
  readonly name?: string;
  /**
   * What Python nodes run on: `web`, the engine that also runs natively, `pyodide`, or `auto`, the default: the first of them
   * that can be had.
   */
  readonly target?: "auto" | HostTarget;
}

/** What Python nodes can run on here. */
export type HostTarget = "web" | "pyodide";

/** Which bundle of a folder was taken. */
export interface Choice {
  readonly file: string;
  readonly target: HostTarget;
  /** Why it is not the engine that also runs natively, where any would have done. */
  readonly because?: string;
}

/** A bundle that may be taken. */
export interface Candidate {
  readonly choice: Choice;
  /** Its content hash, as the index says. */
  readonly content: string;
  /** The engine that its Python nodes need, if it has any. */
  readonly engine?: string;
  /** That engine's large files, where the folder has it. */
  readonly engineFiles?: readonly EngineFile[];
  /** Whether it has Python nodes for Pyodide, as far as the index says. */
  readonly needsPyodide: boolean;
  /** Where it is. */
  readonly address: string;
  /** Downloads it. */
  readonly bytes: () => Promise<ArrayBuffer>;
}

/** The version of the index that is known here. */
const FORMAT = 1;
const INDEX = "index.json";
/** The targets in an index, best first. */
const TARGETS: ReadonlyMap<string, HostTarget> = new Map([
  ["wasmtime", "web"],
  ["pyodide", "pyodide"],
]);

/** What `rm-pack build` says about a folder that it has written to. */
export interface Index {
  readonly format: number;
  readonly bundles: readonly {
    readonly name: string;
    readonly target: string;
    readonly file: string;
    /** Its content hash. */
    readonly content: string;
    readonly engine: string | null;
    /** Whether it has Python nodes. */
    readonly python: boolean;
  }[];
  /** None in folders without an engine for browsers. */
  readonly web_engines?: readonly { readonly digest: string; readonly files: readonly EngineFile[] }[];
}

/** Whether a pipeline is to be loaded from a folder. */
export function isInFolder(source: object): source is FolderSource {
  return "folder" in source;
}

/** A folder's address, with a final slash. */
export function folderURL(folder: string | URL): string {
  const { href } = new URL(folder, self.location.href);
  return href.endsWith("/") ? href : `${href}/`;
}

/** Where the index of a pipeline's folder is. */
export function indexAddress({ folder }: FolderSource): string {
  return folderURL(folder) + INDEX;
}

/** Why a bundle is not one for the engine that also runs natively. */
export function notForTheEngine({ packages }: Bundle): string {
  const why = packages.length > 0 ? `, and uses ${listed(packages)}, which only Pyodide has` : "";
  return `it was not packed for the engine that runs natively${why}`;
}

/** The index of a pipeline's folder. Rejects with a `load` error. */
export async function readIndex(source: FolderSource): Promise<Index> {
  const known = await taken<Index>(indexAddress(source));
  if (known !== undefined) return known;
  const base = folderURL(source.folder);
  const text = new TextDecoder().decode(await getFrom(base, INDEX));
  let index: unknown;
  try {
    index = JSON.parse(text);
  } catch (error) {
    const isPage = text.trimStart().startsWith("<");
    throw cannotLoad(base + INDEX, isPage ? `it is a page, not an index: ${reasonOf(error)}` : reasonOf(error));
  }
  return checkIndex(index, base + INDEX);
}

/** What is read of an index, if it is one. Of another version, nothing is known but that. */
function checkIndex(found: unknown, address: string): Index {
  const index = found as Partial<Index> | null;
  const isOfFormat = typeof index === "object" && typeof index?.format === "number";
  if (isOfFormat && index.format !== FORMAT) return index as Index;
  const isText = (value: unknown) => typeof value === "string";
  const areBundles =
    isOfFormat &&
    Array.isArray(index.bundles) &&
    index.bundles.every((bundle: Partial<Index["bundles"][0]> | null) => {
      return [bundle?.name, bundle?.target, bundle?.file, bundle?.content].every(isText);
    });
  if (!areBundles) throw cannotLoad(address, "it is not the index of a folder of bundles");
  return index as Index;
}

/** Open a bundle and check it, and that it is the one that the index means. Rejects with a `load` or `bundle` error. */
export async function open({ address, choice: { file }, content, bytes }: Candidate): Promise<Bundle> {
  const bundle = await openBundle(new Uint8Array((await taken<ArrayBuffer>(address)) ?? (await bytes())), file);
  if (bundle.content !== content) {
    throw altered(file, `its content hash is ${bundle.content}, and the index says ${content}`);
  }
  return bundle;
}

/** The bundles that will do, best first. Throws a `load` error where there is none. */
export function candidates(
  index: Index,
  { folder, name, target = "auto" }: FolderSource,
): readonly [Candidate, ...Candidate[]] {
  const base = folderURL(folder);
  if (index.format !== FORMAT) {
    throw new PipelineError("version", `${base}${INDEX} has the format ${index.format}; this is ${FORMAT}`, {
      hint: "pack with the rm-pack of this version",
    });
  }
  const names = [...new Set(index.bundles.map((bundle) => bundle.name))];
  const wanted = name ?? (names.length === 1 ? names[0] : undefined);
  if (wanted === undefined || !names.includes(wanted)) {
    const what = wanted === undefined ? "no single pipeline" : `no pipeline \`${wanted}\``;
    throw new PipelineError("load", `the folder ${base} has ${what}: it has ${listed(names)}`, {
      hint: "name one of them, or pack into this folder",
    });
  }
  const found = [...TARGETS].flatMap(([key, of]) => {
    const bundle = index.bundles.find((bundle) => bundle.name === wanted && bundle.target === key);
    return bundle && (target === "auto" || target === of) ? [{ ...bundle, target: of }] : [];
  });
  const [first, ...others] = found.map(({ file, content, target, engine, python }): Candidate => {
    const engineFiles = index.web_engines?.find(({ digest }) => digest === engine)?.files;
    return {
      choice: { file, target },
      content,
      ...(engine !== null && { engine }),
      ...(engineFiles && { engineFiles }),
      needsPyodide: target === "pyodide" && python,
      address: base + file,
      bytes: () => getFrom(base, file),
    };
  });
  if (first === undefined) {
    const packed = index.bundles.filter((bundle) => bundle.name === wanted).map((bundle) => bundle.target);
    throw new PipelineError("load", `the folder ${base} has \`${wanted}\` for ${listed(packed)}, not for ${target}`, {
      hint: `pack it with \`rm-pack build --target ${target === "auto" ? "web" : target}\` into this folder`,
    });
  }
  return [first, ...others];
}

/** All of a file of a folder. Rejects with a `load` error. */
function getFrom(base: string, file: string): Promise<ArrayBuffer> {
  return getWhole(base + file, (reason) => cannotLoad(base + file, reason));
}

function cannotLoad(address: string, reason: string): PipelineError {
  return new PipelineError("load", `${address} cannot be loaded: ${reason}`, {
    hint: "serve the folder that `rm-pack build` wrote to, as it is",
  });
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.map((name) => `\`${name}\``).join(", ");
}
