// Every example with Python nodes, in Chromium, from the very bundle that runs natively: the same outputs.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { exampleNames } from "../../scripts/bundles.mjs";
import { bundles, demo, lines, runInPage, testPage } from "./harness.mjs";

const folder = join(demo, ".cache/test/bundles");
const packed = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")).bundles;
const kit = testPage();

for (const name of exampleNames()) {
  test(`${name} gives what it gives natively`, async () => {
    const { file } = packed.find((bundle) => bundle.name === name);
    const wav = readdirSync(join(bundles, name)).includes("input.wav")
      ? [...readFileSync(join(bundles, name, "input.wav"))]
      : undefined;
    const input = wav ? [] : lines(name, "input.jsonl");
    const { outputs, failure } = await runInPage(kit.page, { file, input, wav });
    assert.equal(failure, undefined);
    assert.deepEqual(outputs, lines(name, "expected.jsonl"));
    assert.deepEqual(kit.problems, []);
  });
}
