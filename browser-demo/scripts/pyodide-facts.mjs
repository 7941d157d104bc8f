// Writes down what packing for Pyodide has to know about it, so that `rm-pack` itself needs neither npm nor a network:
//
// - packager/python/pyodide/target.json: what its interpreter has, in the words of the engine's own description;
// - packager/python/pyodide/uses.py: what its own Python code and its boot use of the standard library, for analysis to start from;
// - packager/python/pyodide/packages.json: the packages that come with it, of its lock file what a bundle's lock file repeats.
//
// To be run after another version of the npm package `pyodide` was chosen: `node scripts/pyodide-facts.mjs`. The tests in
// Chromium show whether Pyodide starts from what analysis leaves.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPyodide, version } from "pyodide";

const demo = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const folder = resolve(demo, "../packager/python/pyodide");
const npm = join(demo, "node_modules/pyodide");

/** The library with notes taken of every function that runs, from the first module on. */
async function tracedLibrary() {
  const preparing = await loadPyodide();
  return preparing
    .runPython(
      `
import io, zipfile

NOTES = """import sys
def _note():
    ran, monitoring = set(), sys.monitoring
    def note(code, offset):
        # Not the bodies of classes and modules: they run because their module is imported.
        if code.co_flags & 1:
            ran.add((code.co_filename, code.co_qualname))
        return monitoring.DISABLE
    monitoring.use_tool_id(5, "notes")
    monitoring.register_callback(5, monitoring.events.PY_START, note)
    monitoring.set_events(5, monitoring.events.PY_START)
    sys._rm_ran = ran
_note()
"""
library = io.BytesIO()
with zipfile.ZipFile("/lib/python314.zip") as source, zipfile.ZipFile(library, "w") as archive:
    for path in source.namelist():
        text = source.read(path)
        archive.writestr(path, NOTES.encode() + text if path == "encodings/__init__.py" else text)
library.getvalue()
`,
    )
    .toJs();
}

const temporary = mkdtempSync(join(tmpdir(), "rm-pyodide-"));
const library = join(temporary, "python_stdlib.zip");
writeFileSync(library, await tracedLibrary());
const python = await loadPyodide({ stdLibURL: library, stdout: () => undefined });
const booted = new Set(python.runPython("import sys; list(sys.modules)").toJs());
// What a host does beside booting: call, get bytes, be told of an exception, print.
python.runPython("print('a line')");
python.globals.get("print").call(undefined, "a line");
python.pyimport("pyodide.ffi").to_js(python.toPy([1]));
for (const text of ["1 / 0", "raise ValueError('a')", "import nowhere"]) {
  try {
    python.runPython(text);
  } catch {
    // Its text was made, which is what matters.
  }
}
rmSync(temporary, { recursive: true });
const ran = python.runPython("list(sys._rm_ran)").toJs();
python.runPython("sys.monitoring.set_events(5, 0)");

/** Identifiers in the texts of a binary: what C code, or JavaScript, may look up by name. */
function identifiers(bytes) {
  return new Set(bytes.toString("latin1").match(/[A-Za-z_][A-Za-z0-9_]+/g));
}

const spelled = identifiers(
  Buffer.concat(["pyodide.asm.wasm", "pyodide.asm.mjs"].map((name) => readFileSync(join(npm, name)))),
);

python.globals.set("spelled", python.toPy([...spelled]));
python.globals.set("ran", python.toPy(ran));
python.globals.set("booted", python.toPy([...booted]));
const facts = JSON.parse(
  python.runPython(`
import _imp, ast, builtins, importlib, io, json, os, sys, zipfile

archive = zipfile.ZipFile("/lib/python314.zip")
own = ("pyodide", "_pyodide")
spelled = set(spelled)

def names_of(module):
    try:
        return sorted(dir(importlib.import_module(module)))
    except ImportError:
        return []

def module_name(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

trees = {}
for path in archive.namelist():
    if path.endswith(".py"):
        trees[module_name(path)] = ast.parse(archive.read(path))

frozen = {name for name in _imp._frozen_module_names() if not name.startswith(("__hello", "__phello"))}
stdlib_trees = {name: tree for name, tree in trees.items() if name.partition(".")[0] not in own}
defined = set()
for tree in stdlib_trees.values():
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            defined.add(node.name)

stdlib = set(sys.stdlib_module_names) - {"ssl", "_ssl", "builtins"}

def at_import(tree):
    """The nodes of what runs when a module is imported: not what is inside functions."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))
        else:
            waiting.extend(getattr(node, "decorator_list", ()))

modules, taken = set(), set()
for name, tree in trees.items():
    if name.partition(".")[0] not in own or name not in booted:
        continue
    bound = {}
    for node in at_import(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in stdlib:
                    modules.add(alias.name)
                    target = alias.name if alias.asname else alias.name.partition(".")[0]
                    bound[alias.asname or target] = target
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module.partition(".")[0] in stdlib:
            for alias in node.names:
                taken.add((node.module, alias.name))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in bound:
            taken.add((bound[node.value.id], node.attr))

# What ran, as rm-pack names definitions: a method by its class, what is inside a function by the function.
kept = set()
modules_of_files = {}
for name, module in list(sys.modules.items()):
    code_file = getattr(getattr(module, "__spec__", None), "origin", None)
    if code_file == "frozen":
        code_file = f"<frozen {name}>"
    modules_of_files.setdefault(code_file, name)
for file, name in ran:
    module = modules_of_files.get(file)
    name = name.partition(".<")[0]
    if module and not name.startswith("<") and module.partition(".")[0] not in own and name != "_note":
        parts = name.split(".")
        kept.add(".".join([module, *parts[:2]]))

def has(module, name):
    try:
        return hasattr(importlib.import_module(module), name)
    except ImportError:
        return False

json.dumps(dict(
    target=dict(
        pyodide=None,
        python=".".join(map(str, sys.version_info[:3])),
        version_info=sys.version_info[:3],
        implementation=sys.implementation.name,
        cache_tag=sys.implementation.cache_tag,
        bytecode_magic=_imp.pyc_magic_number_token.to_bytes(4, "little").hex(),
        platform=sys.platform,
        os_name=os.name,
        builtin_modules=sorted(set(sys.builtin_module_names) - {"_testbuffer", "_testcapi", "_testclinic", "_testclinic_limited", "_testinternalcapi", "_testlimitedcapi", "_xxtestfuzz", "xxsubtype"}),
        frozen_modules=sorted(frozen),
        boot_modules=sorted(name for name in booted if name in frozen or name in sys.builtin_module_names or name == "os.path"),
        keep=sorted(kept),
        native_names=" ".join(sorted(name for name in spelled & defined if len(name) > 1)),
    ),
    builtin_names={name: names_of(name) for name in sys.builtin_module_names if not name.startswith(("_test", "_xx", "xx"))},
    stdlib=sorted(sys.stdlib_module_names),
    modules=sorted(modules - {"builtins"}),
    taken=sorted({(module, name) for module, name in taken if module != "builtins" and has(module, name)}),
))
`),
);
const lock = JSON.parse(readFileSync(join(npm, "pyodide-lock.json"), "utf8"));
const target = {
  ...facts.target,
  pyodide: version,
  lock: lock.info,
  builtin_names: Object.fromEntries(
    facts.target.builtin_modules.map((name) => [name, facts.builtin_names[name].join(" ")]),
  ),
};
writeFileSync(join(folder, "target.json"), `${JSON.stringify(target, undefined, 1)}\n`);

const uses = [
  '"""What Pyodide\'s own Python code imports of the standard library when it starts, and what it takes of it by name.',
  "",
  `Generated by browser-demo/scripts/pyodide-facts.mjs from version ${version}. Never run: analysis reads it, as a module that uses these.`,
  '"""',
  "",
  ...facts.modules.map((name) => `import ${name}`),
  ...[...new Set(facts.taken.map(([module]) => module))].map((module) => {
    const names = facts.taken.filter(([from]) => from === module).map(([, name]) => name);
    return `from ${module} import ${names.length > 6 ? `(\n    ${names.join(",\n    ")},\n)` : names.join(", ")}`;
  }),
];
writeFileSync(join(folder, "uses.py"), `${uses.join("\n")}\n`);

/** What nobody needs: the tests of packages, and parts of the standard library, which is the bundle's own matter. */
const isOfNoUse = ([name, { imports }]) =>
  name.endsWith("-tests") || imports.some((module) => facts.stdlib.includes(module));
const packages = Object.entries(lock.packages)
  .filter((entry) => !isOfNoUse(entry))
  .sort(([left], [right]) => (left < right ? -1 : 1))
  .map(([name, { version, file_name, sha256, imports, depends, install_dir, package_type, ...made }]) => {
    // What nearly all of them have in common is left out.
    const what = {
      name: made.name,
      version,
      file_name,
      sha256,
      ...(imports.length > 0 && { imports }),
      ...(depends.length > 0 && { depends }),
      ...(package_type !== "package" && { package_type, install_dir }),
    };
    return ` ${JSON.stringify(name)}: ${JSON.stringify(what)}`;
  });
writeFileSync(join(folder, "packages.json"), `{\n${packages.join(",\n")}\n}\n`);
console.log(`wrote target.json, uses.py and packages.json for Pyodide ${version} into ${folder}`);
