// How soon a Python node gives its first result, and what a call costs: ours on the same engine, ours in Pyodide, and Pyodide as
// it comes from npm, on the same node, in the same browser, in turn.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pack } from "../scripts/bundles.mjs";
import { serve } from "../scripts/server.mjs";
import { launch, launchWith } from "../tests/chromium.mjs";

const ROUNDS = 7;
const CALLS = 3000;
/** How often a MiB of sound goes through a node. */
const SOUNDS = 100;
/**
 * How long a page waits for its user after the first result, in milliseconds, and again at the end. Browsers write what they keep
 * when there is time for it; V8 keeps no code of a module that has worked through thousands of calls without a pause.
 */
const REST = 4000;
const demo = resolve(import.meta.dirname, "..");
const repository = resolve(demo, "..");
const folder = join(demo, ".cache/test/bench");
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/**
 * The first output of `text-processor`, and then what an item of an echo costs on its way through both workers, and a MiB of sound,
 * which is moved from thread to thread and copied into Python and out of it.
 */
async function ours({ target, item, calls, sounds, rest }) {
  const begun = performance.now();
  const source = (name) => ({ folder: "/bench/", name, target });
  const runtime = await kit.startWorker({ preload: source("text-processor") });
  const pipeline = await runtime.load(source("text-processor"));
  const session = await pipeline.session({ asText: true });
  await session.sendLines([item]);
  const [{ value }] = await session.receive();
  const first = performance.now() - begun;
  session.cancel();
  const again = performance.now();
  const second = await (await runtime.load(source("echo"))).session();
  await second.send([{ value: { n: 0 } }]);
  await second.receive();
  const next = performance.now() - again;
  await new Promise((done) => setTimeout(done, rest));
  const items = Array.from({ length: calls }, (_, n) => ({ value: { n } }));
  const call = [];
  for (let round = 0; round < 2; round += 1) {
    const times = performance.now();
    const sending = second.send(items);
    for (let left = calls; left > 0; left -= (await second.receive()).length) continue;
    await sending;
    call.push(((performance.now() - times) / calls) * 1000);
  }
  // What the interpreter's own clock says of half of the calls.
  const [{ p50 }] = await second.metrics();
  second.cancel();
  const third = await (await runtime.load(source("view"))).session();
  const sound = [];
  for (let n = 0; n < sounds; n += 1) {
    const item = { value: kit.audio(new Float32Array(1 << 18).fill(0.25), 48_000) };
    const times = performance.now();
    await third.send([item]);
    const [{ value }] = await third.receive();
    sound.push((performance.now() - times) * 1000);
    const { samples } = value.$audio;
    if (samples.length !== 1 << 18) throw new Error(`a sound became ${samples.length} samples`);
  }
  const [{ p50: soundAlone }] = await third.metrics();
  third.cancel();
  // As pages do: V8 keeps what it optimised two seconds after, if the thread that had it compiled is still there.
  globalThis.kept = runtime;
  return { value, first, next, call, alone: p50 * 1000, sound, soundAlone: soundAlone * 1000 };
}

/**
 * A MiB of sound into a node and out of it again and again, on the same engine in the page's own thread, where nothing else happens
 * in between: as the calls of Pyodide from npm are. Microseconds of each.
 */
async function inOneThread({ sounds }) {
  const { bundles } = await (await fetch("/bench/index.json")).json();
  const { file, engine: digest } = bundles.find(({ name, target }) => name === "view" && target === "wasmtime");
  const content = new Uint8Array(await (await fetch(`/bench/${file}`)).arrayBuffer());
  const bundle = await kit.openBundle(content, file);
  const engine = await kit.loadEngine(new URL(`/bench/engine-${digest}-web/`, location), digest);
  const layer = await kit.unpack(await kit.packedLayer(bundle));
  let again;
  const instance = async () => {
    const interpreter = kit.Interpreter.of(engine, () => undefined);
    interpreter.begin(layer);
    const call = async ({ operation, wire }) => {
      if (wire.buffers.length > 0) again = () => interpreter.call(operation, wire);
      return { answer: interpreter.call(operation, wire), milliseconds: 0 };
    };
    return { call, dispose: () => undefined };
  };
  const host = { protocol: engine.plan.protocol, instance, dispose: () => undefined };
  const code = await kit.compileExecutor(kit.EXECUTOR);
  const runtime = await kit.LocalRuntime.of(code, new Map([["wasmtime", async () => host]]));
  const session = await (await runtime.load({ content, file })).session();
  await session.send([{ value: kit.audio(new Float32Array(1 << 18).fill(0.25), 48_000) }]);
  await session.receive();
  const times = [];
  for (let n = 0; n < sounds; n += 1) {
    const begun = performance.now();
    const { buffers } = again();
    times.push((performance.now() - begun) * 1000);
    if (buffers[0].length !== 4 << 18) throw new Error(`a sound became ${buffers[0].length} bytes`);
  }
  return times;
}

/** The same with Pyodide as it comes: the nodes' sources, called from JavaScript, in the page's own thread. */
async function stock({ sources, item, calls, sounds, rest }) {
  const begun = performance.now();
  const { loadPyodide } = await import("/bench/pyodide/pyodide.mjs");
  const pyodide = await loadPyodide({ stderr: () => undefined });
  for (const [path, text] of sources) {
    pyodide.FS.mkdirTree(`/nodes/${path.split("/").slice(0, -1).join("/")}`);
    pyodide.FS.writeFile(`/nodes/${path}`, text);
  }
  pyodide.runPython("import sys; sys.path.insert(0, '/nodes')");
  const call = pyodide.runPython(`
import json
import text_processor
node = text_processor.TextProcessorNode(name="node")
lambda text: json.dumps(node.process(json.loads(text)))
`);
  const value = call(item);
  const first = performance.now() - begun;
  await new Promise((done) => setTimeout(done, rest));
  const echo = pyodide.runPython("lambda data: {'n': data.n}");
  const each = [];
  for (let round = 0; round < 2; round += 1) {
    const times = performance.now();
    for (let n = 0; n < calls; n += 1) {
      const answer = echo({ n });
      answer.toJs();
      answer.destroy();
    }
    each.push(((performance.now() - times) / calls) * 1000);
  }
  const view = pyodide.runPython("lambda samples: samples.to_py()");
  const sound = [];
  for (let n = 0; n < sounds; n += 1) {
    const samples = new Float32Array(1 << 18).fill(0.25);
    const times = performance.now();
    const answer = view(samples);
    const buffer = answer.getBuffer("f32");
    buffer.data.slice();
    buffer.release();
    answer.destroy();
    sound.push((performance.now() - times) * 1000);
  }
  return { value, first, call: each, sound };
}

export async function pythonTable() {
  rmSync(folder, { recursive: true, force: true });
  for (const name of ["echo", "view"]) cpSync(join(demo, "bench", name), join(folder, name), { recursive: true });
  cpSync(join(demo, "node_modules/pyodide"), join(folder, "pyodide"), { recursive: true });
  for (const target of ["web", "pyodide"]) {
    for (const manifest of [
      join(repository, "bundles/text-processor/pipeline.yaml"),
      join(folder, "echo/echo.yaml"),
      join(folder, "view/view.yaml"),
    ]) {
      pack("build", manifest, "--target", target, "--out", folder);
    }
  }
  const python = [
    "remotemedia/__init__.py",
    "remotemedia/core/__init__.py",
    "remotemedia/core/node.py",
    "_remotemedia.py",
  ];
  const sources = [
    ["text_processor.py", readFileSync(join(repository, "bundles/text-processor/text_processor.py"), "utf8")],
    ...python.map((path) => [path, readFileSync(join(repository, "packager/python", path), "utf8")]),
  ];
  const [item] = readFileSync(join(repository, "bundles/text-processor/input.jsonl"), "utf8").split("\n");
  const rivals = [
    ["the same engine", ours, { target: "web" }],
    ["in Pyodide", ours, { target: "pyodide" }],
    ["Pyodide from npm", stock, { sources }],
  ];
  const server = await serve(join(demo, ".cache/test"));
  const results = new Map(
    rivals.map(([name]) => [
      name,
      { first: [], again: [], next: [], call: [], later: [], alone: [], sound: [], soundAlone: [] },
    ]),
  );
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, run, what] of rivals) {
      // A profile of its own: nothing is cached at the first visit, and what browsers keep at the second, after a restart.
      const profile = mkdtempSync(join(tmpdir(), "rm-bench-"));
      const result = results.get(name);
      for (const visit of ["first", "again"]) {
        const browser = await launchWith(profile);
        const page = await browser.newPage();
        await page.goto(`${server.address}tests/page/`);
        await page.waitForFunction(() => "kit" in globalThis);
        const measured = await page.evaluate(run, { ...what, item, calls: CALLS, sounds: SOUNDS, rest: REST });
        if (!measured.value.includes('"')) throw new Error(`${name} gave ${measured.value}`);
        result[visit].push(measured.first);
        if (measured.next !== undefined) result.next.push(measured.next);
        const [first, later] = measured.call;
        result.call.push(first);
        result.later.push(later);
        result.alone.push(measured.alone ?? later);
        const sound = median(measured.sound);
        result.sound.push(sound);
        result.soundAlone.push(measured.soundAlone ?? sound);
        await page.waitForTimeout(REST);
        await browser.close();
      }
      rmSync(profile, { recursive: true, force: true });
    }
  }
  const alone = await launch();
  const page = await alone.newPage();
  await page.goto(`${server.address}tests/page/`);
  await page.waitForFunction(() => "kit" in globalThis);
  const tight = { "the same engine": await page.evaluate(inOneThread, { sounds: SOUNDS }) };
  await alone.close();
  await server.close();
  tight["Pyodide from npm"] = results.get("Pyodide from npm").sound;
  const base = results.get("Pyodide from npm");
  const ratio = (result, key) => `${(median(base[key]) / median(result[key])).toFixed(1)}x`;
  const milliseconds = (numbers) => (numbers.length === 0 ? "-" : `${Math.round(median(numbers))} ms`);
  console.log(`\nPython, medians of ${ROUNDS}`);
  console.log(
    `                    first visit         second visit        next pipeline   an item: of the first ${CALLS}, of as many later, in the interpreter alone`,
  );
  for (const [name, result] of results) {
    const cells = [
      `${milliseconds(result.first)} (${ratio(result, "first")})`.padEnd(20),
      `${milliseconds(result.again)} (${ratio(result, "again")})`.padEnd(20),
      milliseconds(result.next).padEnd(16),
      `${median(result.call).toFixed(1)} us`.padEnd(12),
      `${median(result.later).toFixed(1)} us`.padEnd(12),
      `${median(result.alone).toFixed(1)} us`,
    ];
    console.log(name.padEnd(20) + cells.join(""));
  }
  console.log(
    `\n                    1 MiB of sound in and out: the whole way, in the interpreter alone, again and again in one thread`,
  );
  for (const [name, { sound, soundAlone }] of results) {
    const cells = [sound, soundAlone, tight[name]].map((numbers) =>
      (numbers === undefined ? "-" : `${(median(numbers) / 1000).toFixed(2)} ms`).padEnd(20),
    );
    console.log(name.padEnd(20) + cells.join(""));
  }
}
