// Pipelines from folders that rm-pack wrote to: which bundle is taken, and why.
import assert from "node:assert/strict";
import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { pack } from "../../scripts/bundles.mjs";
import { demo, exampleManifest, lines, testPage } from "./harness.mjs";

const sources = join(import.meta.dirname, "packages");
const root = join(demo, ".cache/test/folders");
const kit = testPage();

before(() => {
  rmSync(root, { recursive: true, force: true });
  const example = exampleManifest("text-processor");
  for (const folder of ["pyodide", "both"]) pack("build", example, "--target", "pyodide", "--out", join(root, folder));
  pack("build", example, "--target", "web", "--brotli", "--out", join(root, "both"));
  cpSync(join(root, "both"), join(root, "engineless"), { recursive: true });
  for (const name of readdirSync(join(root, "engineless"))) {
    if (name.endsWith("-web")) rmSync(join(root, "engineless", name), { recursive: true });
  }
  pack("build", exampleManifest("calculator"), "--out", join(root, "both"));
});

/** Load a pipeline and run it: what was chosen, the outputs, and what was downloaded; or the error. */
function run(source, options = {}) {
  return kit.page.evaluate(
    async ({ source, options, input }) => {
      const runtime = await kit.startWorker(options);
      try {
        const pipeline = await runtime.load(source);
        const session = await pipeline.session({ asText: true });
        const sending = session.sendLines(input).then(() => session.close());
        const outputs = [];
        for await (const { value } of session) outputs.push(value);
        await sending;
        return { outputs, choice: pipeline.choice, downloads: await runtime.downloads() };
      } catch (error) {
        return { error: error.report() };
      } finally {
        runtime.dispose();
      }
    },
    { source, options, input: lines("text-processor", "input.jsonl") },
  );
}

const expected = lines("text-processor", "expected.jsonl");

test("the engine that runs natively comes first", async () => {
  const { outputs, choice } = await run({ folder: "/folders/both", name: "text-processor" });
  assert.deepEqual(outputs, expected);
  assert.equal(choice.target, "web");
  assert.match(choice.file, /^text-processor-wasmtime-/);
  assert.equal(choice.because, undefined);
});

test("what was begun at the start is what is loaded, and only that", async () => {
  const source = { folder: "/folders/both", name: "text-processor" };
  for (const preload of [source, { ...source, folder: "/folders/both/", target: "auto" }]) {
    const { outputs, choice, downloads } = await run(source, { preload, spare: false });
    assert.deepEqual([outputs, choice.target], [expected, "web"]);
    // Nothing comes twice.
    const files = downloads.map(({ url }) => url);
    assert.deepEqual(files, [...new Set(files)]);
    assert.ok(files.some((file) => file.endsWith(choice.file)));
  }
  const other = await run(source, { preload: { folder: "/folders/pyodide" } });
  assert.deepEqual([other.outputs, other.choice.target], [expected, "web"]);
  const broken = { folder: "/folders/engineless", name: "text-processor", target: "web" };
  assert.match((await run(broken, { preload: broken })).error, /the engine at .* cannot be loaded/);
  const second = await run({ ...broken, target: "auto" }, { preload: { ...broken, target: "auto" } });
  assert.deepEqual([second.outputs, second.choice.target], [expected, "pyodide"]);
});

test("of a pipeline without Python nodes no Python is begun", async () => {
  const files = await kit.page.evaluate(async () => {
    const preload = { folder: "/folders/both", name: "calculator" };
    const runtime = await kit.startWorker({ preload });
    await runtime.load(preload);
    const downloads = await runtime.downloads();
    runtime.dispose();
    return downloads.map(({ url }) => url.split("/").at(-1));
  });
  assert.ok(
    files.some((file) => file.startsWith("calculator-")),
    files.join(),
  );
  assert.ok(!files.some((file) => /^(host|engine|rm_zstd)\b/.test(file)), files.join());
});

test("the engine comes compressed where the server has it so", async () => {
  const { downloads } = await run({ folder: "/folders/both", name: "text-processor", target: "web" });
  const engine = downloads.filter(({ url }) => url.includes("-web/"));
  assert.ok(engine.length > 1, JSON.stringify(downloads));
  for (const { url, size } of engine) {
    const response = await kit.page.request.get(url, { headers: { "accept-encoding": "br" } });
    assert.equal(response.headers()["content-encoding"], "br");
    assert.ok(Number(response.headers()["content-length"]) < size / 2, url);
  }
});

test("Pyodide takes its place where it cannot be had, and says why", async () => {
  const { outputs, choice } = await run({ folder: "/folders/engineless/", name: "text-processor", target: "auto" });
  assert.deepEqual(outputs, expected);
  assert.equal(choice.target, "pyodide");
  assert.match(choice.because, /the engine at .* cannot be loaded: the server answered 404/);
});

test("Pyodide is taken where nothing else was packed", async () => {
  // The only pipeline there needs no name.
  const { outputs, choice } = await run({ folder: "/folders/pyodide" });
  assert.deepEqual(outputs, expected);
  assert.equal(choice.target, "pyodide");
  assert.match(choice.because, /not packed for the engine that runs natively/);
});

test("what only Pyodide has is named", async () => {
  const manifest = join(root, "mean.json");
  const nodes = [{ id: "twice", node_type: "Twice" }];
  writeFileSync(manifest, JSON.stringify({ version: "v1", metadata: { name: "mean" }, nodes, connections: [] }));
  pack("build", manifest, "--source", sources, "--target", "pyodide", "--out", join(root, "numpy"));
  const because = await kit.page.evaluate(async () => {
    const source = { folder: "/folders/numpy" };
    const [first] = kit.candidates(await kit.readIndex(source), source);
    return kit.notForTheEngine(await kit.open(first));
  });
  assert.match(because, /uses (`.+`, )?`numpy`.*, which only Pyodide has$/);
});

test("whoever names a target gets that one or an error", async () => {
  const { choice } = await run({ folder: "/folders/both", name: "text-processor", target: "pyodide" });
  assert.deepEqual([choice.target, choice.because], ["pyodide", undefined]);
  const missing = await run({ folder: "/folders/pyodide", target: "web" });
  assert.match(missing.error, /has `text-processor` for `pyodide`, not for web\n\s*hint: .*--target web/);
  const broken = await run({ folder: "/folders/engineless", target: "web", name: "text-processor" });
  assert.match(broken.error, /the engine at .* cannot be loaded/);
});

test("what a folder does not have is told with what it has", async () => {
  const several = await run({ folder: "/folders/both" });
  assert.match(several.error, /no single pipeline: it has `calculator`, `text-processor`/);
  const unknown = await run({ folder: "/folders/pyodide", name: "shout" });
  assert.match(unknown.error, /no pipeline `shout`: it has `text-processor`/);
  const nothing = await run({ folder: "/folders/nowhere" });
  assert.match(nothing.error, /index\.json cannot be loaded: the server answered 404/);
});

test("a bundle that is another one than the index says is refused", async () => {
  const folder = join(root, "swapped");
  pack("build", exampleManifest("calculator"), "--out", folder);
  pack("build", exampleManifest("text-processor"), "--target", "pyodide", "--out", folder);
  const [calculator, other] = ["calculator", "text-processor"].map((name) =>
    readdirSync(folder).find((file) => file.startsWith(name) && file.endsWith(".rmpkg")),
  );
  copyFileSync(join(folder, other), join(folder, calculator));
  const source = { folder: "/folders/swapped", name: "calculator" };
  const named = await run(source);
  assert.match(
    named.error,
    /`calculator-\S+` was altered after it was packed: its name promises the content [0-9a-f]{16},/,
  );
  // Under a name that promises nothing.
  const index = readFileSync(join(folder, "index.json"), "utf8");
  copyFileSync(join(folder, other), join(folder, "plain.rmpkg"));
  writeFileSync(join(folder, "index.json"), index.replace(calculator, "plain.rmpkg"));
  const expected =
    /`plain\.rmpkg` was altered after it was packed: its content hash is [0-9a-f]{64}, and the index says/;
  assert.match((await run(source)).error, expected);
  assert.match((await run(source, { preload: source })).error, expected);
});
