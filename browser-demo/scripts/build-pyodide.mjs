// Makes what the host of Pyodide downloads, out of the npm package: Pyodide's own Python modules, compiled, in an archive
// beside which a bundle's library is enough to start from, and the whole standard library, compiled, for bundles that use
// packages of Pyodide's own. Into src/runtime/pyodide/files; nothing to do if they are there.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const demo = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(demo, "src/runtime/pyodide/files");
const archive = join(folder, "pyodide-python.zip");
const library = join(folder, "pyodide-library.zip");
const description = join(folder, "description.json");

const require = createRequire(import.meta.url);
const npm = dirname(require.resolve("pyodide/package.json"));
const { version } = JSON.parse(readFileSync(join(npm, "package.json"), "utf8"));
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const script = sha256(readFileSync(fileURLToPath(import.meta.url)));

function isUpToDate() {
  if (![archive, library, description].every((file) => existsSync(file))) return false;
  const made = JSON.parse(readFileSync(description, "utf8"));
  return made.version === version && made.script === script;
}

/** Pyodide's own modules that are in use once it has started, and those that loading packages needs; and all that are not its own. */
async function compiled() {
  const { loadPyodide } = await import("pyodide");
  // Code objects without columns, as packing makes them.
  const python = await loadPyodide({ env: { PYTHONNODEBUGRANGES: "1" } });
  const bytes = python.runPython(`
import importlib._bootstrap_external as external
import io, sys, zipfile

source = zipfile.ZipFile("/lib/python314.zip")

def module(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

def is_own(path):
    return module(path).partition(".")[0] in ("pyodide", "_pyodide")

def archive_of(paths):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path in sorted(paths):
            # What reads docstrings may be in a package. The asserts stay.
            code = compile(source.read(path), path, "exec", dont_inherit=True, optimize=0)
            info = zipfile.ZipInfo(path + "c")
            info.external_attr = 0o100644 << 16
            archive.writestr(info, external._code_to_hash_pyc(code, bytes(8), False), zipfile.ZIP_DEFLATED, 9)
    return made.getvalue()

paths = [path for path in source.namelist() if path.endswith(".py")]
[
    archive_of(path for path in paths if is_own(path) and module(path) in sys.modules),
    archive_of(path for path in paths if not is_own(path)),
]
`);
  return bytes.toJs();
}

if (!isUpToDate()) {
  mkdirSync(folder, { recursive: true });
  const [bytes, rest] = await compiled();
  writeFileSync(archive, bytes);
  writeFileSync(library, rest);
  const wasm = readFileSync(join(npm, "pyodide.asm.wasm"));
  const of = (file) => ({ sha256: sha256(file), size: file.length });
  const made = { version, script, wasm: of(wasm), python: of(bytes), library: of(rest) };
  writeFileSync(description, `${JSON.stringify(made, undefined, 2)}\n`);
  const size = (file) => `${(file.length / 1000).toFixed(1)} KB`;
  console.log(`pyodide-python.zip: ${size(bytes)}, pyodide-library.zip: ${size(rest)} for Pyodide ${version}`);
}
