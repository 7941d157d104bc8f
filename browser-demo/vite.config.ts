import { execFileSync } from "node:child_process";
import { defineConfig, type Plugin } from "vite";
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

// Nothing of it is in the repository; both the server and the build need it.
execFileSync(process.execPath, [resolve(import.meta.dirname, "scripts/build-pyodide.mjs")], { stdio: "inherit" });

const bundles = resolve(import.meta.dirname, "../bundles");

/** The examples of `bundles/` as a module: manifests and inputs, read when the page is built. */
function examples(): Plugin {
  const id = "virtual:examples";
  return {
    name: "examples",
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load(source) {
      if (source !== `\0${id}`) return undefined;
      const found = readdirSync(bundles, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .sort()
        .flatMap((name) => {
          const files = readdirSync(join(bundles, name));
          const file = files.find((candidate) => /^pipeline\.(json|yaml)$/.test(candidate));
          if (file === undefined) return [];
          const read = (path: string) => readFileSync(join(bundles, name, path), "utf8");
          const lines = files.includes("input.jsonl") ? read("input.jsonl") : "";
          return [
            {
              name,
              file,
              manifest: read(file),
              input: lines,
              hasPython: files.some((path) => !/\.(md|jsonl?|yaml|lock|wav)$/.test(path)),
            },
          ];
        });
      return `export const examples = ${JSON.stringify(found)};`;
    },
  };
}

/** What is known about Pyodide's files when the page is built, as a module; they are made from the npm package if need be. */
function pyodide(): Plugin {
  const id = "virtual:pyodide";
  const nothing = "\0nothing";
  return {
    name: "pyodide",
    enforce: "pre",
    resolveId(source, importer) {
      if (source === id) return `\0${id}`;
      // What it imports in Node.js alone.
      const isForNode = /^(node:.*|ws)$/.test(source) && importer?.includes("/node_modules/pyodide/");
      return isForNode ? nothing : undefined;
    },
    load(source) {
      if (source === nothing) return "export default {};";
      if (source !== `\0${id}`) return undefined;
      const description = resolve(import.meta.dirname, "src/runtime/pyodide/files/description.json");
      const { version, wasm, python, library } = JSON.parse(readFileSync(description, "utf8")) as Record<
        string,
        unknown
      >;
      const constants = Object.entries({ version, wasm, python, library });
      return constants.map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`).join("\n");
    },
  };
}

/** What uses nearly all of its functions before the first result. */
const STARTING = ["/src/runtime/pipeline.ts", "/src/runtime/web/interpreter.ts"];

/**
 * V8 compiles all of such a script while it is loaded, aside, instead of each function when it is first called, which holds up
 * what calls it (https://v8.dev/blog/explicit-compile-hints). To other engines it is a comment.
 */
function hint({ moduleIds }: { readonly moduleIds: readonly string[] }): string {
  const isStarting = moduleIds.some((id) => STARTING.some((path) => id.endsWith(path)));
  return isStarting ? "//# allFunctionsCalledOnLoad" : "";
}

export default defineConfig(({ mode }) => ({
  base: "./",
  plugins: [examples(), pyodide()],
  worker: {
    format: "es",
    plugins: () => [pyodide()],
    // Pyodide's own script has code for Node.js, and evaluates text where Python asks it to, which the page's policy forbids.
    rolldownOptions: { checks: { eval: false }, output: { postBanner: hint } },
  },
  optimizeDeps: { exclude: ["pyodide"] },
  build: {
    target: "es2022",
    // Every file is a request of its own, so that it shows what was downloaded.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    outDir: mode === "test" ? ".cache/test" : "dist",
    emptyOutDir: true,
    rolldownOptions: {
      input:
        mode === "test"
          ? resolve(import.meta.dirname, "tests/page/index.html")
          : resolve(import.meta.dirname, "index.html"),
      output: { postBanner: hint },
    },
  },
}));
