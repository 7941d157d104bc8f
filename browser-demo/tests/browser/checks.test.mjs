// What callers and servers give that cannot be: each is told with what it is, where, and what was expected.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { bundles, demo, manifest, packExample, testPage, withoutPacker as skip } from "./harness.mjs";

const root = join(demo, ".cache/test/checks");
const kit = testPage();
const CALCULATOR = manifest("calculator");
const PAGE = "<!doctype html><title>not found</title>";
const WHERE = ["startWorker", "startHere"];

before(() => {
  rmSync(root, { recursive: true, force: true });
  for (const [folder, index] of [
    ["page", PAGE],
    ["null", "null"],
    ["empty", '{"format":1}'],
    ["odd", '{"format":1,"bundles":[null]}'],
    ["newer", '{"format":2}'],
    ["cut", '{"format":1,"bun'],
  ]) {
    mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, folder, "index.json"), index);
  }
});

/** Load each of these, and tell what becomes of it. `given` makes what tests cannot send. */
function load(where, sources) {
  return kit.page.evaluate(
    async ({ where, sources }) => {
      const runtime = await kit[where]();
      const told = [];
      for (const source of sources) {
        const made = { nothing: undefined, number: 5, response: { content: new Response("x"), file: "a.json" } };
        const given = typeof source === "string" ? made[source] : source;
        told.push(
          await runtime.load(given).then(
            () => "loaded",
            (error) => `${error.kind}: ${error.report()}`,
          ),
        );
      }
      runtime.dispose();
      return told;
    },
    { where, sources },
  );
}

for (const where of WHERE) {
  test(`what is no source is told with what would be one: ${where}`, async () => {
    const sources = [
      ...["nothing", null, "number", {}, "response", { content: "{}", file: 5 }],
      ...[{ folder: 5 }, { folder: "http://[" }, { folder: "/checks/", name: 5 }],
      ...[
        { folder: "/checks/", target: "wasmtime" },
        { folder: "/checks/", target: "both" },
      ],
    ];
    const told = await load(where, sources);
    const firsts = told.map((text) => text.split("\n")[0]);
    assert.deepEqual(firsts, [
      "load: `load` was given undefined",
      "load: `load` was given null",
      "load: `load` was given 5",
      "load: `content` is undefined, and has to be text or bytes",
      "load: `content` is an object of the class Response, and has to be text or bytes",
      "load: `file` is 5, and has to be text",
      "load: `folder` is 5, and has to be an address",
      "load: `folder` is `http://[`, which is no address",
      "load: `name` is 5, and has to be text",
      'option: `target` is "wasmtime", and has to be "auto", "web" or "pyodide"',
      'option: `target` is "both", and has to be "auto", "web" or "pyodide"',
    ]);
    for (const text of told) assert.match(text, /\nhint: /);
    assert.match(told[4], /hint: read it first, as with `await response\.arrayBuffer\(\)`$/);
    assert.match(told[9], /hint: .*`wasmtime`.*"web"/);
  });

  test(`what servers answer in place of an index is told with its address: ${where}`, async () => {
    const told = await load(
      where,
      ["page", "null", "empty", "odd", "newer", "cut"].map((folder) => ({ folder: `/checks/${folder}`, name: "a" })),
    );
    const index = (folder) =>
      new RegExp(`^load: http\\S+/checks/${folder}/index\\.json cannot be loaded: .+\\nhint: serve the folder`);
    for (const [place, folder] of ["page", "null", "empty", "odd"].entries()) assert.match(told[place], index(folder));
    assert.match(told[0], /: it is a page, not an index: /);
    assert.match(told[1], /: it is not the index of a folder of bundles/);
    assert.match(told[4], /^version: .*index\.json has the format 2; this is 1\n/);
    assert.match(told[5], index("cut"));
  });

  test(`bytes are taken as they are downloaded: ${where}`, { skip }, async () => {
    const { file, bytes } = packExample("calculator");
    const outputs = await kit.page.evaluate(
      async ({ where, file, bytes, text }) => {
        const runtime = await kit[where]();
        const outputs = [];
        const whole = Uint8Array.from(bytes).buffer;
        for (const source of [
          { content: whole, file },
          { content: new TextEncoder().encode(text).buffer, file: "calculator.json" },
          { content: text, file: "calculator.json", bundle: whole },
        ]) {
          const pipeline = await runtime.load(source);
          for await (const { value } of pipeline.run([{ value: 5 }])) outputs.push(value);
        }
        runtime.dispose();
        return outputs;
      },
      { where, file, bytes, text: CALCULATOR.content },
    );
    assert.deepEqual(outputs, [20, 20, 20]);
  });

  test(`a page in place of a bundle is told as that: ${where}`, async () => {
    const told = await kit.page.evaluate(
      async ({ where, page }) => {
        const runtime = await kit[where]();
        const contents = [page, new TextEncoder().encode(page), new TextEncoder().encode(`\n${page}`)];
        const told = contents.map((content) =>
          runtime.load({ content, file: "x.rmpkg" }).catch((error) => `${error.kind}: ${error.report()}`),
        );
        const all = await Promise.all(told);
        runtime.dispose();
        return all;
      },
      { where, page: PAGE },
    );
    const expected =
      /^bundle: `x\.rmpkg` is not a bundle: it is text that begins with "<!doctype html>.*"\nhint: bundles are/;
    assert.match(told[0], expected);
    assert.match(told[1], expected);
    assert.match(told[2], /^bundle: `x\.rmpkg` is not a bundle: /);
  });

  test(`items and options are looked at before they are used: ${where}`, async () => {
    const told = await kit.page.evaluate(
      async ({ where, source }) => {
        const runtime = await kit[where]();
        const pipeline = await runtime.load(source);
        const tell = async (work) => {
          try {
            await work();
            return "nothing";
          } catch (error) {
            return `${error.kind}: ${error.message}`;
          }
        };
        const told = { run: [], send: [], options: [] };
        for (const items of [[1, 2], [null], [{ value: 1 }, undefined], [{}], null, undefined, 5, "12", { value: 1 }]) {
          told.run.push(await tell(() => Array.fromAsync(pipeline.run(items))));
        }
        const session = await pipeline.session();
        for (const items of [
          { value: 1 },
          undefined,
          [{ value: 1 }, 7],
          [{ value: 1, session: 5 }],
          [{ value: 1, timestampUs: 0.5 }],
        ]) {
          told.send.push(await tell(() => session.send(items)));
        }
        for (const lines of ["5", ["5", 6]]) told.send.push(await tell(() => session.sendLines(lines)));
        session.cancel();
        for (const options of [
          { onError: "Skip" },
          { timeout: NaN },
          { timeout: -1 },
          { timeout: "5" },
          { asText: 1 },
          null,
        ]) {
          told.options.push(await tell(() => pipeline.session(options)));
        }
        runtime.dispose();
        return told;
      },
      { where, source: CALCULATOR },
    );
    const none = (item, what) => `item: item ${item} is none: it is ${what}, and has to be an object with a \`value\``;
    const stream = (what) => `item: \`run\` was given ${what}, and takes items one after the other`;
    assert.deepEqual(told.run, [
      ...[none(1, "1"), none(1, "null"), none(2, "undefined"), none(1, "an object")],
      ...[stream("null"), stream("undefined"), stream("5"), stream('"12"'), stream("an object")],
    ]);
    assert.deepEqual(told.send, [
      "item: `send` was given an object, and takes a list of items",
      "item: `send` was given undefined, and takes a list of items",
      none(2, "7"),
      "item: item 1 is none: its `session` is 5, and has to be text",
      "item: item 1 is none: its `timestampUs` is 0.5, and has to be a whole number",
      'item: `sendLines` was given "5", and takes a list of texts',
      "item: item 2 is none: it is 6, and has to be text, in JSON",
    ]);
    const timeout = (what) => `option: \`timeout\` is ${what}, and has to be a number of milliseconds, 0 for ever`;
    assert.deepEqual(told.options, [
      'option: `onError` is "Skip", and has to be "fail", "skip" or "stop"',
      ...[timeout("NaN"), timeout("-1"), timeout('"5"')],
      "option: `asText` is 1, and has to be true or false",
      "option: the options of a run are null, and have to be an object",
    ]);
  });
}

test("a bundle whose download is cut off is told with its address", { skip }, async () => {
  const told = await kit.page.evaluate(async () => {
    const original = globalThis.fetch;
    const index = {
      format: 1,
      bundles: [{ name: "a", target: "wasmtime", file: "a.rmpkg", content: "", engine: null, python: false }],
    };
    const cut = () => {
      let count = 0;
      return new ReadableStream({
        pull(controller) {
          if (count++ === 0) controller.enqueue(new Uint8Array(10));
          else controller.error(new TypeError("network error"));
        },
      });
    };
    const tell = (file) => {
      globalThis.fetch = async (address) => {
        if (String(address).endsWith(file)) return new Response(cut());
        return String(address).endsWith("index.json") ? Response.json(index) : original(address);
      };
      return runtime.load({ folder: "/far/" }).catch((error) => `${error.kind}: ${error.report()}`);
    };
    const runtime = await kit.startHere();
    try {
      return [await tell("index.json"), await tell("a.rmpkg")];
    } finally {
      globalThis.fetch = original;
      runtime.dispose();
    }
  });
  for (const [place, file] of ["index\\.json", "a\\.rmpkg"].entries()) {
    const expected = `^load: http\\S+/far/${file} cannot be loaded: the download was cut off: .+\\nhint: serve the folder`;
    assert.match(told[place], new RegExp(expected));
  }
});

test("a recording is taken as it is downloaded", async () => {
  const wav = [...readFileSync(join(bundles, "voice-activity/input.wav"))];
  const { counts, error } = await kit.page.evaluate((wav) => {
    const bytes = Uint8Array.from(wav);
    const counts = [bytes, bytes.buffer].map((content) => [...kit.readWav(content, "input.wav")].length);
    try {
      kit.readWav([1, 2], "input.wav").next();
    } catch (error) {
      return { counts, error: `${error.kind}: ${error.message}` };
    }
    return { counts };
  }, wav);
  assert.ok(counts[0] > 0 && counts[0] === counts[1], counts.join());
  assert.match(error, /^item: `input\.wav` cannot be read as a WAV file: it is given as neither/);
});
