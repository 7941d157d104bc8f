// How long a node may work without giving anything: sleeping counts, and giving something begins it anew, as natively.
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { pack } from "../../scripts/bundles.mjs";
import { demo, runNatively, testPage, withoutPacker as skip } from "./harness.mjs";

const root = join(demo, ".cache/test/limits");
const kit = testPage();

const NODES = `
import asyncio


class Sleeper:
    async def process(self, data):
        await asyncio.sleep(data)
        return data


class Sleepers:
    """Sleeps again and again, each time for less than it may."""

    async def process(self, data):
        for _ in range(100 if data > 1 else 1):
            await asyncio.sleep(0.1)
        return data


class Giver:
    """Takes longer than it may, and gives something all the time."""

    async def process(self, data):
        for part in range(5):
            await asyncio.sleep(data)
            yield part
`;
const TYPES = ["Sleeper", "Sleepers", "Giver"];
const manifestOf = (type) => join(root, `${type}.json`);

before(() => {
  if (skip) return;
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, "nodes.py"), NODES);
  for (const type of TYPES) {
    const nodes = [{ id: "node", node_type: type }];
    const manifest = { version: "v1", metadata: { name: type.toLowerCase() }, nodes, connections: [] };
    writeFileSync(manifestOf(type), JSON.stringify(manifest));
    for (const target of ["web", "pyodide"]) pack("build", manifestOf(type), "--target", target, "--out", root);
  }
});

/** What comes out, what was told, and how long that took from the first output on. */
function run(type, target, items, options) {
  return kit.page.evaluate(
    async ({ name, target, items, options }) => {
      const runtime = await kit.startWorker();
      const [outputs, reports] = [[], []];
      try {
        const pipeline = await runtime.load({ folder: "/limits/", name, target });
        const session = await pipeline.session(options);
        session.onReport = ({ policy, error }) => reports.push(`${policy}: ${error.report()}`);
        await session.send(items.map((value) => ({ value })));
        session.close();
        let begun;
        for await (const { value } of session) {
          begun ??= performance.now();
          outputs.push(value);
        }
        return { outputs, reports, milliseconds: performance.now() - begun };
      } catch (error) {
        return { outputs, reports, error: error.report() };
      } finally {
        runtime.dispose();
      }
    },
    { name: type.toLowerCase(), target, items, options },
  );
}

/** In seconds: what is certainly enough for making the node, also on a machine that is busy. */
const LIMITS = { web: 1, pyodide: 5 };

for (const [target, limit] of Object.entries(LIMITS)) {
  const timeout = 1000 * limit;
  const late = `it took longer than ${limit} s, the time that node \`node\` may take`;
  for (const [type, second] of [
    ["Sleeper", 30],
    ["Sleepers", 2],
  ]) {
    test(`a node that sleeps for longer than it may is stopped: ${type}, ${target}`, { skip }, async () => {
      const failed = await run(type, target, [0.1, second, 0.1], { timeout });
      assert.deepEqual(failed, { outputs: [0.1], reports: [], error: `node \`node\` failed on item 2\n  ${late}` });
      // A fresh one takes its place.
      const { outputs, reports, milliseconds } = await run(type, target, [0.1, second, 0.2], {
        timeout,
        onError: "skip",
      });
      assert.deepEqual(outputs, [0.1, 0.2]);
      assert.deepEqual(reports, [`skipped: node \`node\` failed on item 2\n  ${late}`]);
      assert.ok(milliseconds > timeout, String(milliseconds));
    });
  }

  test(`a node that gives something has its time anew: ${target}`, { skip }, async () => {
    const { outputs, error } = await run("Giver", target, [limit / 4], { timeout });
    assert.deepEqual([outputs, error], [[0, 1, 2, 3, 4], undefined]);
  });

  test(`a node may sleep for ever where nothing limits it: ${target}`, { skip }, async () => {
    for (const timeout of [0, Infinity]) {
      const { outputs, error } = await run("Sleeper", target, [0.7], { timeout });
      assert.deepEqual([outputs, error], [[0.7], undefined]);
    }
  });
}

test("natively it is the same", { skip }, () => {
  for (const [type, second, status] of [
    ["Sleeper", 30, 1],
    ["Sleepers", 2, 1],
    ["Giver", 0.25, 0],
  ]) {
    const input = join(root, "input.jsonl");
    writeFileSync(input, `${second}\n`);
    const native = runNatively(manifestOf(type), "--input", input, "--timeout", "1");
    assert.equal(native.status === 0 ? 0 : 1, status, native.stderr);
    if (status === 1) assert.match(native.stderr, /failed on item 1[^]*it took longer than 1s/);
  }
});
