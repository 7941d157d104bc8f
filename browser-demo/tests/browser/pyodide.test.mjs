// Python nodes in Pyodide: every example gives what it gives natively, and what goes wrong is told as natively.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bundles, exampleManifest, lines, packBuffer, testPage, withoutPacker as skip } from "./harness.mjs";

const kit = testPage();

/** Run a bundle on items as JSON text, or on the packets of a WAV file. */
function run({ file, bytes }, { input, wav, onError = "fail", timeout, pyodideURL } = {}) {
  return kit.page.evaluate(
    async ({ file, bytes, input, wav, onError, timeout, pyodideURL }) => {
      const [printed, reports, values] = [[], [], []];
      let progress;
      const runtime = await kit.startWorker({
        ...(pyodideURL !== undefined && { pyodideURL }),
        onPrinted: ({ node, text }) => printed.push(`${node}: ${text}`),
        onPythonProgress: (now) => (progress = now),
      });
      const begun = performance.now();
      let first;
      try {
        const pipeline = await runtime.load({ content: Uint8Array.fromBase64(bytes), file });
        const session = await pipeline.session({ asText: true, onError, ...(timeout !== undefined && { timeout }) });
        session.onReport = ({ policy, error }) => reports.push(`${policy}: ${error.report()}`);
        const feed = async () => {
          if (wav) await session.send([...kit.readWav(Uint8Array.fromBase64(wav), "input.wav")]);
          else if (pipeline.takesInput) await session.sendLines(input);
          session.close();
        };
        const feeding = feed();
        for await (const { value } of session) {
          first ??= performance.now() - begun;
          values.push(value);
        }
        await feeding;
        return { values, printed, reports, progress, first };
      } catch (error) {
        return { values, printed, reports, error: `${error.kind}: ${error.report()}` };
      } finally {
        runtime.dispose();
      }
    },
    {
      ...{ file, input, onError, timeout, pyodideURL },
      bytes: bytes.toString("base64"),
      wav: wav?.toString("base64"),
    },
  );
}

const examples = readdirSync(bundles, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(bundles, entry.name, "expected.jsonl")))
  .map(({ name }) => name)
  .sort();

for (const example of examples) {
  test(`${example} gives what it gives natively`, { skip }, async (t) => {
    const bundle = packBuffer(exampleManifest(example), "--target", "pyodide");
    const wav = join(bundles, example, "input.wav");
    const input = existsSync(wav) ? { wav: readFileSync(wav) } : { input: lines(example, "input.jsonl") };
    const { values, error, reports, first, progress } = await run(bundle, input);
    assert.equal(error, undefined);
    assert.deepEqual(reports, []);
    assert.deepEqual(values, lines(example, "expected.jsonl"));
    t.diagnostic(`${bundle.bytes.length} bytes, first result after ${Math.round(first ?? 0)} ms`);
    if (progress) assert.equal(progress.loaded, progress.total);
    assert.deepEqual(kit.problems, []);
  });
}
