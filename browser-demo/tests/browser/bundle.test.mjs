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

test("a bundle is refused that nobody's rm-pack has written", async () => {
  const refused = await kit.page.evaluate(async () => {
    const encoder = new TextEncoder();
    const text = encoder.encode("[]");
    const digest = async (bytes) => {
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    };
    const open = async (target, names, { file = "a.rmpkg", arrange = (all) => all } = {}) => {
      const entries = {};
      for (const name of names) entries[name] = { sha256: await digest(text), size: text.length };
      const manifest = { version: "v1", metadata: { name: "a" }, nodes: [] };
      const description = {
        format: 1,
        name: "a",
        target,
        packer: "a test",
        engine: null,
        nodes: {},
        manifest,
        entries,
      };
      const json = encoder.encode(JSON.stringify(description));
      const content = await digest(json);
      const all = arrange([["bundle.json", json], ...names.map((name) => [name, text])]);
      const bytes = await kit.writeArchive(new Map(all), `rm-pack bundle, content sha256 ${content}`);
      return kit.openBundle(bytes, file.replace("HASH", content.slice(0, 16))).then(
        ({ name }) => name,
        ({ message }) => message.replace(content.slice(0, 16), "HASH"),
      );
    };
    const two = ["a.whl", "b.whl"];
    return {
      fine: [
        await open("wasmtime", ["modules.json"], { file: "folder/a-wasmtime-HASH.rmpkg" }),
        await open("wasmtime", [], { file: "renamed-by-somebody.rmpkg" }),
        await open("pyodide", two),
      ],
      unknown: [await open("wasmtime", ["notes.txt"]), await open("pyodide", ["../out.whl"])],
      order: [
        await open("pyodide", two, { arrange: ([first, ...others]) => [first, ...others.reverse()] }),
        await open("pyodide", two, { arrange: (all) => all.reverse() }),
      ],
      name: await open("wasmtime", [], { file: "a-wasmtime-0123456789abcdef.rmpkg" }),
    };
  });
  const altered = (file, what) => `\`${file}\` was altered after it was packed: ${what}`;
  const unknown = (name) => altered("a.rmpkg", `it has an entry \`${name}\` that bundles of format 1 do not have`);
  const form = altered("a.rmpkg", "the archive is not in the form in which rm-pack writes it");
  assert.deepEqual(refused, {
    fine: ["a", "a", "a"],
    unknown: [unknown("notes.txt"), unknown("../out.whl")],
    order: [form, form],
    name: altered(
      "a-wasmtime-0123456789abcdef.rmpkg",
      "its name promises the content 0123456789abcdef, and its content is HASH",
    ),
  });
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
