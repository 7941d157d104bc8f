// What the executor asks of a host of Python nodes, with a host that answers from a script.
import assert from "node:assert/strict";
import { test } from "node:test";
import { testPage } from "./harness.mjs";

const kit = testPage();

/** A bundle of one Python node between two Rust nodes, run with one of the scripts of the page. */
function run(
  script,
  input,
  { onError = "fail", timeout = 60_000, protocol = 2, cancelAfter, large = false, unloadFirst = false } = {},
) {
  return kit.page.evaluate(
    async ({ script, input, onError, timeout, protocol, cancelAfter, large, unloadFirst }) => {
      const host = kit.scriptedHost(kit.scripts[script], protocol);
      const runtime = await kit.LocalRuntime.start(kit.EXECUTOR, new Map([["script", () => Promise.resolve(host)]]));
      const manifest = {
        version: "v1",
        metadata: { name: "test" },
        nodes: [
          large
            ? { id: "before", node_type: "PassThrough" }
            : { id: "before", node_type: "MultiplyNode", params: { factor: 2 } },
          { id: "case", node_type: "Case", params: { x: 1 } },
          { id: "after", node_type: "PassThrough" },
        ],
        connections: [
          { from: "before", to: "case" },
          { from: "case", to: "after" },
        ],
      };
      const nodes = { Case: { module: "node", class: "Case", is_async: false, is_streaming: false, is_source: false } };
      const content = await kit.bundleOf({ name: "test", target: "script", nodes, manifest });
      let pipeline;
      try {
        pipeline = await runtime.load({ content, file: "test.rmpkg" });
      } catch (error) {
        return { failure: error.report(), log: host.log };
      }
      const session = await pipeline.session({ onError, timeout });
      const [outputs, reports] = [[], []];
      session.onReport = ({ policy, error }) => reports.push(`${policy}: ${error.report()}`);
      const sound = kit.audio(new Float32Array(5000).fill(0.5), 16_000);
      const items = large ? [[sound, new Uint8Array(9999)]] : input;
      await session.send(items.map((value) => ({ value })));
      session.close();
      if (unloadFirst) pipeline.unload();
      if (cancelAfter !== undefined) setTimeout(() => session.cancel(), cancelAfter);
      let failure;
      try {
        for await (const { value } of session) {
          const parts = Array.isArray(value) ? kit.asAudio(value[0]) : undefined;
          outputs.push(
            parts === undefined
              ? value
              : {
                  sound: parts.samples.length,
                  last: parts.samples.at(-1),
                  rate: parts.sample_rate,
                  bytes: value[1].length,
                },
          );
        }
      } catch (error) {
        failure = error.report();
      }
      pipeline.unload();
      return { outputs, reports, failure, log: host.log, python: pipeline.nodes.map((node) => node.isPython) };
    },
    { script, input, onError, timeout, protocol, cancelAfter, large, unloadFirst },
  );
}

test("a host is asked for an instance, and that for each operation", async () => {
  const { outputs, failure, log, python } = await run("double", [1, 2, 3]);
  assert.equal(failure, undefined);
  assert.deepEqual(outputs, [2, 2, 4, 4, 6, 6]);
  assert.deepEqual(python, [false, true, false]);
  assert.deepEqual(log, [
    "make case 1",
    "Create 1",
    "Process 1",
    "Process 1",
    "Process 1",
    "Flush 1",
    "Cleanup 1",
    "dispose 1",
    "dispose all",
  ]);
});

test("a host is kept until the last run is over", async () => {
  const { outputs, log } = await run("double", [1], { unloadFirst: true });
  assert.deepEqual(outputs, [2, 2]);
  assert.deepEqual(log.slice(-3), ["Cleanup 1", "dispose 1", "dispose all"]);
  assert.equal(log.filter((line) => line === "dispose all").length, 1);
});

test("large values reach Python beside the marshal data, and come back", async () => {
  const { outputs, failure } = await run("sizes", [], { large: true });
  assert.equal(failure, undefined);
  const [sizes, back] = outputs;
  assert.deepEqual(sizes, { sound: 5000, last: 0.5, rate: 16000, bytes: 9999 });
  assert.deepEqual(back, sizes);
});

test("an exception is told with the node and the item", async () => {
  const { outputs, failure, log } = await run("raiseAtFour", [1, 2, 3]);
  assert.deepEqual(outputs, [2]);
  assert.match(
    failure,
    /^node `case` failed on item 2\n {2}Traceback .*\n {4}File "node\.py", line 7, in Case\.process\n {2}ValueError: no$/,
  );
  assert.ok(log.includes("Cleanup 1"));
});

test("an exception can be skipped", async () => {
  const { outputs, reports, log } = await run("raiseAtFour", [1, 2, 3], { onError: "skip" });
  assert.deepEqual(outputs, [2, 6]);
  assert.equal(reports.length, 1);
  assert.ok(!log.includes("make case 2"), "the interpreter is well");
});

test("an interpreter that is gone is replaced where items are skipped", async () => {
  const { outputs, reports, log } = await run("goneAtFour", [1, 2, 3], { onError: "skip" });
  assert.deepEqual(outputs, [2, 6]);
  assert.match(reports[0], /^skipped: node `case` failed on item 2\n {2}the worker has stopped$/);
  assert.ok(log.includes("make case 2") && log.includes("dispose 1"));
});

test("an interpreter that takes too long is stopped", async () => {
  const { failure, log } = await run("hangAtFour", [1, 2], { timeout: 50 });
  assert.equal(
    failure,
    "node `case` failed on item 2\n  it took longer than 0.05 s, the time that node `case` may take",
  );
  assert.ok(log.includes("dispose 1"));
});

test("a timer for longer than browsers take is none that has run out", async () => {
  const { soon, late, stopped, calls } = await kit.page.evaluate(async () => {
    const original = globalThis.setTimeout;
    let calls = 0;
    globalThis.setTimeout = (...parts) => {
      calls += 1;
      return original(...parts);
    };
    const begun = performance.now();
    const told = { soon: undefined, late: 0, stopped: 0 };
    const done = Promise.withResolvers();
    kit.later(done.resolve, 120, 50);
    const late = kit.later(() => (told.late += 1), 2 ** 31);
    kit.later(() => (told.stopped += 1), 80, 50)();
    await done.promise;
    late();
    globalThis.setTimeout = original;
    return { ...told, soon: performance.now() - begun, calls };
  });
  assert.ok(soon >= 119, String(soon));
  assert.deepEqual([late, stopped, calls], [0, 0, 5]);
});

test("an interpreter may take a month, and is not asked all the time whether that is over", async () => {
  await kit.page.evaluate(() => {
    globalThis.original = setTimeout;
    globalThis.timers = 0;
    globalThis.setTimeout = (...parts) => {
      timers += 1;
      return original(...parts);
    };
  });
  const { outputs, failure, log } = await run("hangAtFour", [1, 2], { timeout: 2 ** 31 + 1000, cancelAfter: 100 });
  const timers = await kit.page.evaluate(() => {
    globalThis.setTimeout = original;
    return timers;
  });
  assert.equal(failure, undefined);
  assert.deepEqual(outputs, [2]);
  assert.ok(log.includes("dispose 1"));
  // One that watches, and that of the test which cancels.
  assert.equal(timers, 2);
});

test("cancelling does not wait for an interpreter that is at work", async () => {
  const { outputs, failure, log } = await run("hangAtFour", [1, 2], { cancelAfter: 50 });
  assert.equal(failure, undefined);
  assert.deepEqual(outputs, [2]);
  assert.ok(log.includes("dispose 1") && !log.includes("Cleanup 1"));
});

test("a host of another version is refused", async () => {
  const { failure, log } = await run("double", [1], { protocol: 9 });
  assert.match(failure, /^the Python of bundle `test` speaks version 9 of the operations, not 2\nhint: /);
  assert.deepEqual(log, ["dispose all"]);
});

test("without a host a bundle with Python says what can be done", async () => {
  const message = await kit.page.evaluate(async () => {
    const runtime = await kit.startWorker();
    const nodes = { Case: { module: "node", class: "Case", is_async: false, is_streaming: false, is_source: false } };
    const manifest = {
      version: "v1",
      metadata: { name: "t" },
      nodes: [{ id: "a", node_type: "Case" }],
      connections: [],
    };
    const content = await kit.bundleOf({ name: "t", target: "other", nodes, manifest });
    return runtime.load({ content, file: "t.rmpkg" }).catch((error) => `${error.kind}: ${error.report()}`);
  });
  assert.match(
    message,
    /^python: the bundle `t` has Python nodes \(`Case`\) for the target other, which no page can run\nhint: /,
  );
});

test("what is printed comes in lines, and after a call without their end", async () => {
  const { lines, longest, rest } = await kit.page.evaluate(() => {
    const memory = new WebAssembly.Memory({ initial: 4 });
    const lines = [];
    const { functions, flush } = kit.wasi(
      () => ({ memory, allocate: () => 0 }),
      (stream, line) => lines.push(`${stream}: ${line}`),
    );
    const [OUT, ERR] = [2, 3];
    const write = (stream, bytes) => {
      new Uint8Array(memory.buffer, 16, bytes.length).set(bytes);
      functions.get("wasi:io/streams@0.2.0#[method]output-stream.write")(stream, 16, bytes.length, 0);
    };
    const text = (text) => new TextEncoder().encode(text);
    write(OUT, text("one\ntw"));
    write(ERR, text("warning\r\n"));
    write(OUT, text("o\n\nno end, \u00e9").slice(0, -1));
    write(OUT, text("\u00e9").slice(1));
    flush();
    flush();
    const told = lines.splice(0);
    // A line that never ends.
    for (let count = 0; count < 200; count += 1) write(OUT, new Uint8Array(1000).fill(0x78));
    const longest = Math.max(...lines.map((line) => line.length));
    flush();
    return { lines: told, longest, rest: lines.map((line) => line.length - "stdout: ".length) };
  });
  assert.deepEqual(lines, ["stdout: one", "stderr: warning", "stdout: two", "stdout: ", "stdout: no end, é"]);
  assert.ok(longest < 67_000, String(longest));
  assert.deepEqual(rest, [66_000, 66_000, 66_000, 2_000]);
});
