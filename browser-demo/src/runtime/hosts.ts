/**
 * Which host runs the Python nodes of which bundle. Pyodide's is loaded when a bundle asks for it. The engine's is small, and what
 * it downloads takes longest of all that a page waits for, so that its script must be there already.
 */
import type { Progress } from "./code.ts";
import type { Bundle } from "./bundle.ts";
import { PipelineError } from "./errors.ts";
import { PYTHON_PROTOCOL, type PythonHost } from "./python.ts";
import { webHost } from "./web/host.ts";

/** A line that a node has printed. */
export interface Printed {
  readonly node: string;
  readonly text: string;
  readonly isError: boolean;
}

/** Put what a node has printed on the console. */
export function print({ node, text, isError }: Printed): void {
  console[isError ? "warn" : "log"](`${node}: ${text}`);
}

/** What hosts are told by whoever uses them. */
export interface HostOptions {
  /** How the download of the interpreter goes. */
  readonly onProgress?: (progress: Progress) => void;
  /** What nodes print; on the console unless told otherwise. */
  readonly onPrinted?: (printed: Printed) => void;
  /** The folder with Pyodide's files, with a final slash, where they are not beside the scripts of this package. */
  readonly pyodideURL?: string;
  /** The folder with the files of packages that come with Pyodide, with a final slash, for bundles that use some. */
  readonly pyodidePackagesURL?: string;
  /** The folder that `rm-pack build --target web` wrote to, with a final slash: bundles share the engines in it. */
  readonly enginesURL?: string;
  /** Whether an interpreter on the engine is kept ready for the next node that needs one; it is unless told otherwise. */
  readonly spare?: boolean;
  /** Is aborted when whoever uses the hosts is done; what nobody has asked for yet is stopped then. */
  readonly disposed?: AbortSignal;
}

/** Makes a host for a bundle, downloading what that takes. */
export type HostLoader = (bundle: Bundle, options: HostOptions) => Promise<PythonHost>;

/** The hosts by the target of the bundles that they run. */
export type Hosts = ReadonlyMap<string, HostLoader>;

/** The hosts of this package. */
export const HOSTS: Hosts = new Map<string, HostLoader>([
  ["wasmtime", webHost],
  [
    "pyodide",
    async (bundle, options) => {
      const { pyodideHost } = await import("./pyodide/host.ts");
      return pyodideHost(bundle, options);
    },
  ],
]);

/** Begin to download Pyodide, before the bundle that needs it is there. */
export function warmPyodide(options: HostOptions): void {
  import("./pyodide/host.ts")
    .then(({ warm }) => {
      warm(options);
    })
    // Told to whoever asks for it.
    .catch(() => undefined);
}

/** The host for a bundle's Python nodes; none if it has none. Rejects with a `python` error if nobody here runs them. */
export async function hostFor(bundle: Bundle, hosts: Hosts, options: HostOptions): Promise<PythonHost | undefined> {
  if (bundle.nodes.size === 0) return undefined;
  const load = hosts.get(bundle.target);
  if (load === undefined) {
    const types = [...bundle.nodes.keys()].map((type) => `\`${type}\``).join(", ");
    throw new PipelineError(
      "python",
      `the bundle \`${bundle.name}\` has Python nodes (${types}) for the target ${bundle.target}, which no page can run`,
      { hint: "pack it again with `rm-pack build --target web`, or for Pyodide with `--target pyodide`" },
    );
  }
  const host = await load(bundle, options);
  if (host.protocol !== PYTHON_PROTOCOL) {
    host.dispose();
    throw new PipelineError(
      "version",
      `the Python of bundle \`${bundle.name}\` speaks version ${host.protocol} of the operations, not ${PYTHON_PROTOCOL}`,
      { hint: "pack the bundle again with the rm-pack of this version" },
    );
  }
  return host;
}
