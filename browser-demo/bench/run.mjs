// `npm run bench`: how large the executor is, how soon it is ready, and how many items it passes on, in Chromium.
//
// Times are medians of several rounds. "Ready" begins when the bytes are there, and ends with the first result of the
// calculator: compiling, instantiating, loading and running.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { serve } from "../scripts/server.mjs";
import { launch } from "../tests/chromium.mjs";
import { pythonTable } from "./python.mjs";

const ROUNDS = 7;
const demo = resolve(import.meta.dirname, "..");
const wasm = join(demo, "src/runtime/wasm/rm_runtime.wasm");
const built = join(demo, ".cache/test/tests/page/index.html");
for (const [path, command] of [
  [wasm, "npm run wasm"],
  [built, "npx vite build --mode test"],
]) {
  if (!existsSync(path)) {
    console.error(`error: ${path} is not there\n  hint: \`${command}\` makes it`);
    process.exit(1);
  }
}

const kilobytes = (length) => `${(length / 1000).toFixed(1)} KB`;
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

console.log("                          wasm-opt     gzip -9      brotli -11");
for (const [what, file] of [
  ["executor", "rm_runtime.wasm"],
  ["  the rest, when needed", "rm_runtime_rest.wasm"],
  ["  what reads zstd", "rm_zstd.wasm"],
]) {
  const bytes = readFileSync(join(demo, "src/runtime/wasm", file));
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  const sizes = [bytes, gzipSync(bytes, { level: 9 }), brotli].map(({ length }) => kilobytes(length).padEnd(13));
  console.log(`${what.padEnd(26)}${sizes.join("")}`);
}

const server = await serve(join(demo, ".cache/test"));
const browser = await launch();
const page = await browser.newPage();

/** Fresh pages, as a page that has compiled the bytes once keeps that. */
const ready = [];
const parts = { compile: [], instantiate: [], load: [], run: [] };
for (let round = 0; round < ROUNDS; round += 1) {
  const fresh = await browser.newPage();
  await fresh.goto(`${server.address}tests/page/`);
  await fresh.waitForFunction(() => "kit" in globalThis);
  const times = await fresh.evaluate(
    async (manifest) => {
      const bytes = await (await fetch(kit.EXECUTOR.core)).arrayBuffer();
      const marks = [performance.now()];
      const mark = () => marks.push(performance.now());
      const module = await WebAssembly.compile(bytes);
      mark();
      const runtime = await kit.LocalRuntime.of({ core: module, rest: new kit.Rest(kit.EXECUTOR.rest) });
      mark();
      const pipeline = await runtime.load({ content: manifest, file: "calculator.json" });
      mark();
      const outputs = [];
      for await (const { value } of pipeline.run([{ value: 5 }])) outputs.push(value);
      mark();
      if (outputs[0] !== 20) throw new Error(`5 became ${outputs}`);
      return marks.slice(1).map((time, index) => time - marks[index]);
    },
    readFileSync(join(demo, "../bundles/calculator/pipeline.json"), "utf8"),
  );
  Object.values(parts).forEach((list, index) => list.push(times[index]));
  ready.push(times.reduce((sum, time) => sum + time, 0));
  await fresh.close();
}
const detail = Object.entries(parts).map(([name, times]) => `${name} ${median(times).toFixed(1)}`);
console.log(`ready, without network    ${median(ready).toFixed(1)} ms (${detail.join(", ")}; of ${ROUNDS})`);

await page.goto(`${server.address}tests/page/`);
await page.waitForFunction(() => "kit" in globalThis);

/** How many items a second pass through a pipeline. */
async function rate(name, where, nodes, count, makeValue) {
  const rates = await page.evaluate(
    async ({ where, nodes, count, makeValue, rounds }) => {
      const runtime = await kit[where]();
      const connections = nodes.slice(1).map(({ id }, index) => ({ from: nodes[index].id, to: id }));
      const manifest = { version: "v1", metadata: { name: "bench" }, nodes, connections };
      const pipeline = await runtime.load({ content: JSON.stringify(manifest), file: "bench.json" });
      const values = {
        number: (index) => index,
        dictionary: (index) => ({ id: index, text: "some words of text", scores: [0.5, 1.5, 2.5] }),
        sound: () => kit.audio(new Float32Array(960).fill(0.25), 48_000),
      };
      const items = Array.from({ length: count }, (_, index) => ({ value: values[makeValue](index) }));
      const rates = [];
      for (let round = 0; round < rounds; round += 1) {
        const begun = performance.now();
        let outputs = 0;
        for await (const _ of pipeline.run(items)) outputs += 1;
        if (outputs === 0) throw new Error("nothing came out");
        rates.push((1000 * count) / (performance.now() - begun));
      }
      runtime.dispose();
      return rates;
    },
    { where, nodes, count, makeValue, rounds: 5 },
  );
  console.log(`${name.padEnd(28)}${Math.round(median(rates)).toLocaleString("en")} items/s`);
}

const calculator = [
  { id: "multiply", node_type: "MultiplyNode", params: { factor: 2 } },
  { id: "add", node_type: "AddNode", params: { addend: 10 } },
];
const echo = [{ id: "echo", node_type: "Echo" }];
const level = [
  { id: "resample", node_type: "AudioResampleNode", params: { sample_rate: 16_000 } },
  { id: "level", node_type: "AudioLevelNode" },
];
await rate("calculator, in the page", "startHere", calculator, 50_000, "number");
await rate("calculator, in a worker", "startWorker", calculator, 50_000, "number");
await rate("dictionaries, in a worker", "startWorker", echo, 20_000, "dictionary");
await rate("20 ms of sound, in a worker", "startWorker", level, 500, "sound");
await browser.close();
await server.close();
await pythonTable();
