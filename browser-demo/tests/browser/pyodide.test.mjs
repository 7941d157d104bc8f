// Python nodes in Pyodide: every example gives what it gives natively, and what goes wrong is told as natively.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  bundles,
  demo,
  exampleManifest,
  lines,
  packBuffer,
  runBundle,
  runNatively,
  testPage,
  withoutPacker as skip,
} from "./harness.mjs";

const kit = testPage();

const run = (bundle, options) => runBundle(kit, bundle, options);

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

/** A bundle of one of the nodes in `nodes/nodes.py`, for Pyodide, and how the same fares natively. */
function node(type, { params = {}, input, onError = "fail", options = [] }) {
  const folder = mkdtempSync(join(tmpdir(), "rm-browser-"));
  try {
    const manifest = {
      version: "v1",
      metadata: { name: type.toLowerCase() },
      nodes: [{ id: "node", node_type: type, params, on_error: onError }],
      connections: [],
    };
    const file = join(folder, "pipeline.json");
    writeFileSync(file, JSON.stringify(manifest));
    writeFileSync(join(folder, "input.jsonl"), input.map((line) => `${line}\n`).join(""));
    const source = ["--source", join(import.meta.dirname, "nodes"), ...options];
    const bundle = packBuffer(file, "--target", "pyodide", ...source);
    const native = runNatively(file, "--input", join(folder, "input.jsonl"), ...source);
    return { bundle, native };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const [type, input] of [
  ["Generator", ["1", '"two"']],
  ["Sleeper", ["1", "2"]],
  ["AsyncGenerator", ["1", "2"]],
  ["Streaming", ["1", "2", "3"]],
  ["Flushed", ["1", "2", "3"]],
  ["Values", ["1.5", '{"a": [1, {"b": null}]}', '"ä\\ud800"', "123456789012345678901234567890"]],
  ["Recursive", ["1"]],
  ["Page", ["1"]],
]) {
  test(`a node gives what it gives natively: ${type}`, { skip }, async () => {
    const { bundle, native } = node(type, { input });
    assert.equal(native.status, 0, native.stderr);
    const { values, error } = await run(bundle, { input });
    assert.equal(error, undefined);
    assert.deepEqual(values.map((value) => `${value}\n`).join(""), native.stdout);
  });
}

test("params and state: a node begins where it is told", { skip }, async () => {
  const { bundle } = node("Flushed", { params: { start: 100 }, input: [] });
  assert.deepEqual((await run(bundle, { input: ["1", "2"] })).values, ['{"total":103}']);
  // Every run has a fresh interpreter.
  assert.deepEqual((await run(bundle, { input: [] })).values, ['{"total":100}']);
});

test("an exception is told as natively, and what was printed", { skip }, async () => {
  const { bundle, native } = node("Loud", { input: ["1"] });
  const { error, printed } = await run(bundle, { input: ["1"] });
  assert.match(
    error,
    /^node: node `node` failed on item 1\n {2}Traceback .*\n.*File "nodes\.py", line \d+, in Loud\.process\n/,
  );
  assert.match(error, /ValueError: no 1$/);
  assert.deepEqual(printed, ["node: seen 1", "node: and said"]);
  const [, line] = /nodes\.py", line (\d+)/.exec(error);
  assert.match(native.stderr, new RegExp(`line ${line}`), "on the same line as natively");
});

test("what is printed without a line end is handed over after each call", { skip }, async () => {
  const { bundle } = node("Murmur", { input: [] });
  const { values, printed } = await run(bundle, { input: ["1", "2"] });
  assert.deepEqual(values, ["1", "2"]);
  assert.deepEqual(printed, ["node: item 1", "node: é", "node: item 2", "node: é"]);
});

test("an exception can be skipped", { skip }, async () => {
  const { bundle } = node("Quiet", { input: [], onError: "skip" });
  const { values, reports } = await run(bundle, { input: ["1", "2", "3"] });
  assert.deepEqual(values, ["1", "3"]);
  assert.match(reports[0], /^skipped: node `node` failed on item 2\n[^]*ValueError: not two$/);
});

test("an interpreter whose stack has run over is gone, and another takes its place", { skip }, async () => {
  const { bundle } = node("Deep", { input: [], onError: "skip" });
  const { values, reports, error } = await run(bundle, { input: ["1", "2", "3"] });
  assert.equal(error, undefined);
  assert.deepEqual(values, ["1", "3"]);
  assert.match(reports[0], /^skipped: node `node` failed on item 2\n {2}the interpreter has stopped: /);
});

test("an interpreter that takes too long is stopped, and another takes its place", { skip }, async () => {
  const { bundle } = node("Hang", { input: [], onError: "skip" });
  const { values, reports } = await run(bundle, { input: ["1", "2", "3"], timeout: 8000 });
  assert.deepEqual(values, ["1", "3"]);
  assert.match(reports[0], /it took longer than 8 s, the time that node `node` may take$/);
});

test("what was left out is told as natively", { skip }, async () => {
  const { bundle, native } = node("Missing", { input: ["1"] });
  const { error } = await run(bundle, { input: ["1"] });
  const said = /RemovedError: `colorsys\.rgb_to_hsv` was left out of this bundle, .*/;
  assert.match(error, said);
  assert.equal(said.exec(error)[0], said.exec(native.stderr)?.[0]);
});

for (const [type, definition] of [
  ["Missing", "colorsys.rgb_to_hsv"],
  ["Cold", "graphlib"],
]) {
  test(`what was left out is brought in where the bundle has it: ${definition}`, { skip }, async () => {
    const { bundle, native } = node(type, { input: ["1"], options: ["--on-missing", "load"] });
    assert.equal(native.status, 0, native.stderr);
    const { values, error, printed } = await run(bundle, { input: ["1"] });
    assert.equal(error, undefined);
    assert.deepEqual(values.map((value) => `${value}\n`).join(""), native.stdout);
    const said = `rm-pack: \`${definition}\` was left out of this bundle and is brought in now`;
    assert.ok(native.stderr.includes(said), native.stderr);
    assert.equal(printed.filter((line) => line.startsWith(`node: ${said}`)).length, 1, printed.join("\n"));
  });
}

test("sources are there where the bundle has them", { skip }, async () => {
  const { bundle, native } = node("Source", { input: ["1"], options: ["--keep-source"] });
  assert.equal(native.status, 0, native.stderr);
  const { values, error } = await run(bundle, { input: ["1"] });
  assert.equal(error, undefined);
  assert.deepEqual(values.map((value) => `${value}\n`).join(""), native.stdout);
});

test("a module says where it comes from, and its loader does what loaders do", { skip }, async () => {
  const { bundle } = node("Imported", { input: ["1"] });
  const { values, error } = await run(bundle, { input: ["1"] });
  assert.equal(error, undefined);
  assert.deepEqual(JSON.parse(values[0]), {
    file: "/lib/python314.zip/json/__init__.pyc",
    path: ["/lib/python314.zip/json"],
    isOrigin: true,
    isPackage: [true, false],
    parent: "json",
    code: "lib/python3.14/json/__init__.py",
    isReloaded: true,
    first: "/lib/python314.zip/encodings/__init__.pyc",
    modules: ["decoder", "encoder", "scanner"],
    searched: ["/lib/python314.zip", "/remotemedia/*.whl", "/remotemedia/*.whl"],
  });
});

test("a module that was left out is told from one that does not exist", { skip }, async () => {
  const { bundle, native } = node("Absent", { input: ['"eraps"'] });
  const { error } = await run(bundle, { input: ['"bilptf"'] });
  assert.match(error, /No module named 'ftplib' in this bundle: it is in the standard library, but /);
  assert.match(error, /include = \["ftplib"\]/);
  // Nobody imports it, and it lies beside the nodes.
  const own = /No module named 'spare' in this bundle: it was there when .*; to keep it, add include = \["spare"\]/;
  assert.match((await run(bundle, { input: ['"eraps"'] })).error, own);
  assert.match(native.stderr, own);
  assert.match((await run(bundle, { input: ['"enon"'] })).error, /No module named 'none'$/);
});

test("a byte changed in a wheel or in the library is noticed before anything runs", { skip }, async () => {
  const { bundle } = node("Quiet", { input: [] });
  for (const mark of ["quiet-0.1.0.dist-info/METADATA", "PK\u0003\u0004"]) {
    const bytes = Buffer.from(bundle.bytes);
    bytes[bytes.lastIndexOf(mark) + 40] ^= 1;
    const { error, values } = await run({ ...bundle, bytes }, { input: ["1"] });
    assert.match(error, /^bundle: .* was altered after it was packed: /);
    assert.deepEqual(values, []);
  }
});

test("Pyodide's own files are checked, wherever they are served", { skip }, async () => {
  const { bundle } = node("Quiet", { input: [] });
  const folder = join(demo, ".cache/test/pyodide");
  mkdirSync(folder, { recursive: true });
  const wasm = readFileSync(join(demo, "node_modules/pyodide/pyodide.asm.wasm"));
  writeFileSync(join(folder, "pyodide.asm.wasm"), wasm);
  const pyodideURL = `${kit.address}pyodide/`;
  // Relative to the page, too, and without the slash at the end.
  for (const address of [pyodideURL, "/pyodide/", "/pyodide", "../../pyodide"]) {
    const { values, error } = await run(bundle, { input: ["1"], pyodideURL: address });
    assert.deepEqual([values, error], [["1"], undefined], address);
  }
  // In the last of its texts, so that it is still a module.
  wasm[wasm.length - 1] ^= 1;
  writeFileSync(join(folder, "pyodide.asm.wasm"), wasm);
  const { error } = await run(bundle, { input: ["1"], pyodideURL });
  assert.match(
    error,
    /^load: Pyodide's file at .*pyodide\.asm\.wasm is not the one that this page was built with: its SHA-256/,
  );
  rmSync(folder, { recursive: true });
});

test("nothing is asked of another origin, and what is known is not asked for again", { skip }, async () => {
  const { bundle } = node("Quiet", { input: [] });
  const foreign = [];
  kit.problems.length = 0;
  const listen = (request) => {
    if (!request.url().startsWith(kit.address)) foreign.push(request.url());
  };
  kit.page.context().on("request", listen);
  kit.requests.length = 0;
  assert.deepEqual((await run(bundle, { input: ["1"] })).values, ["1"]);
  kit.page.context().off("request", listen);
  assert.deepEqual(foreign, []);
  const files = kit.requests.map((path) =>
    path
      .split("/")
      .at(-1)
      .replace(/-[\w-]{8}\./, "."),
  );
  assert.equal(files.filter((file) => file === "pyodide.asm.wasm").length, 1, files.join(" "));
  assert.ok(!files.some((file) => /lock|stdlib/.test(file)), files.join(" "));
  assert.deepEqual(kit.problems, []);
});
