// The executor comes in two parts: what needs the second gets it, and the same results, whenever that turns out.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { demo, manifest, testPage } from "./harness.mjs";

const kit = testPage();
const manifestOf = (node_type, params = {}) =>
  JSON.stringify({ version: "v1", metadata: { name: "test" }, nodes: [{ id: "node", node_type, params }] });

/** What a pipeline gives, or what goes wrong, in a page of its own; and how often the second part was asked for. */
async function run({ content, file = "test.json", lines, where = "startWorker" }) {
  const page = await kit.browser.newPage();
  await page.goto(`${kit.address}tests/page/`);
  await page.waitForFunction(() => "kit" in globalThis);
  kit.requests.length = 0;
  const outcome = await page.evaluate(
    async ({ content, file, lines, where }) => {
      const told = [];
      const runtime = await kit[where]();
      try {
        const pipeline = await runtime.load({ content, file });
        for await (const { value } of pipeline.run(lines.map((line) => ({ value: JSON.parse(line) })))) {
          told.push(typeof value === "bigint" ? String(value) : JSON.stringify(value));
        }
      } catch (error) {
        told.push(error.report());
      }
      runtime.dispose();
      return told;
    },
    { content, file, lines, where },
  );
  await page.close();
  return { outcome, asked: kit.requests.filter((path) => path.includes("rm_runtime_rest")).length };
}

// What most pages do.
for (const [what, source] of [
  ["numbers", { content: manifest("calculator").content, lines: ["5", "7.5", "-3"] }],
  ["what is passed on", { content: manifestOf("Echo"), lines: ['{"a":[1,"b",null,true]}'] }],
]) {
  test(`the core is enough for ${what}`, async () => {
    assert.equal((await run({ ...source })).asked, 0);
  });
}

// What is found out in the middle of a call, when nothing can wait any more.
for (const [what, source] of [
  [
    "an integer of more than 64 bits",
    { content: manifestOf("MultiplyNode", { factor: 2 ** 40 }), lines: ["5", "1099511627776"] },
  ],
  ["an item that a node refuses", { content: manifestOf("AddNode", { addend: 1 }), lines: ["1", '"two"'] }],
  ["a manifest that is wrong", { content: manifestOf("AdNode"), lines: ["1"] }],
  ["text that is no manifest", { content: '{"version": ', lines: [] }],
  [
    "a larger node",
    { content: manifestOf("RustTextProcessorNode", { operations: ["uppercase"] }), lines: ['"straße"'] },
  ],
  [
    "YAML",
    { content: "{version: v1, metadata: {name: a}, nodes: [{id: a, node_type: Echo}]}", file: "a.yaml", lines: ["1"] },
  ],
]) {
  test(`the rest is there for ${what}`, async () => {
    const worker = await run({ ...source });
    const page = await run({ ...source, where: "startHere" });
    assert.deepEqual(worker.outcome, page.outcome);
    assert.ok(worker.outcome.length > 0);
    assert.deepEqual([worker.asked, page.asked], [1, 1]);
  });
}

/** A worker of our own, opened with these parts, and what it says about a pipeline that needs the second. */
function inWorker(rest) {
  return kit.page.evaluate(
    async ({ rest, content }) => {
      await (await kit.startWorker()).load({ content, file: "test.json" });
      const { name } = performance.getEntriesByType("resource").find(({ name }) => name.includes("worker"));
      const worker = new Worker(name, { type: "module" });
      let id = 0;
      const ask = (method, ...given) =>
        new Promise((resolve) => {
          worker.onmessage = ({ data }) => {
            if (data.id === id) resolve(data.error?.message ?? data.result);
          };
          worker.postMessage({ protocol: kit.PROTOCOL, id: ++id, method, arguments: given });
        });
      await ask("open", { ...kit.EXECUTOR, rest: new URL(rest, location).href }, { progressOf: [] });
      const answers = [await ask("check", content, "test.json", new Map()), await ask("fromJson", "5")];
      worker.terminate();
      return answers;
    },
    { rest, content: manifestOf("AudioLevelNode") },
  );
}

test("a rest that cannot be had stops the executor, and it says so", async () => {
  const [first, second] = await inWorker("/nowhere.wasm");
  assert.match(
    first,
    /^the executor has stopped: the rest of the executor at \S+nowhere\.wasm cannot be loaded: .*404/,
  );
  assert.equal(second, first);
});

test("a rest of another build is refused", async () => {
  const folder = join(demo, ".cache/test/parts");
  mkdirSync(folder, { recursive: true });
  const bytes = readFileSync(join(demo, "src/runtime/wasm/rm_runtime_rest.wasm"));
  const at = bytes.indexOf("table-");
  bytes.write("0000", at + "table-".length);
  writeFileSync(join(folder, "rest.wasm"), bytes);
  const [first] = await inWorker("/parts/rest.wasm");
  assert.match(first, /^the executor has stopped: the rest of the executor at \S+rest\.wasm is of another build: /);
});
