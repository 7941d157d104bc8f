// The interpreter that is kept ready for the next pipeline: who gets it, and when it goes.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { pack } from "../../scripts/bundles.mjs";
import { demo, exampleManifest, lines, testPage } from "./harness.mjs";

const root = join(demo, ".cache/test/spare");
const kit = testPage();
const [item] = lines("text-processor", "input.jsonl");
const [expected] = lines("text-processor", "expected.jsonl");

before(() => {
  rmSync(root, { recursive: true, force: true });
  pack("build", exampleManifest("text-processor"), "--target", "web", "--out", root);
});

/** Run the example so many times, one pipeline after the other, and tell how many workers of interpreters there were after each. */
function run(times, options) {
  return kit.page.evaluate(
    async ({ times, options, item }) => {
      const source = { folder: "/spare/", name: "text-processor" };
      const runtime = await kit.startWorker(options);
      const started = async () => {
        const files = (await runtime.downloads()).map(({ url }) => url.split("/").at(-1));
        return files.filter((file) => /^worker-.*\.js$/.test(file)).length;
      };
      const [outputs, counts] = [[], []];
      for (let left = times; left > 0; left -= 1) {
        const session = await (await runtime.load(source)).session({ asText: true });
        await session.sendLines([item]);
        outputs.push((await session.receive())[0].value);
        session.close();
        while ((await session.receive()) !== undefined) continue;
        // Whatever is begun has asked for its script by then.
        await new Promise((done) => setTimeout(done, 300));
        counts.push(await started());
      }
      runtime.dispose();
      return { outputs, counts };
    },
    { times, options, item },
  );
}

test("there is one interpreter more than are at work, and the next pipeline gets it", async () => {
  const { outputs, counts } = await run(3, {});
  assert.deepEqual(outputs, [expected, expected, expected]);
  assert.deepEqual(counts, [2, 3, 4]);
});

test("there is none where none is wanted", async () => {
  const { outputs, counts } = await run(2, { spare: false });
  assert.deepEqual(outputs, [expected, expected]);
  assert.deepEqual(counts, [1, 2]);
});

test("it goes with the runtime", async () => {
  const interpreters = () => kit.page.workers().filter((worker) => /\/worker-/.test(worker.url())).length;
  // Those of the tests before are on their way out.
  await until(() => interpreters() === 0);
  await kit.page.evaluate(async (item) => {
    globalThis.runtime = await kit.startHere({ enginesURL: "/spare/" });
    globalThis.session = await (
      await runtime.load({ folder: "/spare/", name: "text-processor" })
    ).session({ asText: true });
    await session.sendLines([item]);
    await session.receive();
  }, item);
  await until(() => interpreters() === 2);
  // All of it is stopped with the runtime.
  const told = await kit.page.evaluate(async (item) => {
    const received = session.receive().catch((error) => `${error.kind}: ${error.message}`);
    runtime.dispose();
    const sent = await session.sendLines([item]).catch((error) => `${error.kind}: ${error.message}`);
    return [await received, sent];
  }, item);
  assert.deepEqual(told, [
    "stopped: the runtime was disposed of",
    "closed: the pipeline takes no more items: the runtime was disposed of",
  ]);
  await until(() => interpreters() === 0);
});

for (const where of ["startHere", "startWorker"]) {
  test(`nothing is left of what was loaded, and nothing is answered any more: ${where}`, async () => {
    const workers = () => kit.page.workers().length;
    await until(() => workers() === 0);
    const told = await kit.page.evaluate(
      async ({ where, item }) => {
        const runtime = await kit[where]({ enginesURL: "/spare/" });
        const source = { folder: "/spare/", name: "text-processor" };
        const [pipeline, other, idle] = [
          await runtime.load(source),
          await runtime.load(source),
          await runtime.load(source),
        ];
        const session = await pipeline.session({ asText: true });
        await session.sendLines([item]);
        await session.receive();
        const coming = runtime.load(source);
        runtime.dispose();
        runtime.dispose();
        const attempts = [
          coming,
          runtime.load(source),
          runtime.check("{}"),
          runtime.toJson(1),
          runtime.fromJson("1"),
          session.receive(),
          other.session(),
          Array.fromAsync(idle.run([{ value: 1 }])),
        ];
        pipeline.unload();
        session.cancel();
        return Promise.all(
          attempts.map((attempt) =>
            attempt.then(
              () => "done",
              (error) => `${error.kind}: ${error.message}`,
            ),
          ),
        );
      },
      { where, item },
    );
    assert.deepEqual(new Set(told), new Set(["stopped: the runtime was disposed of"]));
    await until(() => workers() === 0);
  });
}

async function until(isSo) {
  for (let left = 100; !isSo(); left -= 1) {
    assert.ok(
      left > 0,
      kit.page
        .workers()
        .map((worker) => worker.url())
        .join(),
    );
    await new Promise((done) => setTimeout(done, 50));
  }
}
