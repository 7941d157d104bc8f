// `npm run bench:stack`: how much stack bundles need in Chromium, beside what `rm-pack verify --stack` finds natively, and how
// much a page and a worker have. The figures in `packager/src/cli/stack.rs` come from here.
//
// V8 is started with less and less stack (`--stack-size`, in KiB), and an interpreter in the page boots and goes deep.
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pack, rmPack } from "../scripts/bundles.mjs";
import { serve } from "../scripts/server.mjs";
import { launch } from "../tests/chromium.mjs";

const demo = resolve(import.meta.dirname, "..");
const folder = join(demo, ".cache/test/stack");
/** Where the search begins, in KiB, where it ends, since a page needs some itself, and how exact it is. */
const MOST = 1200;
const LEAST = 64;
const STEP = 4;
/** How to go deep, and how deep: so that it takes much more than the page. */
const WAYS = [
  ["json", 1500],
  ["repr", 1500],
  ["call", 450],
];

const server = await serve(join(demo, ".cache/test"));

/** Evaluate in a fresh page of a Chromium with so much stack. */
async function inPageWith(kibibytes, work, argument) {
  const browser = await launch(kibibytes === undefined ? [] : [`--js-flags=--stack-size=${kibibytes}`]);
  try {
    const page = await browser.newPage();
    await page.goto(`${server.address}tests/page/`);
    await page.waitForFunction(() => "kit" in globalThis);
    return await page.evaluate(work, argument);
  } finally {
    await browser.close();
  }
}

/** Run a bundle whose interpreters are in the page's own thread. */
async function works({ file, lines }) {
  const content = new Uint8Array(await (await fetch(`/stack/${file}`)).arrayBuffer());
  const bundle = await kit.openBundle(content, file);
  const { digest } = bundle.engine;
  const engine = await kit.loadEngine(new URL(`/stack/engine-${digest}-web/`, location), digest);
  const module = await kit.compileExecutor(kit.EXECUTOR);
  const layer = await kit.unpack(await kit.packedLayer(bundle));
  const host = {
    protocol: engine.plan.protocol,
    instance: async () => {
      const interpreter = kit.Interpreter.of(engine, () => undefined);
      interpreter.begin(layer);
      return {
        call: async ({ operation, wire }) => ({ answer: interpreter.call(operation, wire), milliseconds: 1000 }),
        dispose: () => undefined,
      };
    },
    dispose: () => undefined,
  };
  const runtime = await kit.LocalRuntime.of(module, new Map([["wasmtime", async () => host]]));
  const session = await (await runtime.load({ content, file })).session();
  const sending = session.sendLines(lines).then(() => session.close());
  try {
    for (let outputs = await session.receive(); outputs; outputs = await session.receive()) continue;
    await sending;
    return true;
  } catch (error) {
    const reasons = [error.message, ...(error.details?.causes ?? [])].join("\n");
    if (reasons.includes("stack")) return false;
    throw error;
  }
}

/** How deep a function can call itself, in the page and in a worker. */
async function depths() {
  const inWorker = await new Promise((resolve, reject) => {
    const worker = new Worker("/stack/depth.js");
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
  const inPage = await new Promise((resolve, reject) => {
    globalThis.postMessage = resolve;
    document.head.append(Object.assign(document.createElement("script"), { src: "/stack/depth.js", onerror: reject }));
  });
  return { inPage, inWorker };
}

/** The least stack with which `test` holds. */
async function least(test) {
  let [tooLittle, enough] = [LEAST, MOST];
  while (enough - tooLittle > STEP) {
    const middle = Math.round((enough + tooLittle) / 2);
    if (await test(middle)) enough = middle;
    else tooLittle = middle;
  }
  return enough;
}

/** What `rm-pack verify --stack` says, in KiB. */
function natively(file, input) {
  const { stdout } = spawnSync(rmPack, ["verify", join(folder, file), "--stack", "--input", input], {
    encoding: "utf8",
  });
  return Number(/on (\d+) KiB of stack/.exec(stdout)?.[1]);
}

rmSync(folder, { recursive: true, force: true });
pack("build", join(demo, "bench/stack/deep.yaml"), "--target", "web", "--out", folder);
cpSync(join(demo, "bench/stack/depth.js"), join(folder, "depth.js"));
const { bundles } = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));
const [{ file }] = bundles;
const { inPage, inWorker } = await inPageWith(undefined, depths);
console.log(`a worker has ${((100 * inWorker) / inPage).toFixed(0)}% of the stack of a page`);
console.log("\n                wasmtime    Chromium");
for (const [way, depth] of WAYS) {
  const line = JSON.stringify({ way, depth });
  const input = join(folder, `${way}.jsonl`);
  writeFileSync(input, `${line}\n`);
  const native = natively(file, input);
  const inChromium = await least((stack) => inPageWith(stack, works, { file, lines: [line] }));
  console.log(
    `${`${way}, ${depth}`.padEnd(16)}${native} KiB`.padEnd(28) +
      `${inChromium} KiB (${(inChromium / native).toFixed(2)}x)`,
  );
}
await server.close();
