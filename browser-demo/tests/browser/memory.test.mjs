// Large values move between threads in memory that is used again: none may turn up in another's place, and what is sent stays.
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { pack } from "../../scripts/bundles.mjs";
import { demo, testPage } from "./harness.mjs";

const root = join(demo, ".cache/test/memory");
const kit = testPage();

const NODES = `
from remotemedia import Audio


class Same:
    def process(self, data):
        return data


class Twice:
    """The same memory in two places of an output."""

    def process(self, data):
        return {"first": data, "list": [data, None]}


class Louder:
    """Other contents of the same size."""

    def process(self, data):
        samples = bytearray(data.samples)
        view = memoryview(samples).cast("f")
        for index in range(0, len(view), 1000):
            view[index] *= 2
        return Audio(samples, data.sample_rate, data.channels)


class Buffer:
    """Its memory is made when it is asked for, where what came in may have been."""

    def __init__(self, size):
        self.size = size

    def __buffer__(self, flags):
        return memoryview(b"x" * self.size)


class Other:
    def process(self, data):
        return Buffer(data.samples.nbytes)


class First:
    """A part of what came in, from the same address on."""

    def process(self, data):
        return Audio(data.samples[: len(data.samples) // 2], data.sample_rate)
`;
const TYPES = ["Same", "Twice", "Louder", "Other", "First"];

before(() => {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, "nodes.py"), NODES);
  for (const type of TYPES) {
    const manifest = {
      version: "v1",
      metadata: { name: type.toLowerCase() },
      nodes: [{ id: "node", node_type: type }],
    };
    writeFileSync(join(root, `${type}.json`), JSON.stringify(manifest));
    for (const target of ["web", "pyodide"])
      pack("build", join(root, `${type}.json`), "--target", target, "--out", root);
  }
});

/** Send sounds of two sizes, each full of a number of its own; of every output the numbers at the beginning and the end. */
function run(name, where, target, wrap = "plain") {
  return kit.page.evaluate(
    async ({ name, where, target, wrap }) => {
      const runtime = await kit[where]();
      const source = { folder: "/memory/", name, target };
      const pipeline = name === "echo" ? await runtime.load(echo()) : await runtime.load(source);
      const session = await pipeline.session();
      const sounds = Array.from({ length: 40 }, (_, n) => new Float32Array(n % 3 === 0 ? 9000 : 6000).fill(n + 1));
      const wrapped = {
        plain: (sound) => sound,
        list: (sound) => [1, sound],
        dictionary: (sound) => ({ a: sound, b: null }),
      };
      const values = sounds.map((samples) => wrapped[wrap](kit.audio(samples, 48_000)));
      const outputs = [];
      const sending = (async () => {
        // Some by themselves, some together.
        for (const value of values.slice(0, 10)) await session.send([{ value }]);
        await session.send(values.slice(10).map((value) => ({ value })));
        session.close();
      })();
      for await (const { value } of session) outputs.push(ends(value));
      await sending;
      const sent = sounds.map((samples) => [samples.length, samples[0], samples.at(-1)]);
      runtime.dispose();
      return { outputs, sent };

      function ends(value) {
        const sound = kit.asAudio(value)?.samples ?? (value instanceof Uint8Array ? value : undefined);
        if (sound !== undefined) return [sound.length, sound[0], sound.at(-1)];
        if (value === null || typeof value !== "object") return value;
        return Object.values(value).map(ends);
      }
      function echo() {
        const nodes = [{ id: "echo", node_type: "Echo" }];
        const manifest = { version: "v1", metadata: { name: "echo" }, nodes };
        return { content: JSON.stringify(manifest), file: "echo.json" };
      }
    },
    { name, where, target, wrap },
  );
}

/** For each sound, what a function makes of its length and number. */
const expected = (of) => Array.from({ length: 40 }, (_, n) => of(n % 3 === 0 ? 9000 : 6000, n + 1));
const whole = (length, number) => [length, number, number];

for (const where of ["startWorker", "startHere"]) {
  for (const [wrap, wrapped] of [
    ["plain", (sound) => sound],
    ["list", (sound) => [1, sound]],
    ["dictionary", (sound) => [sound, null]],
  ]) {
    test(`sounds keep to their places: Rust, ${wrap}, ${where}`, async () => {
      const { outputs, sent } = await run("echo", where, "auto", wrap);
      assert.deepEqual(
        outputs,
        expected((length, number) => wrapped(whole(length, number))),
      );
      assert.deepEqual(sent, expected(whole));
    });
  }
  for (const target of ["web", "pyodide"]) {
    test(`sounds keep to their places: Python, ${target}, ${where}`, async () => {
      for (const [name, of] of [
        ["same", whole],
        ["twice", (length, number) => [whole(length, number), [whole(length, number), null]]],
        ["louder", (length, number) => [length, 2 * number, number]],
        ["other", (length) => [4 * length, 0x78, 0x78]],
        ["first", (length, number) => whole(length / 2, number)],
      ]) {
        const { outputs, sent } = await run(name, where, target);
        assert.deepEqual(outputs, expected(of), name);
        assert.deepEqual(sent, expected(whole), name);
      }
    });
  }
}

test("what is sent stays whatever else is beside it", async () => {
  const left = await kit.page.evaluate(async () => {
    const runtime = await kit.startWorker();
    const nodes = [{ id: "echo", node_type: "Echo" }];
    const content = JSON.stringify({ version: "v1", metadata: { name: "echo" }, nodes });
    const session = await (await runtime.load({ content, file: "echo.json" })).session();
    // Its slice is a view, as that of npm's `Buffer`.
    class Sliced extends Uint8Array {
      slice(...range) {
        return this.subarray(...range);
      }
    }
    const [bytes, mask, sliced] = [new Uint8Array(30_000), new Uint8Array(40_000).subarray(5000), new Sliced(50_000)];
    const picture = { width: 100, height: 100, format: "rgb24", data: bytes };
    const values = [
      { $video: picture, mask },
      { picture: { $video: picture, mask }, list: [mask] },
      [mask, mask, { $video: picture }],
      sliced,
    ];
    await session.send(values.map((value) => ({ value })));
    session.close();
    const outputs = [];
    for await (const { value } of session) outputs.push(value);
    runtime.dispose();
    return {
      parts: [bytes, mask, sliced].map(({ length }) => length),
      outputs: outputs.length,
      last: outputs[3].length,
    };
  });
  assert.deepEqual(left, { parts: [30_000, 35_000, 50_000], outputs: 4, last: 50_000 });
});

test("a small part of something large does not take all of it along", async () => {
  const { took, lasts, left } = await kit.page.evaluate(async () => {
    const runtime = await kit.startWorker();
    const nodes = [{ id: "echo", node_type: "Echo" }];
    const content = JSON.stringify({ version: "v1", metadata: { name: "echo" }, nodes });
    const session = await (await runtime.load({ content, file: "echo.json" })).session();
    const recording = Float32Array.from({ length: 10_000_000 }, (_, index) => index % 1000);
    const bytes = new Uint8Array(recording.buffer);
    const sound = (n) => kit.audio(recording.subarray(320 * n, 320 * (n + 1)), 16_000);
    const forms = [
      // In memory of its own, to compare with.
      (n) => kit.audio(recording.slice(320 * n, 320 * (n + 1)), 16_000),
      (n) => sound(n),
      (n) => bytes.subarray(n, n + 100),
      (n) => ({ deep: [{ sound: sound(n) }] }),
      (n) => new Map([[1, sound(n)]]),
      (n) => Array.from({ length: 100 }, () => sound(n)),
      (n) => ({ $audio: sound(n).$audio, mask: bytes.subarray(n, n + 100), n }),
    ];
    const lasts = [];
    const times = [];
    for (const form of forms) {
      const begun = performance.now();
      for (let n = 0; n < 20; n += 1) {
        await session.send([{ value: form(n) }]).catch((error) => lasts.push(error.kind));
        if (lasts.at(-1) === "item") break;
        const [{ value }] = await session.receive();
        if (n === 19) lasts.push(JSON.stringify(value, (_, part) => (part?.buffer ? part.length : part)).slice(0, 60));
      }
      times.push(Math.round(performance.now() - begun));
    }
    session.close();
    runtime.dispose();
    return { took: times, lasts, left: recording.length };
  });
  assert.equal(left, 10_000_000);
  assert.deepEqual(
    lasts.map((last) => last.slice(0, 9)),
    ['{"$audio"', '{"$audio"', "100", '{"deep":[', "{}", '[{"$audio', "item"],
  );
  // Each message with 40 MB took some 60 ms, where nothing else was at work.
  for (const time of took) assert.ok(time < 5 * took[0] + 500, took.join(" "));
});
