// Bundles as `rm-pack build` writes them, and ones that were altered since.
import assert from "node:assert/strict";
import { test } from "node:test";
import { lines, packExample as pack, testPage, withoutPacker as skip } from "./harness.mjs";

const kit = testPage();

/** What becomes of a bundle: its outputs, or why not. */
function run({ file, bytes }, input) {
  return kit.page.evaluate(
    async ({ file, bytes, input }) => {
      const runtime = await kit.startWorker();
      try {
        const pipeline = await runtime.load({ content: Uint8Array.from(bytes), file });
        const session = await pipeline.session({ asText: true });
        await session.sendLines(input);
        session.close();
        const outputs = await Array.fromAsync(session);
        return { outputs: outputs.map(({ value }) => value), content: pipeline.content };
      } catch (error) {
        return { error: `${error.kind}: ${error.report()}` };
      } finally {
        runtime.dispose();
      }
    },
    { file, bytes, input },
  );
}

test("a bundle of Rust nodes runs, and gives what it must", { skip }, async () => {
  const bundle = pack("calculator");
  const { outputs, content } = await run(bundle, lines("calculator", "input.jsonl"));
  assert.deepEqual(outputs, lines("calculator", "expected.jsonl"));
  assert.ok(bundle.file.includes(content.slice(0, 16)), "the file is named by the content hash");
});

test("a byte changed anywhere is noticed", { skip }, async () => {
  const bundle = pack("calculator");
  const refused = await kit.page.evaluate(async ({ bytes, file }) => {
    const refused = { not: [] };
    for (let at = 0; at < bytes.length; at += 1) {
      const altered = Uint8Array.from(bytes);
      altered[at] ^= 0x40;
      const error = await kit.openBundle(altered, file).then(
        () => undefined,
        (error) => error,
      );
      if (error?.kind === "bundle") refused[error.message] = (refused[error.message] ?? 0) + 1;
      else refused.not.push([at, String(error)]);
    }
    return refused;
  }, bundle);
  assert.deepEqual(refused.not, []);
  assert.ok(
    Object.keys(refused).some((message) =>
      message.includes("was altered after it was packed: `bundle.json` does not have the digest"),
    ),
  );
});

test("a bundle that is cut off, or is none, is refused", { skip }, async () => {
  const { file, bytes } = pack("calculator");
  const cut = await run({ file, bytes: bytes.slice(0, -10) }, []);
  assert.match(cut.error, /^bundle: `calculator-.*\.rmpkg` is not a bundle: it does not end as bundles do\nhint: /);
  const binary = await run({ file: "a.bin", bytes: [0xff, 0xfe, 0x00] }, []);
  assert.match(binary.error, /^manifest: `a\.bin` is neither a bundle nor text in UTF-8\nhint: /);
});

test("a bundle whose engine is not there says what can be done", { skip }, async () => {
  const { error } = await run(pack("mixed"), []);
  assert.match(
    error,
    /^load: the engine at .*-web\/ cannot be loaded: the server answered 404 .*\nhint: serve what `rm-pack/,
  );
});
