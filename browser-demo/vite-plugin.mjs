/**
 * What a page's build needs for this package: `plugins: [remotemedia()]` in its Vite configuration. README.md, "In your own page".
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = import.meta.dirname;
const description = join(folder, "src/runtime/pyodide/files/description.json");

export function remotemedia() {
  if (!existsSync(join(folder, "src/runtime/wasm/rm_runtime.wasm"))) {
    throw new Error(`remotemedia-browser: the executor was not built; run \`npm run wasm\` in ${folder}`);
  }
  // Nothing of Pyodide's files is in the repository; both the server and the build need them.
  execFileSync(process.execPath, [join(folder, "scripts/build-pyodide.mjs")], { stdio: "inherit" });
  return {
    ...modules(),
    config: () => ({
      worker: {
        // Workers import what only some pipelines need when one of those is loaded.
        format: "es",
        plugins: () => [modules()],
        // Pyodide's own script has code for Node.js, and evaluates text where Python asks it to, which a page's policy may forbid.
        rolldownOptions: { checks: { eval: false } },
      },
      // Its workers and files are found by their places, which they would lose in one script.
      optimizeDeps: { exclude: ["remotemedia-browser", "pyodide"] },
    }),
    configResolved(config) {
      // Where the package is a link, its files are outside of the page's folder.
      config.server.fs.allow.push(folder);
    },
  };
}

/** What is known about Pyodide's files when the page is built, as a module; and nothing for what Pyodide imports in Node.js alone. */
function modules() {
  const id = "virtual:pyodide";
  const nothing = "\0nothing";
  return {
    name: "remotemedia",
    enforce: "pre",
    resolveId(source, importer) {
      if (source === id) return `\0${id}`;
      const isForNode = /^(node:.*|ws)$/.test(source) && importer?.includes("/node_modules/pyodide/");
      return isForNode ? nothing : undefined;
    },
    load(source) {
      if (source === nothing) return "export default {};";
      if (source !== `\0${id}`) return undefined;
      const { version, wasm, python, library } = JSON.parse(readFileSync(description, "utf8"));
      const constants = Object.entries({ version, wasm, python, library });
      return constants.map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`).join("\n");
    },
  };
}
