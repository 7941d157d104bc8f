/** Which host runs the Python nodes of which bundle. Each is loaded when a bundle asks for it, and never otherwise. */
import type { Bundle } from "./bundle.ts";
import { PipelineError } from "./errors.ts";
import { PYTHON_PROTOCOL, type PythonHost } from "./python.ts";

/** Where a page has what hosts download. */
export interface Places {
  /** The folder that `rm-pack build --target web` wrote to: the engines in it are shared by all bundles. */
  readonly engines: string;
}

/** Makes a host for a bundle, downloading what that takes. */
export type HostLoader = (bundle: Bundle, places: Places) => Promise<PythonHost>;

/** The hosts by the target of the bundles that they run. */
export type Hosts = ReadonlyMap<string, HostLoader>;

/** The hosts of this package. */
export const HOSTS: Hosts = new Map<string, HostLoader>([
  ["wasmtime", async (bundle, places) => (await import("./web/host.ts")).webHost(bundle, places)],
]);

/** The host for a bundle's Python nodes; none if it has none. Rejects with a `python` error if nobody here runs them. */
export async function hostFor(bundle: Bundle, hosts: Hosts, places: Places): Promise<PythonHost | undefined> {
  if (bundle.nodes.size === 0) return undefined;
  const load = hosts.get(bundle.target);
  if (load === undefined) {
    const types = [...bundle.nodes.keys()].map((type) => `\`${type}\``).join(", ");
    throw new PipelineError(
      "python",
      `the bundle \`${bundle.name}\` has Python nodes (${types}) for the target ${bundle.target}, which no page can run`,
      { hint: "pack it again with `rm-pack build --target web`" },
    );
  }
  const host = await load(bundle, places);
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
