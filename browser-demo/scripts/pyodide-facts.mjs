// Writes down what packing for Pyodide has to know about it, so that `rm-pack` itself needs neither npm nor a network:
//
// - packager/python/pyodide/target.json: what its interpreter has, in the words of the engine's own description;
// - packager/python/pyodide/uses.py: what its own Python code and its boot use of the standard library, for analysis to start from.
//
// To be run after another version of the npm package `pyodide` was chosen: `node scripts/pyodide-facts.mjs`. The tests in
// Chromium show whether Pyodide starts from what analysis leaves.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPyodide, version } from "pyodide";

const demo = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const folder = resolve(demo, "../packager/python/pyodide");
const npm = join(demo, "node_modules/pyodide");

const python = await loadPyodide();
// What loading packages needs counts as well.
const booted = new Set(python.runPython("import sys; list(sys.modules)").toJs());

/** Identifiers in the texts of a binary: what C code, or JavaScript, may look up by name. */
function identifiers(bytes) {
  return new Set(bytes.toString("latin1").match(/[A-Za-z_][A-Za-z0-9_]+/g));
}

const spelled = identifiers(
  Buffer.concat(["pyodide.asm.wasm", "pyodide.asm.mjs"].map((name) => readFileSync(join(npm, name)))),
);

python.globals.set("spelled", python.toPy([...spelled]));
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

stdlib = set(sys.stdlib_module_names) - {"ssl", "_ssl"}
modules, taken, attributes = set(), set(), set()
for name, tree in trees.items():
    if name.partition(".")[0] not in own or name not in booted:
        continue
    bound = {}
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            docstrings.add(node.value)
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
        if isinstance(node, ast.Attribute):
            attributes.add(node.attr)
            if isinstance(node.value, ast.Name) and node.value.id in bound:
                taken.add((bound[node.value.id], node.attr))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            if node.value.isidentifier():
                attributes.add(node.value)

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
        native_names=" ".join(sorted(name for name in spelled & defined if len(name) > 1)),
    ),
    builtin_names={name: names_of(name) for name in sys.builtin_module_names if not name.startswith(("_test", "_xx", "xx"))},
    modules=sorted(modules - {"builtins"}),
    taken=sorted({(module, name) for module, name in taken if module != "builtins" and has(module, name)}),
    attributes=sorted(attributes),
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

const wrapped = (words) => {
  const lines = [""];
  for (const word of words) {
    if (lines.at(-1).length + word.length > 110) lines.push("");
    lines.push(`${lines.pop()}${lines.at(-1) === "" ? "" : " "}${word}`.trim());
  }
  return lines;
};
const uses = [
  '"""What Pyodide itself uses of the standard library: its own Python code, and what its C and JavaScript spell.',
  "",
  `Generated by browser-demo/scripts/pyodide-facts.mjs from version ${version}. Never run: analysis reads it, as a module that uses these.`,
  '"""',
  "",
  ...facts.modules.map((name) => `import ${name}`),
  ...[...new Set(facts.taken.map(([module]) => module))].map((module) => {
    const names = facts.taken.filter(([from]) => from === module).map(([, name]) => name);
    return `from ${module} import ${names.length > 6 ? `(\n    ${names.join(",\n    ")},\n)` : names.join(", ")}`;
  }),
  "",
  "",
  "def used(thing):",
  ...[...new Set(facts.attributes)]
    .sort()
    .filter((name) => !/^(None|True|False|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield)$/.test(name))
    .map((name) => `    thing.${name}`),
];
writeFileSync(join(folder, "uses.py"), `${uses.join("\n")}\n`);
console.log(`wrote target.json and uses.py for Pyodide ${version} into ${folder}`);
