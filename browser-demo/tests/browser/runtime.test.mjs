// Pipelines of Rust nodes in a worker and in the page: outputs, order, back-pressure, errors, downloads.
import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bundles, demo, lines, manifest, testPage } from "./harness.mjs";

const kit = testPage();

const CALCULATOR = manifest("calculator");

/** The outputs of a pipeline for lines of input, as text; in a worker unless told otherwise. */
function run(source, input, where = "startWorker", options = {}) {
  return kit.page.evaluate(
    async ({ source, input, where, options }) => {
      const runtime = await kit[where]();
      try {
        const pipeline = await runtime.load(source);
        const session = await pipeline.session({ asText: true, ...options });
        const outputs = [];
        const reports = [];
        session.onReport = ({ policy, error }) => reports.push([policy, error.message]);
        const sending = session.sendLines(input).then(
          () => session.close(),
          (error) => error,
        );
        let failure;
        try {
          for await (const { value } of session) outputs.push(value);
        } catch (error) {
          failure = { kind: error.kind, report: error.report() };
        }
        await sending;
        return { outputs, failure, reports };
      } finally {
        runtime.dispose();
      }
    },
    { source, input, where, options },
  );
}

const manifestOf = (nodes, connections = []) => ({
  content: JSON.stringify({ version: "v1", metadata: { name: "test" }, nodes, connections }),
  file: "test.json",
});

for (const where of ["startWorker", "startHere"]) {
  test(`calculator gives 20, 24 and 16 (${where})`, async () => {
    const { outputs } = await run(CALCULATOR, lines("calculator", "input.jsonl"), where);
    assert.deepEqual(outputs, ["20", "24", "16"]);
  });
}

test("every example of Rust nodes gives what it must", async () => {
  const rustOnly = readdirSync(bundles, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("_"))
    .map(({ name }) => name)
    .filter((name) => !readdirSync(join(bundles, name), { recursive: true }).some((file) => file.endsWith(".py")));
  assert.ok(rustOnly.includes("calculator"));
  for (const name of rustOnly) {
    const { outputs, failure } = await run(manifest(name), lines(name, "input.jsonl"));
    assert.equal(failure, undefined, name);
    assert.deepEqual(outputs, lines(name, "expected.jsonl"), name);
  }
});

test("without Python nodes nothing is downloaded but the page, the worker and the executor", async () => {
  const fresh = await kit.browser.newPage();
  kit.requests.length = 0;
  await fresh.goto(`${kit.address}tests/page/`);
  await fresh.waitForFunction(() => "kit" in globalThis);
  await fresh.evaluate(async (source) => {
    const runtime = await kit.startWorker();
    const pipeline = await runtime.load(source);
    for await (const _ of pipeline.run([{ value: 1 }])) continue;
  }, CALCULATOR);
  const kinds = kit.requests.map((path) => path.replace(/-[\w-]{8}\./, "."));
  const own = ["/assets/index.js", "/assets/rm_runtime.wasm", "/assets/worker.js", "/tests/page/"];
  // What pages and hosts have in common may be a script of its own.
  const shared = ["/assets/bundle.js"];
  assert.deepEqual(kinds.filter((kind) => !shared.includes(kind)).sort(), own);
  await fresh.close();
});

test("the executor does not grow unnoticed", () => {
  // Larger where the standard library comes compiled, as from rustup without rust-src, than where it is compiled along.
  for (const [file, limit] of [
    ["rm_runtime.wasm", 120_000],
    ["rm_runtime_rest.wasm", 420_000],
    ["rm_zstd.wasm", 75_000],
  ]) {
    const { size } = statSync(join(demo, "src/runtime/wasm", file));
    assert.ok(
      size < limit,
      `${file} has ${size} bytes: raise the limit if that is what it takes, and ARCHITECTURE.md with it`,
    );
  }
});

test("values keep their kinds", async () => {
  const echo = manifestOf([{ id: "echo", node_type: "Echo" }]);
  const texts = [
    '[1,1.5,-0.0,18446744073709551616,-9007199254740993,"\\ud800é😀",null,true]',
    '{"$bytes":"AAH/"}',
    '{"$dict":[["$audio",2]]}',
    '{"$float":"nan"}',
    '{"$audio":{"sample_rate":8000,"channels":2,"samples":"AAAAAAAAgD8="}}',
    '{"$video":{"width":2,"height":1,"format":"gray8","data":"AAE="}}',
    '{"$tensor":{"shape":[2,1],"dtype":"i16","data":"AAABAA=="}}',
    `"${"long ".repeat(5000)}"`,
  ];
  const there = await kit.page.evaluate(
    async ({ echo, texts }) => {
      const runtime = await kit.startWorker();
      const pipeline = await runtime.load(echo);
      const values = await Promise.all(texts.map((text) => runtime.fromJson(text)));
      const outputs = [];
      for await (const output of pipeline.run(values.map((value) => ({ value, session: "s", timestampUs: 7 })))) {
        outputs.push(output);
      }
      const large = new Uint8Array(10_000).fill(7);
      const [first] = await Array.fromAsync(pipeline.run([{ value: { deep: [large, { $float: 5 }] } }]));
      return {
        back: await Promise.all(outputs.map(({ value }) => runtime.toJson(value))),
        about: outputs.map(({ node, session, timestampUs, sequence }) => [node, session, timestampUs, sequence]),
        bytes: first.value.deep[0] instanceof Uint8Array && first.value.deep[0].every((byte) => byte === 7),
        float: await runtime.toJson({ $float: 5 }),
      };
    },
    { echo, texts },
  );
  assert.deepEqual(there.back, texts);
  assert.deepEqual(there.about[7], ["echo", "s", 7, 7]);
  assert.ok(there.bytes);
  assert.equal(there.float, "5.0");
});

test("what is no value is refused with its place", async () => {
  const messages = await kit.page.evaluate(async (source) => {
    const runtime = await kit.startHere();
    const pipeline = await runtime.load(source);
    const messages = [];
    for (const value of [
      () => 1,
      [new Date()],
      { a: { $audio: 5 } },
      [[Symbol("x")]],
      [1, , 2],
      { list: new Array(3) },
    ]) {
      const session = await pipeline.session();
      await session.send([{ value: 1 }, { value }]).catch((error) => messages.push(`${error.kind}: ${error.message}`));
      session.cancel();
    }
    return messages;
  }, CALCULATOR);
  assert.equal(messages[0], "item: item 2 cannot be read: $: a function is not a value");
  assert.equal(messages[1], "item: item 2 cannot be read: $[0]: an object of the class Date is not a value");
  assert.match(messages[2], /^item: item 2 cannot be read: \$\.a: `\$audio` does not hold what it should/);
  assert.equal(messages[3], "item: item 2 cannot be read: $[0][0]: a symbol is not a value");
  assert.equal(messages[4], "item: item 2 cannot be read: $[1]: undefined is not a value");
  assert.equal(messages[5], "item: item 2 cannot be read: $.list[0]: undefined is not a value");
});

test("an item that is not JSON is named, and those before it are worked on", async () => {
  const result = await kit.page.evaluate(async (source) => {
    const runtime = await kit.startWorker();
    const session = await (await runtime.load(source)).session();
    const error = await session.sendLines(["5", "7", "{"]).catch((error) => error);
    session.close();
    return {
      kind: error.kind,
      message: error.message,
      item: error.details.item,
      outputs: await Array.fromAsync(session),
    };
  }, CALCULATOR);
  assert.equal(result.kind, "item");
  assert.match(result.message, /^item 3 cannot be read: line 1, column 1: EOF/);
  assert.equal(result.item, 3);
  assert.deepEqual(
    result.outputs.map(({ value }) => value),
    [20, 24],
  );
});

test("a failing node ends the run as it does natively, unless it is told to skip or stop", async () => {
  const node = { id: "add", node_type: "AddNode", params: { addend: 1 } };
  const input = ["1", '"x"', "3"];
  const failed = await run(manifestOf([node]), input);
  assert.deepEqual(failed.outputs, ["2"]);
  assert.equal(failed.failure.report, 'node `add` failed on item 2\n  expected a number (int or float), got str "x"');
  const skipped = await run(manifestOf([node]), input, "startWorker", { onError: "skip" });
  assert.deepEqual(skipped.outputs, ["2", "4"]);
  assert.deepEqual(skipped.reports, [["skipped", "node `add` failed on item 2"]]);
  const stopped = await run(manifestOf([{ ...node, on_error: "stop" }]), input, "startHere");
  assert.deepEqual(stopped.outputs, ["2"]);
  assert.equal(stopped.failure, undefined);
});

test("manifests are refused with everything that is wrong, each with its place", async () => {
  const refused = (content, file) =>
    kit.page.evaluate(
      async ({ content, file }) => {
        const runtime = await kit.startWorker();
        const checked = await runtime.check(content, file);
        const error = await runtime.load({ content, file }).catch((error) => error);
        return { troubles: checked.troubles, kind: error.kind, message: error.message };
      },
      { content, file },
    );
  const twice = await refused(
    '{"version": "v2", "metadata": {"name": ""},\n "nodes": [{"id": "a b", "node_type": "Echo"}]}',
    "a.json",
  );
  assert.equal(twice.kind, "manifest");
  assert.deepEqual(
    twice.troubles.map(({ place, line, column }) => `${line}:${column} ${place}`),
    ["1:13 version", "1:40 metadata.name", "2:19 nodes[0].id"],
  );
  assert.match(twice.message, /^a\.json:1:13: version: expected "v1"/);
  const unknown = await refused(
    "version: v1\nmetadata: {name: t}\nnodes:\n  - {id: a, node_type: MultiplyNod}\n",
    "a.yaml",
  );
  assert.equal(
    unknown.message,
    "nodes[0].node_type: node `a` has the unknown type `MultiplyNod`, searched in the Rust nodes (Python nodes come with a bundle); did you mean `MultiplyNode`?",
  );
  assert.deepEqual(
    unknown.troubles.map(({ line, column }) => [line, column]),
    [[4, 24]],
  );
  const syntax = await refused("version: [", "a.yaml");
  assert.equal(syntax.troubles.length, 1);
});

test("sending waits for room, and a long stream passes in order", async () => {
  const { order, waited, metrics } = await kit.page.evaluate(async (source) => {
    const runtime = await kit.startWorker();
    const session = await (await runtime.load(source)).session();
    const count = 20_000;
    let sent = false;
    const sending = session.send(Array.from({ length: count }, (_, value) => ({ value }))).then(() => {
      sent = true;
      session.close();
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const waited = !sent;
    let next = 10;
    for await (const { value } of session) {
      if (value !== next) return { order: value };
      next += 2;
    }
    await sending;
    return { order: (next - 10) / 2, waited };
  }, CALCULATOR);
  assert.equal(order, 20_000);
  assert.ok(waited, "everything was taken although nobody received");
});

test("metrics count the work of each node", async () => {
  const metrics = await kit.page.evaluate(async (source) => {
    const runtime = await kit.startHere();
    const session = await (await runtime.load(source)).session();
    await session.send([{ value: 1 }, { value: 2 }]);
    await session.receive();
    return session.metrics();
  }, CALCULATOR);
  assert.deepEqual(
    metrics.map(({ node, count, results }) => [node, count, results]),
    [
      ["multiply", 2, 0],
      ["add", 2, 2],
    ],
  );
  for (const { p50, p95 } of metrics) assert.ok(p50 >= 0 && p95 >= p50 && p95 < 1000, `${p50} ${p95}`);
});

test("leaving the loop early ends the run", async () => {
  const seen = await kit.page.evaluate(async (source) => {
    const runtime = await kit.startWorker();
    const pipeline = await runtime.load(source);
    let made = 0;
    function* endless() {
      for (;;) yield { value: made++ };
    }
    const seen = [];
    for await (const { value } of pipeline.run(endless())) {
      seen.push(value);
      if (seen.length === 3) break;
    }
    const pause = () => new Promise((resolve) => setTimeout(resolve, 100));
    await pause();
    const before = made;
    await pause();
    return { seen, stopped: made === before };
  }, CALCULATOR);
  assert.deepEqual(seen, { seen: [10, 12, 14], stopped: true });
});

test("a run ends when its stream does, whatever its source waits for", async () => {
  for (const where of ["startWorker", "startHere"]) {
    const node = { id: "add", node_type: "AddNode", params: { addend: 1 } };
    const ended = await kit.page.evaluate(
      async ({ where, stops, fails }) => {
        const runtime = await kit[where]();
        const left = [];
        async function* waiting() {
          try {
            yield { value: 1 };
            yield { value: "bad" };
            await globalThis.forever;
          } finally {
            left.push("waiting");
          }
        }
        // Asked for an item, and left before it comes.
        const asked = {
          [Symbol.asyncIterator]: () => ({
            items: [1, "bad"],
            next() {
              const value = this.items.shift();
              return value === undefined
                ? new Promise(() => undefined)
                : Promise.resolve({ value: { value }, done: false });
            },
            return() {
              left.push("asked");
              return Promise.resolve({ done: true });
            },
          }),
        };
        const forever = Promise.withResolvers();
        globalThis.forever = forever.promise;
        const told = [];
        for (const [source, items] of [
          [stops, waiting()],
          [stops, asked],
          [fails, asked],
        ]) {
          const outputs = [];
          try {
            for await (const { value } of (await runtime.load(source)).run(items)) outputs.push(value);
            told.push(outputs);
          } catch (error) {
            told.push([...outputs, error.kind]);
          }
        }
        forever.resolve();
        await new Promise((done) => setTimeout(done, 50));
        runtime.dispose();
        return { told, left: left.sort() };
      },
      { where, stops: manifestOf([{ ...node, on_error: "stop" }]), fails: manifestOf([node]) },
    );
    assert.deepEqual(ended, { told: [[2], [2], [2, "node"]], left: ["asked", "asked", "waiting"] });
  }
});

test("what a source throws ends the run with that", async () => {
  const told = await kit.page.evaluate(async (source) => {
    const runtime = await kit.startWorker();
    function* broken() {
      yield { value: 1 };
      throw new RangeError("no more");
    }
    try {
      for await (const _ of (await runtime.load(source)).run(broken())) continue;
      return "nothing";
    } catch (error) {
      return `${error.name}: ${error.message}`;
    } finally {
      runtime.dispose();
    }
  }, CALCULATOR);
  assert.equal(told, "RangeError: no more");
});

test("a worker of another version is refused, and so is a page", async () => {
  const answers = await kit.page.evaluate(async () => {
    const script = performance.getEntriesByType("resource").find(({ name }) => name.includes("worker"));
    const worker = new Worker(script.name, { type: "module" });
    const ask = (message) =>
      new Promise((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage(message);
      });
    return [
      await ask({ protocol: 99, id: 4 }),
      await ask({ protocol: kit.PROTOCOL, id: 5, method: "check", arguments: [""] }),
    ];
  });
  const protocol = await kit.page.evaluate(() => kit.PROTOCOL);
  assert.equal(answers[0].error.message, `the worker speaks version ${protocol}, the page 99`);
  assert.equal(answers[0].id, 4);
  assert.match(answers[1].error.message, /before it was opened/);
});

test("an executor that cannot be had is told with the next step", async () => {
  const errors = await kit.page.evaluate(async () => {
    const parts = [{ core: "/nowhere.wasm" }, { rest: "/nowhere.wasm" }];
    const errorOf = (part) => kit.LocalRuntime.start({ ...kit.EXECUTOR, ...part }).catch((error) => error.report());
    return Promise.all(parts.map(errorOf));
  });
  const told = "at /nowhere.wasm cannot be loaded: the server answered 404 Not Found\nhint: ";
  assert.ok(errors[0].startsWith(`the executor ${told}`), errors[0]);
  assert.ok(errors[1].startsWith(`the rest of the executor ${told}`), errors[1]);
});

test("the page's policy refused nothing, and nothing was left uncaught", () => {
  assert.deepEqual(
    kit.problems.filter((text) => !text.includes("404")),
    [],
  );
});
