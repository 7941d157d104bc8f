/** Which host runs the Python nodes of which bundle. Each is loaded when a bundle asks for it, and never otherwise. */
import type { Bundle } from "./bundle.ts";
import { PipelineError } from "./errors.ts";
import { PYTHON_PROTOCOL, type PythonHost } from "./python.ts";

/** Makes a host for a bundle, downloading what that takes. */
export type HostLoader = (bundle: Bundle) => Promise<PythonHost>;

/** The hosts by the target of the bundles that they run. */
export type Hosts = ReadonlyMap<string, HostLoader>;

/** The hosts of this package. The Pyodide host and that of web components will be `import()`ed here. */
export const HOSTS: Hosts = new Map();

/** The host for a bundle's Python nodes; none if it has none. Rejects with a `python` error if nobody here runs them. */
export async function hostFor(bundle: Bundle, hosts: Hosts): Promise<PythonHost | undefined> {
  if (bundle.nodes.size === 0) return undefined;
  const load = hosts.get(bundle.target);
  if (load === undefined) {
    const types = [...bundle.nodes.keys()].map((type) => `\`${type}\``).join(", ");
    throw new PipelineError(
      "python",
      `the bundle \`${bundle.name}\` has Python nodes (${types}) for the target ${bundle.target}, which no page can run`,
      {
        hint: "run it with `rm-pack run`; Python in the browser comes with bundles for Pyodide or for the web, which this version does not have yet",
      },
    );
  }
  const host = await load(bundle);
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
