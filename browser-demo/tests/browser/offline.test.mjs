// What was downloaded once runs without its server: other items, and other pipelines whose bundles are at hand.
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pack } from "../../scripts/bundles.mjs";
import { serve } from "../../scripts/server.mjs";
import { demo, exampleManifest, lines, testPage } from "./harness.mjs";

const names = ["text-processor", "counter"];
const kit = testPage();

for (const target of ["web", "pyodide"]) {
  test(`without a server, when it was there before (${target})`, async () => {
    const folder = join(demo, ".cache/test/offline", target);
    rmSync(folder, { recursive: true, force: true });
    for (const name of names) pack("build", exampleManifest(name), "--target", target, "--out", folder);
    const packed = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")).bundles;
    const server = await serve(join(demo, ".cache/test"));
    const page = await kit.browser.newPage();
    await page.goto(`${server.address}tests/page/`);
    await page.waitForFunction(() => "kit" in globalThis);
    const run = (name) =>
      page.evaluate(
        async ({ target, file, bytes, input }) => {
          globalThis.runtime ??= await kit.startWorker({ enginesURL: `/offline/${target}/` });
          const pipeline = await runtime.load({ content: Uint8Array.fromBase64(bytes), file });
          const session = await pipeline.session({ asText: true });
          const sending = session.sendLines(input).then(() => session.close());
          const outputs = [];
          for await (const { value } of session) outputs.push(value);
          await sending;
          return outputs;
        },
        {
          target,
          file: name,
          bytes: readFileSync(join(folder, packed.find((bundle) => bundle.name === name).file)).toString("base64"),
          input: lines(name, "input.jsonl"),
        },
      );
    assert.deepEqual(await run("text-processor"), lines("text-processor", "expected.jsonl"));
    await server.close();
    for (const name of names) assert.deepEqual(await run(name), lines(name, "expected.jsonl"));
    await page.close();
  });
}
