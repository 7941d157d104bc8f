// Packages that come with Pyodide: downloaded from a folder of the page, checked, installed by Pyodide; and what is said where
// they cannot be had. None of them is here, nor are they in any registry, so that wheels of the test's own have their names, and
// bundles are altered to promise those.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { demo, packBuffer, runBundle, testPage, withoutPacker as skip } from "./harness.mjs";

const kit = testPage();
const sources = join(import.meta.dirname, "packages");
const served = join(demo, ".cache/test/packages");
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const run = (bundle, options) => runBundle(kit, bundle, { packages: `${kit.address}packages/`, ...options });

/** A bundle of nodes one after the other, each of a type in `packages/`. */
function pack(...types) {
  const folder = mkdtempSync(join(tmpdir(), "rm-browser-"));
  try {
    const nodes = types.map((node_type, place) => ({ id: `node${place}`, node_type }));
    const connections = types.slice(1).map((_, place) => ({ from: `node${place}`, to: `node${place + 1}` }));
    const file = join(folder, "pipeline.json");
    writeFileSync(file, JSON.stringify({ version: "v1", metadata: { name: "packages" }, nodes, connections }));
    return packBuffer(file, "--target", "pyodide", "--source", sources);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The lock file of a bundle. */
function lockOf({ bytes }) {
  const text = bytes.toString("latin1");
  // Entries are stored as they are, right behind their names.
  const begin = text.indexOf("pyodide-lock.json{") + "pyodide-lock.json".length;
  return JSON.parse(text.slice(begin, text.indexOf("\n}\n", begin) + 2));
}

/** The same bundle, as if it had been packed for a package whose file is this one. */
async function promising({ file, bytes }, name, wheel) {
  const altered = await kit.page.evaluate(
    async ({ file, bytes, name, wheel }) => {
      const { entries } = await kit.openBundle(Uint8Array.fromBase64(bytes), file);
      const parse = (entry) => JSON.parse(new TextDecoder().decode(entries.get(entry)));
      const hash = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
      const lock = parse("pyodide-lock.json");
      lock.packages[name].sha256 = wheel;
      const made = new Map(entries);
      made.set("pyodide-lock.json", new TextEncoder().encode(JSON.stringify(lock)));
      const description = parse("bundle.json");
      const changed = made.get("pyodide-lock.json");
      description.entries["pyodide-lock.json"] = { sha256: await hash(changed), size: changed.length };
      made.set("bundle.json", new TextEncoder().encode(JSON.stringify(description)));
      const comment = `rm-pack bundle, content sha256 ${await hash(made.get("bundle.json"))}`;
      return (await kit.writeArchive(made, comment)).toBase64();
    },
    { file, bytes: bytes.toString("base64"), name, wheel },
  );
  // Its name promises the content that it had.
  return { file: "packages.rmpkg", bytes: Buffer.from(altered, "base64") };
}

/** A wheel of the given files. */
function wheelOf(file, files) {
  const [name, version] = file.split("-");
  const info = `${name}-${version}.dist-info`;
  const all = {
    ...files,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: false\n",
    [`${info}/RECORD`]: "",
  };
  const encoded = Object.fromEntries(
    Object.entries(all).map(([path, contents]) => [path, Buffer.from(contents).toString("base64")]),
  );
  const program = `
import base64, io, json, sys, zipfile
made = io.BytesIO()
with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
    for path, contents in json.load(sys.stdin).items():
        archive.writestr(zipfile.ZipInfo(path), base64.b64decode(contents))
sys.stdout.buffer.write(made.getvalue())`;
  return execFileSync("python3", ["-c", program], { input: JSON.stringify(encoded) });
}

/** The native module of the test, compiled; none where there is no compiler. */
function nativeModule() {
  const folder = mkdtempSync(join(tmpdir(), "rm-native-"));
  try {
    const [object, library] = ["native.o", "native.so"].map((name) => join(folder, name));
    const compiler = [
      "--target=wasm32-unknown-emscripten",
      "-O2",
      "-fPIC",
      "-c",
      join(sources, "native.c"),
      "-o",
      object,
    ];
    const linker = ["-shared", "--experimental-pic", "--unresolved-symbols=import-dynamic", object, "-o", library];
    if (spawnSync("clang-19", compiler).status !== 0 || spawnSync("wasm-ld-19", linker).status !== 0) return undefined;
    return readFileSync(library);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the package of the test is when it is imported: it uses parts of the library that no node does. */
const INIT = (twice) => `
import importlib.metadata
import sqlite3
import ssl
${twice}
assert importlib.metadata.version("numpy")
`;
const PYTHON = "def twice(number):\n    return 2 * number\n";

/** Serve a file for one test. */
function serving(t, file, bytes) {
  mkdirSync(served, { recursive: true });
  writeFileSync(join(served, file), bytes);
  t.after(() => rmSync(join(served, file)));
}

const native = nativeModule();

test(
  "a package with a native module is downloaded, installed and used",
  { skip: skip || (native === undefined && "there is no clang-19 with wasm-ld-19 to compile a native module with") },
  async (t) => {
    const bundle = pack("Twice", "Twice");
    const { file_name: file } = lockOf(bundle).packages.numpy;
    const wheel = wheelOf(file, {
      "numpy/__init__.py": INIT("from ._native import twice"),
      "numpy/_native.cpython-314-wasm32-emscripten.so": native,
    });
    serving(t, file, wheel);
    kit.requests.length = 0;
    const { values, error, progress } = await run(await promising(bundle, "numpy", sha256(wheel)), {
      input: ["3", "-4"],
    });
    assert.equal(error, undefined);
    assert.deepEqual(values, ["12", "-16"]);
    assert.equal(progress.loaded, progress.total);
    assert.equal(kit.requests.filter((path) => path.endsWith(file)).length, 1, "once for both interpreters");
    assert.deepEqual(kit.problems, []);
  },
);

test("a package that is imported in a function is there, too", { skip }, async (t) => {
  const bundle = pack("Told");
  const { file_name: file } = lockOf(bundle).packages.six;
  const wheel = wheelOf(file, {
    "six.py": '__version__ = "of the test"\ndef ensure_text(bytes): return bytes.decode()\n',
  });
  serving(t, file, wheel);
  const { values, error } = await run(await promising(bundle, "six", sha256(wheel)), { input: ["1"] });
  assert.equal(error, undefined);
  assert.deepEqual(values, ['["of the test","bytes",1]']);
});

test("a package that is not there is asked for by name, file and address", { skip }, async () => {
  const { error, values } = await run(pack("Twice"), { input: ["1"] });
  assert.deepEqual(values, []);
  assert.match(
    error,
    /^load: the package numpy 2\.\d+\.\d+ of Pyodide, at http:.*\/packages\/numpy-[\w.-]+\.whl, cannot be loaded: the server answered 404 Not Found\n/,
  );
  assert.match(
    error,
    /hint: numpy-[\w.-]+\.whl is in the full distribution of Pyodide 314\.0\.\d+, under its releases; put it into the folder http:.*\/packages\/, or name the folder/,
  );
});

test("the folder is pyodide/ beside the page unless it is named", { skip }, async () => {
  const { error } = await run(pack("Twice"), { input: ["1"], packages: undefined });
  assert.match(error, /at http:.*\/tests\/page\/pyodide\/numpy-/);
});

test("a package that is another one than the bundle promises is refused", { skip }, async (t) => {
  const bundle = pack("Twice");
  const { file_name: file, sha256: promised } = lockOf(bundle).packages.numpy;
  serving(t, file, wheelOf(file, { "numpy/__init__.py": PYTHON }));
  const { error } = await run(bundle, { input: ["1"] });
  assert.match(error, /^load: .*\.whl, is not the one that the bundle was packed for: its SHA-256 is another\n/);
  assert.ok(error.includes(`it has to be ${promised}`), error);
});

test("a package that Pyodide cannot install is told with its reason", { skip }, async (t) => {
  const bundle = pack("Twice");
  const { file_name: file } = lockOf(bundle).packages.numpy;
  const wheel = Buffer.from("not an archive");
  serving(t, file, wheel);
  const { error } = await run(await promising(bundle, "numpy", sha256(wheel)), { input: ["1"] });
  assert.match(error, /Pyodide cannot be started: it cannot install numpy: .*\n?[^]*not a zip file/);
});

test("what is served under the name of a package is asked of the page's own server alone", { skip }, async (t) => {
  const bundle = pack("Twice");
  const { file_name: file } = lockOf(bundle).packages.numpy;
  const wheel = wheelOf(file, { "numpy/__init__.py": INIT(PYTHON) });
  serving(t, file, wheel);
  const foreign = [];
  const listen = (request) => {
    if (!request.url().startsWith(kit.address)) foreign.push(request.url());
  };
  kit.page.context().on("request", listen);
  const { values, error } = await run(await promising(bundle, "numpy", sha256(wheel)), { input: ["21"] });
  kit.page.context().off("request", listen);
  assert.equal(error, undefined);
  assert.deepEqual(values, ["42"]);
  assert.deepEqual(foreign, []);
});
