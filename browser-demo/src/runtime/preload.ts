/** What is begun before it is needed: the host of a bundle's Python nodes, or all that a folder has of a pipeline. */
import type { Bundle } from "./bundle.ts";
import { type Candidate, candidates, type FolderSource, folderURL, open, readIndex } from "./folder.ts";
import { hostFor, warmPyodide, type HostOptions, type Hosts } from "./hosts.ts";
import type { PythonHost } from "./python.ts";
import { warm } from "./web/host.ts";

/** A bundle, and what runs its Python nodes, which is on its way. */
export interface Begun {
  readonly bundle: Bundle;
  readonly host: Promise<PythonHost | undefined>;
}

/** The bundles of a folder that will do, best first, and the best of them begun. */
export interface Found {
  readonly list: readonly [Candidate, ...Candidate[]];
  readonly first: Begun;
}

/** A pipeline in a folder that somebody is going to load. Whoever does gets it; it is for one pipeline. */
export class Preloaded {
  readonly #source: FolderSource;
  /** Nothing if that has failed: another attempt may fare better, or says what is wrong. */
  readonly found: Promise<Found | undefined>;

  constructor(source: FolderSource, hosts: Hosts, options: HostOptions) {
    this.#source = source;
    this.found = find(source, hosts, options).catch(() => undefined);
  }

  isOf({ folder, name, target = "auto" }: FolderSource): boolean {
    const own = this.#source;
    return folderURL(own.folder) === folderURL(folder) && own.name === name && (own.target ?? "auto") === target;
  }

  /** Stop what nobody has asked for. */
  dispose(): void {
    void this.found.then((found) => {
      if (found !== undefined) disposeOf(found.first.host);
    });
  }
}

async function find(source: FolderSource, hosts: Hosts, options: HostOptions): Promise<Found> {
  const list = candidates(await readIndex(source), source);
  return { list, first: await begin(list[0], hosts, optionsIn(source, options)) };
}

/** Open a bundle, and begin with what runs its Python nodes. */
export async function begin(candidate: Candidate, hosts: Hosts, options: HostOptions): Promise<Begun> {
  // The bundle is the smaller part, and asked for first: its layer can be unpacked while the engine comes.
  const { engine, engineFiles, needsPyodide } = candidate;
  const opening = open(candidate);
  if (engine !== undefined) warm(engine, options, engineFiles);
  if (needsPyodide) warmPyodide(options);
  const bundle = await opening;
  return { bundle, host: beginHost(bundle, hosts, options) };
}

/** What goes wrong is told to whoever waits for the host. */
export function beginHost(bundle: Bundle, hosts: Hosts, options: HostOptions): Begun["host"] {
  const host = hostFor(bundle, hosts, options);
  host.catch(() => undefined);
  return host;
}

/** Stop a host that nobody will use, when it is there. */
export function disposeOf(host: Begun["host"]): void {
  host.then(
    (host) => {
      host?.dispose();
    },
    () => undefined,
  );
}

/** A folder has the engines of its bundles beside them. */
export function optionsIn({ folder }: FolderSource, options: HostOptions): HostOptions {
  return { ...options, enginesURL: folderURL(folder) };
}
