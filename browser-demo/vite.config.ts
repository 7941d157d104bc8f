import { defineConfig, type Plugin } from "vite";
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { remotemedia } from "./vite-plugin.mjs";

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
  plugins: [examples(), remotemedia()],
  worker: { rolldownOptions: { output: { postBanner: hint } } },
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
