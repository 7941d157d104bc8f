// The files beside a bundle for Pyodide, in a Pyodide of the npm package as it is, with its own library: Pyodide's `loadPackage`
// and `micropip` install its wheels, and the node in them gives what it gives natively.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { rmPack } from "../../scripts/bundles.mjs";
import { launch } from "../chromium.mjs";
import { demo, exampleManifest, lines, withoutPacker as skip } from "./harness.mjs";

const EXAMPLE = "text-processor";
/** The wheel in the index; the one in Pyodide's full distribution has other bytes. */
const MICROPIP = "micropip==0.11.1";
const MICROPIP_SHA256 = "768de165adb8e66906039d8fec4127a57f522dfdf8e6fbff877a4616941ecfd3";

const TYPES = { ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
/** What pip has fetched; kept. */
const pipFolder = join(demo, ".cache/pip");

let browser, server, folder, address, bundle;

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), "rm-stock-"));
  execFileSync(rmPack, ["build", exampleManifest(EXAMPLE), "--target", "pyodide", "--out", folder], { stdio: "pipe" });
  bundle = readdirSync(folder).find((name) => name.startsWith(EXAMPLE) && !name.endsWith(".rmpkg"));
  // Without the policy of the page, under which Pyodide as it is does not start.
  const roots = {
    pyodide: join(demo, "node_modules/pyodide"),
    bundle: join(folder, bundle),
    packages: pipFolder,
    // What the page's build makes of the npm package.
    made: join(demo, "src/runtime/pyodide/files"),
  };
  server = createServer((request, response) => {
    const [, root, name = ""] = new URL(request.url, "http://localhost").pathname.split("/");
    const path = join(roots[root] ?? folder, name);
    if (root === "")
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>stock</title>");
    else if (roots[root] === undefined || !existsSync(path)) response.writeHead(404).end();
    else {
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" });
      createReadStream(path).pipe(response);
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  address = `http://127.0.0.1:${server.address().port}/`;
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await new Promise((done) => (server === undefined ? done() : server.close(done)));
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

/** The file of micropip, once pip has fetched and checked it; none where it cannot. */
function micropip() {
  mkdirSync(pipFolder, { recursive: true });
  const find = () => readdirSync(pipFolder).find((name) => name.startsWith("micropip-"));
  if (find() === undefined) {
    const options = [
      "download",
      "--quiet",
      "--no-deps",
      "--only-binary=:all:",
      "--python-version=3.14",
      "--platform=any",
    ];
    const requirements = join(folder, "requirements.txt");
    writeFileSync(requirements, `${MICROPIP} --hash=sha256:${MICROPIP_SHA256}\n`);
    spawnSync("python3", ["-m", "pip", ...options, "--dest", pipFolder, "--require-hashes", "-r", requirements]);
  }
  return find();
}

/** Install the wheels with `install`, and have the node process the example's first item. */
async function processed(install, options) {
  const page = await browser.newPage();
  await page.goto(address);
  const [input] = lines(EXAMPLE, "input.jsonl");
  const given = await page.evaluate(
    async ({ install, options, input }) => {
      const { loadPyodide } = await import("/pyodide/pyodide.mjs");
      const fetched = async (address) => new Uint8Array(await (await fetch(address)).arrayBuffer());
      const path = options.path ?? [];
      const pyodide = await loadPyodide({
        indexURL: "/pyodide/",
        lockFileURL: options.lock,
        ...(options.library && { stdLibURL: options.library }),
        ...(path.length > 0 && { env: { PYTHONPATH: path.join(":") } }),
        fsInit: async (FS) => {
          for (const address of path) {
            FS.mkdirTree(address.slice(0, address.lastIndexOf("/")));
            FS.writeFile(address, await fetched(address));
          }
        },
      });
      // It tells what it cannot install, and goes on.
      const load = async (name) => {
        const failures = [];
        await pyodide.loadPackage(name, { errorCallback: (text) => failures.push(text) });
        if (failures.length > 0) throw new Error(failures.join("\n"));
      };
      if (install === "loadPackage") {
        await load(options.name);
      } else if (install === "micropip") {
        await load(options.micropip);
        await pyodide.pyimport("micropip").install(options.wheels);
      }
      pyodide.globals.set("item", input);
      return pyodide.runPython(`
import json, marshal
import _rm_pyodide
from pyodide.ffi import to_js

def ask(operation, *arguments):
    answer, *given = _rm_pyodide.dispatch(operation, to_js(marshal.dumps(arguments, 2)), to_js([]))
    return marshal.loads(answer.to_bytes())

_rm_pyodide.start(to_js)
CREATE, PROCESS = 8, 9
made = ask(CREATE, "text", "text_processor", "TextProcessorNode", {}, False)
assert made[0] == 0, made
ended, outputs = ask(PROCESS, "text", json.loads(item), None, None, 0)
assert ended == 0, outputs
json.dumps(outputs[0], ensure_ascii=False, separators=(",", ":"))
`);
    },
    { install, options, input },
  );
  await page.close();
  return given;
}

test("loadPackage installs what the lock file beside a bundle lists", { skip }, async () => {
  const given = await processed("loadPackage", { name: EXAMPLE, lock: `${address}bundle/pyodide-lock.json` });
  assert.equal(given, lines(EXAMPLE, "expected.jsonl")[0]);
});

test("all of Pyodide starts from a bundle's library and the archive of its own modules", { skip }, async () => {
  const wheels = readdirSync(join(folder, bundle)).filter((name) => name.endsWith(".whl"));
  const given = await processed("nothing", {
    lock: `${address}bundle/pyodide-lock.json`,
    library: `${address}bundle/python_stdlib.zip`,
    path: ["/made/pyodide-python.zip", ...wheels.map((name) => `/bundle/${name}`)],
  });
  assert.equal(given, lines(EXAMPLE, "expected.jsonl")[0]);
});

test("micropip installs the wheels", { skip }, async (t) => {
  const file = micropip();
  if (file === undefined) {
    t.skip("pip cannot fetch micropip");
    return;
  }
  const wheels = readdirSync(join(folder, bundle)).filter((name) => name.endsWith(".whl"));
  const given = await processed("micropip", {
    lock: `${address}pyodide/pyodide-lock.json`,
    micropip: `${address}packages/${file}`,
    wheels: wheels.map((name) => `${address}bundle/${name}`),
  });
  assert.equal(given, lines(EXAMPLE, "expected.jsonl")[0]);
});
