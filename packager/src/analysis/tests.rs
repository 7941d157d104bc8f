//! Rules of import analysis, each on a small tree of modules.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::source::{Origin, SourceSet};

/// A tree of node modules over a tiny standard library; `node.py` is the node's module.
struct Case {
    sources: SourceSet,
    target: Target,
}

const STDLIB: &[(&str, &str)] = &[
    ("codecs.py", ""),
    ("encodings/__init__.py", "import codecs\nfrom . import aliases\n"),
    ("encodings/aliases.py", "aliases = {'latin1': 'latin_1', 'cp_1252': 'cp1252'}\n"),
    ("encodings/utf_8.py", ""),
    ("encodings/cp1252.py", "import codecs\n"),
    ("io.py", ""),
    ("abc.py", ""),
    ("os.py", "import sys\nimport posixpath as path\nsys.modules['os.path'] = path\nfrom posix import *\ndef spawn():\n    import subprocess\n"),
    ("posixpath.py", "def join(): pass\n"),
    ("subprocess.py", "import _posixsubprocess\n"),
    ("datetime.py", "try:\n    from _datetime import *\n    from _datetime import __doc__\nexcept ImportError:\n    from _pydatetime import *\n"),
    ("_pydatetime.py", ""),
    ("_strptime.py", "import calendar\n"),
    ("calendar.py", ""),
    ("ctypes.py", "import helper_of_ctypes\nfrom _ctypes import Union\n"),
    ("helper_of_ctypes.py", ""),
    ("typing.py", "TYPE_CHECKING = False\nAny = object()\n"),
    ("importlib/__init__.py", "def import_module(name): pass\n"),
    ("contextlib.py", "class suppress: pass\n"),
    ("enum.py", ""),
];

fn text_files(files: &[(&str, &str)]) -> Vec<(String, Arc<str>)> {
    files.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(*text))).collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn case(files: &[(&str, &str)]) -> Case {
    let mut sources = SourceSet::new();
    sources.add_memory(Origin::Node, text_files(files));
    sources.add_memory(Origin::Stdlib, text_files(STDLIB));
    let mut target = Target::wasi();
    target.builtin_modules = names(&["sys", "builtins", "posix", "_datetime", "time", "math", "_codecs"]);
    target.boot_modules =
        names(&["sys", "codecs", "encodings", "encodings.aliases", "encodings.utf_8", "io", "abc", "builtins"]);
    Case { sources, target }
}

fn analysed(files: &[(&str, &str)]) -> Result<Closure, AnalysisError> {
    let case = case(files);
    let entry = NodeModule { node_type: "Node".to_owned(), module: "node".to_owned() };
    analyse(&case.sources, &case.target, &[entry])
}

fn closure(files: &[(&str, &str)]) -> Closure {
    match analysed(files) {
        Ok(closure) => closure,
        Err(error) => panic!("{error}"),
    }
}

/// The modules besides `node`, each with `?` when guarded and `~` when only a function imports it.
fn shown(closure: &Closure) -> String {
    let marked = closure.modules.iter().filter(|(name, _)| *name != "node").map(|(name, module)| match module.certainty {
        Certainty::Certain => name.clone(),
        Certainty::Guarded => format!("{name}?"),
        Certainty::InFunction => format!("{name}~"),
    });
    // What the core of the interpreter needs is in every closure of this library.
    marked.filter(|name| name != "typing~").collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn packs(files: &[(&str, &str)], expected: &str) {
    assert_eq!(shown(&closure(files)), expected);
}

/// `node.py` has this text; the modules `a`, `b`, `c` are there and empty.
#[track_caller]
fn node_packs(node: &str, expected: &str) {
    packs(&[("node.py", node), ("a.py", ""), ("b.py", ""), ("c.py", "")], expected);
}

fn problems(files: &[(&str, &str)]) -> ImportProblems {
    match analysed(files) {
        Err(AnalysisError::Imports(problems)) => *problems,
        Err(error) => panic!("{error}"),
        Ok(closure) => panic!("nothing is wrong with {}", shown(&closure)),
    }
}

#[track_caller]
fn lacks(files: &[(&str, &str)], expected: &[&str]) {
    let missing = problems(files).missing;
    assert_eq!(missing.iter().map(|missing| missing.name.as_str()).collect::<Vec<_>>(), expected);
}

/// The names that are missing without being an error.
#[track_caller]
fn notes(files: &[(&str, &str)], expected: &[&str]) {
    let missing = closure(files).missing;
    let names: Vec<&str> = missing.iter().filter(|m| m.importer == "node").map(|m| m.name.as_str()).collect();
    assert_eq!(names, expected);
}

const PACKAGE: &[(&str, &str)] = &[
    ("p/__init__.py", ""),
    ("p/m.py", "from . import sibling\nfrom .q import deep\nfrom .. import nothing\n"),
    ("p/sibling.py", ""),
    ("p/q/__init__.py", ""),
    ("p/q/deep.py", "from ..sibling import __name__\nfrom .. import m2\nfrom ... import x\n"),
    ("p/m2.py", ""),
];

fn with_node<'a>(node: &'a str, files: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![("node.py", node)];
    all.extend_from_slice(files);
    all
}

#[test]
fn plain_imports_bring_parent_packages() {
    let files = [("p/__init__.py", "import a"), ("p/q/__init__.py", ""), ("p/q/r.py", ""), ("a.py", "")];
    packs(&with_node("import p.q.r\n", &files), "a p p.q p.q.r");
    packs(&with_node("import p.q.r as d\n", &files), "a p p.q p.q.r");
    packs(&with_node("from p.q import r\n", &files), "a p p.q p.q.r");
    packs(&with_node("import p.q\n", &files), "a p p.q");
}

#[test]
fn a_node_in_a_package_brings_the_package() {
    let case = case(&[("p/__init__.py", "import a"), ("p/n.py", "from . import b"), ("p/b.py", ""), ("a.py", "")]);
    let entry = NodeModule { node_type: "N".to_owned(), module: "p.n".to_owned() };
    let closure = analyse(&case.sources, &case.target, &[entry]).unwrap();
    assert_eq!(shown(&closure), "a p p.b p.n");
}

#[test]
fn relative_imports() {
    let files = [
        ("p/__init__.py", "from . import a\nfrom .b import thing\n"),
        ("p/a.py", "from .q.r import x\nfrom .q import s\n"),
        ("p/b.py", "thing = 1\n"),
        ("p/q/__init__.py", ""),
        ("p/q/r.py", "from ..c import *\nfrom .. import c as d\nx = 1\n"),
        ("p/q/s.py", ""),
        ("p/c.py", ""),
    ];
    packs(&with_node("import p\n", &files), "p p.a p.b p.c p.q p.q.r p.q.s");
}

#[test]
fn relative_imports_that_leave_the_package_fail() {
    lacks(&[("node.py", "from . import x\nfrom .y import z\n")], &["from . import ...", "from .y import ..."]);
    lacks(&with_node("import p.m\n", PACKAGE), &["from .. import ...", "from ... import ..."]);
    lacks(&with_node("import p.q.deep\n", PACKAGE), &["from ... import ..."]);
    notes(&[("node.py", "try:\n    from .y import z\nexcept ImportError:\n    z = None\n")], &["from .y import ..."]);
}

#[test]
fn attribute_before_submodule() {
    packs(&with_node("from p import x\n", &[("p/__init__.py", "x = 1\n"), ("p/x.py", "")]), "p");
    packs(&with_node("from p import x\n", &[("p/__init__.py", ""), ("p/x.py", "")]), "p p.x");
    // Bound in a branch, or by a star that cannot be seen through: both stay.
    packs(&with_node("from p import x\n", &[("p/__init__.py", "if f():\n    x = 1\n"), ("p/x.py", "")]), "p p.x");
    packs(&with_node("from p import x\n", &[("p/__init__.py", "from math import *\n"), ("p/x.py", "")]), "p p.x");
    packs(&with_node("from p import x\n", &[("p/__init__.py", "x = 1\ndel x\n"), ("p/x.py", "")]), "p p.x");
    packs(&with_node("from p import x\n", &[("p/__init__.py", "def f():\n    x = 1\n"), ("p/x.py", "")]), "p p.x");
    // The package imports its own submodule of that name.
    packs(&with_node("from p import x\n", &[("p/__init__.py", "from . import x\n"), ("p/x.py", "")]), "p p.x");
}

#[test]
fn names_that_do_not_exist() {
    lacks(&with_node("from a import nam\n", &[("a.py", "name = 1\n")]), &["nam"]);
    let bound = "for f in (): pass\nwith o() as (g, h): pass\nclass C: inner = 1\n(w := 1)\nmatch w:\n    case {'k': k, **rest}: pass\n    case [i, *j] | C(x=l): pass\nimport os.path\nimport math as m\ndef fun():\n    global late\n    late = 1\nif f: t: int = 1\ntype T = int\n[(c := v) for v in ()]\n";
    for name in ["f", "g", "h", "C", "w", "k", "rest", "i", "j", "l", "os", "m", "fun", "late", "t", "T", "c"] {
        let node = format!("from a import {name}\n");
        assert!(analysed(&with_node(&node, &[("a.py", bound)])).is_ok(), "{name} is bound");
    }
    lacks(&with_node("from a import inner\n", &[("a.py", bound)]), &["inner"]);
    lacks(&with_node("from a import path\n", &[("a.py", bound)]), &["path"]);
    lacks(&with_node("from a import v\n", &[("a.py", bound)]), &["v"]);
    for open in ["globals()['x'] = 1", "def __getattr__(n): ...", "exec('x = 1')", "from math import *", "E._convert_('E', __name__, f)", "setup(__name__)"] {
        assert!(analysed(&with_node("from a import x\n", &[("a.py", open)])).is_ok(), "{open} can bind x");
    }
    lacks(&with_node("from a import x\n", &[("a.py", "import logging_ as l\nlog = l.getLogger(__name__)\n"), ("logging_.py", "")]), &["x"]);
}

#[test]
fn star_imports_take_the_submodules_in_all() {
    let files = [("p/__init__.py", "__all__ = ['x', 'y']\n__all__ += ['z']\ny = 1\n"), ("p/x.py", ""), ("p/y.py", ""), ("p/z.py", ""), ("p/w.py", "")];
    packs(&with_node("from p import *\n", &files), "p p.x p.z");
    // Names come through a chain of stars.
    assert!(analysed(&with_node("from a import x\n", &[("a.py", "from b import *\n"), ("b.py", "x = 1\n")])).is_ok());
    lacks(&with_node("from a import y\n", &[("a.py", "from b import *\n"), ("b.py", "from a import *\nx = 1\n")]), &["y"]);
}

#[test]
fn certainty_by_place() {
    node_packs("import a\nclass K:\n    import b\n    def f(self):\n        import c\n", "a b c~");
    node_packs("if unknown:\n    import a\nelse:\n    import b\n", "a? b?");
    node_packs("async def f():\n    import a\nf2 = lambda: __import__('b')\n", "a~ b~");
    node_packs("for x in y:\n    import a\nelse:\n    import b\nwhile z:\n    import c\n", "a? b? c?");
    node_packs("with o():\n    import a\ntry:\n    import b\nfinally:\n    import c\n", "a b c");
    node_packs("match x:\n    case 1:\n        import a\n    case _:\n        import b\n", "a? b?");
    node_packs("def f():\n    class K:\n        import a\n", "a~");
    node_packs("def f():\n    import a\nimport a\n", "a");
}

#[test]
fn decided_branches() {
    node_packs("import sys\nif sys.platform == 'win32':\n    import a\nelif sys.platform == 'wasi':\n    import b\nelse:\n    import c\n", "b");
    node_packs("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\n", "typing");
    node_packs("if __name__ == '__main__':\n    import a\n", "");
    node_packs("import sys\nif sys.version_info >= (3, 8):\n    import a\nelse:\n    import b\n", "a");
    node_packs("while 0:\n    import a\nelse:\n    import b\n", "b");
    node_packs("if x:\n    import a\nelif False:\n    import b\nelse:\n    import c\n", "a? c?");
    node_packs("def f():\n    if 0:\n        import a\n    return\n    import b\n", "");
    node_packs("import sys\nx = __import__('a') if sys.platform == 'wasi' else __import__('b')\n", "a");
    node_packs("import sys\nx = sys.platform == 'win32' and __import__('a')\n", "");
    node_packs("x = y or __import__('a')\n", "a?");
}

#[test]
fn fallbacks_that_are_not_needed() {
    node_packs("try:\n    import a\nexcept ImportError:\n    import b\nelse:\n    import c\n", "a? c");
    node_packs("try:\n    import a\nexcept:\n    import b\n", "a?");
    node_packs("try:\n    import a\nexcept (ImportError, AttributeError):\n    import b\n", "a?");
    packs(&[("node.py", "import datetime\n")], "_strptime~ calendar~ datetime");
}

#[test]
fn fallbacks_that_are_needed() {
    node_packs("try:\n    import nope\n    import a\nexcept ImportError:\n    import b\nelse:\n    import c\n", "b");
    node_packs("try:\n    import nope\nexcept ModuleNotFoundError:\n    import b\n", "b");
    node_packs("try:\n    import nope\nexcept (ValueError, ImportError):\n    import b\n", "b");
    node_packs("try:\n    from a import nope\nexcept ImportError:\n    import b\n", "a? b");
    // A call in the body can fail in ways that are not seen.
    node_packs("try:\n    import a\n    a.setup()\nexcept ImportError:\n    import b\n", "a? b?");
    node_packs("try:\n    import a\n    a.name\nexcept AttributeError:\n    import b\n", "a b?");
    node_packs("try:\n    import nope\nexcept Unknown:\n    import b\nexcept ImportError:\n    import c\n", "b? c?");
    notes(&[("node.py", "try:\n    import nope\nexcept ImportError:\n    nope = None\n")], &["nope"]);
}

#[test]
fn the_wrong_handler_does_not_help() {
    lacks(&[("node.py", "try:\n    import nope\nexcept ValueError:\n    pass\n")], &["nope"]);
    // A name that is missing is not a module that is missing.
    lacks(&with_node("try:\n    from a import x\nexcept ModuleNotFoundError:\n    pass\n", &[("a.py", "")]), &["x"]);
}

#[test]
fn handlers_that_raise() {
    for handler in ["raise", "raise RuntimeError('install it')", "import sys\n    sys.exit(1)", "raise ImportError from e", "raise e"] {
        let node = format!("try:\n    import nope\nexcept ImportError as e:\n    {handler}\n");
        lacks(&[("node.py", &node)], &["nope"]);
    }
    lacks(&[("node.py", "try:\n    import nope\nexcept ImportError:\n    import nada\n")], &["nope", "nada"]);
}

#[test]
fn nested_tries() {
    let node = "try:\n    try:\n        import nope\n    except ImportError:\n        import nada\nexcept ImportError:\n    import a\n";
    node_packs(node, "a");
    let node = "try:\n    try:\n        import nope\n    finally:\n        import b\nexcept ImportError:\n    import a\n";
    node_packs(node, "a b?");
}

#[test]
fn suppressed_imports() {
    let node = "import contextlib\nwith contextlib.suppress(ImportError):\n    import nope\n    import a\nimport b\n";
    node_packs(node, "b contextlib");
    lacks(&[("node.py", "from contextlib import suppress\nwith suppress(KeyError):\n    import nope\n")], &["nope"]);
}

#[test]
fn failure_is_transitive() {
    // `subprocess` and `ctypes` are there, but what they need is not.
    let closure = closure(&[("node.py", "try:\n    import ctypes\nexcept ImportError:\n    import a\n"), ("a.py", "")]);
    assert_eq!(shown(&closure), "a");
    assert_eq!(closure.excluded.keys().collect::<Vec<_>>(), ["ctypes"]);
    let files = [("b.py", "import c"), ("c.py", "from ctypes import Union"), ("a.py", "")];
    packs(&with_node("try:\n    import b\nexcept ImportError:\n    import a\n", &files), "a");
    // In a function: it would fail when called, which may never be.
    packs(&[("node.py", "import os\ndef f():\n    import ctypes\n")], "os posixpath");
    // A module that raises by itself.
    let files = [("b.py", "import sys\nif sys.platform != 'win32':\n    raise ImportError('win32 only')\n"), ("a.py", "")];
    packs(&with_node("try:\n    import b\nexcept ImportError:\n    import a\n", &files), "a");
    // Perhaps raises: both.
    let files = [("b.py", "if not hasattr(x, 'fork'):\n    raise ImportError\n"), ("a.py", "")];
    packs(&with_node("try:\n    import b\nexcept ImportError:\n    import a\n", &files), "a? b?");
}

#[test]
fn a_needed_module_that_fails_is_an_error_with_its_chain() {
    let problems = problems(&[("node.py", "import a\n"), ("a.py", "\nimport ctypes\n")]);
    let [missing] = problems.missing.as_slice() else { panic!("{problems}") };
    assert_eq!(
        missing.to_string(),
        "ctypes.py:2: no module named `_ctypes`\n  node type `Node` is in `node`\n  `node` (node.py:1) imports `a`\n  `a` (a.py:2) imports `ctypes`"
    );
    assert_eq!(missing.hint.as_deref(), Some("Python has no `_ctypes` on wasi, so that this part of its library cannot be used"));
    let raises = [("a.py", "raise ImportError('not here')\n")];
    lacks(&with_node("import a\n", &raises), &["a"]);
}

#[test]
fn all_missing_imports_are_named_with_the_nearest_name() {
    let problems = problems(&[("node.py", "import datetme\nimport mth\nfrom p import helpr\nimport p.sub.x\n"), ("p/__init__.py", ""), ("p/helper.py", "")]);
    let told: Vec<(&str, Option<&str>)> = problems.missing.iter().map(|m| (m.name.as_str(), m.nearest.as_deref())).collect();
    assert_eq!(told, [("datetme", Some("datetime")), ("mth", Some("math")), ("helpr", Some("helper")), ("p.sub", None)]);
}

#[test]
fn missing_behind_a_guard_or_a_call_is_a_note() {
    notes(&[("node.py", "def f():\n    import nope\nif x:\n    import nada\n")], &["nope", "nada"]);
    let lazy = [("a.py", "import nope\n")];
    let closure = closure(&with_node("def f():\n    import a\n", &lazy));
    assert_eq!((shown(&closure).as_str(), closure.excluded.len()), ("", 1));
}

#[test]
fn the_engine_comes_first() {
    // Built-in modules and what booting imported cannot be replaced; other modules of the library can.
    let files = [("math.py", "import nope"), ("io.py", "import nope"), ("calendar.py", "import a"), ("a.py", "")];
    let closure = closure(&with_node("import math, io, calendar\n", &files));
    assert_eq!(shown(&closure), "a calendar");
    assert_eq!(closure.modules["calendar"].source.origin, Origin::Node);
    assert_eq!(closure.shadowed.keys().collect::<Vec<_>>(), ["io", "math"]);
    let case = case(&[("math.py", "class N: pass\n")]);
    let entry = NodeModule { node_type: "N".to_owned(), module: "math".to_owned() };
    assert!(matches!(analyse(&case.sources, &case.target, &[entry]), Err(AnalysisError::Shadowed { .. })));
}

#[test]
fn modules_that_others_put_into_sys_modules() {
    packs(&[("node.py", "import os.path\nfrom os.path import join\nfrom os import path\n")], "os posixpath");
    lacks(&[("node.py", "import os.nope\n")], &["os.nope"]);
    let open = [("six.py", "import sys\nsys.modules[f'{__name__}.moves'] = object()\n")];
    packs(&with_node("from six.moves import x\n", &open), "six");
}

#[test]
fn imports_by_call() {
    node_packs("import importlib\nimportlib.import_module('a')\n__import__('b')\n", "a b importlib");
    node_packs("from importlib import import_module as im\ndef f():\n    return im('a')\n", "a~ importlib");
    let files = [("p/__init__.py", "from importlib import import_module\nimport_module('.x', __package__)\nimport_module('..y', 'p.q')\nimport_module('.z', __name__)\n"), ("p/x.py", ""), ("p/y.py", ""), ("p/z.py", "")];
    packs(&with_node("import p\n", &files), "importlib p p.x p.y p.z");
    let closure = closure(&[("node.py", "import importlib\nfor n in names:\n    importlib.import_module(f'plugins.{n}')\n")]);
    let [dynamic] = closure.dynamic.as_slice() else { panic!("one dynamic import") };
    assert_eq!((dynamic.line, dynamic.expression.as_str()), (3, "f'plugins.{n}'"));
    // Someone else's function of that name.
    node_packs("def import_module(n): ...\nimport_module('a')\n", "");
}

#[test]
fn encodings_by_name() {
    packs(&[("node.py", "def f(b):\n    return b.decode('CP-1252')\n")], "encodings.cp1252~");
    packs(&[("node.py", "open('x', encoding='cp1252')\n'x'.encode('no-such')\n")], "encodings.cp1252");
}

#[test]
fn what_runs_at_import_in_expressions() {
    node_packs("def f(x=__import__('a')): ...\n@__import__('b').deco\nclass K(__import__('c').Base): ...\n", "a b c");
    node_packs("x = [__import__('b') for y in __import__('a')]\nz = (__import__('c') for y in ())\n", "a b? c~");
    node_packs("def f(x: __import__('a')) -> None: ...\ny: __import__('b') = 1\ntype T = __import__('c')\n", "b~ c~");
}

#[test]
fn namespace_packages() {
    let closure = closure(&[("node.py", "import ns.deep.m\nfrom ns.deep import n\n"), ("ns/deep/m.py", ""), ("ns/deep/n.py", "")]);
    assert_eq!(shown(&closure), "ns.deep.m ns.deep.n");
    assert_eq!(closure.namespaces.iter().collect::<Vec<_>>(), ["ns", "ns.deep"]);
    lacks(&[("node.py", "from ns import z\n"), ("ns/m.py", "")], &["z"]);
}

#[test]
fn cycles_end() {
    let files = [("a.py", "import b\nx = 1\n"), ("b.py", "from a import x\ntry:\n    import node\nexcept ImportError:\n    import c\n"), ("c.py", "")];
    packs(&with_node("import a\n", &files), "a b");
}

#[test]
fn reasons_are_the_shortest_of_the_strongest() {
    let files = [("a.py", "import b\n"), ("b.py", "import c\n"), ("c.py", "")];
    let closure = closure(&with_node("def f():\n    import c\nimport a\n", &files));
    let why: Vec<String> = closure.why("c").iter().map(Link::to_string).collect();
    assert_eq!(why, ["node type `Node` is in `node`", "`node` (node.py:3) imports `a`", "`a` (a.py:1) imports `b`", "`b` (b.py:1) imports `c`"]);
    assert!(closure.modules["c"].eager);
    assert!(closure.why("nothing").is_empty());
}

#[test]
fn syntax_errors_carry_the_chain() {
    let problems = problems(&[("node.py", "import a\n"), ("a.py", "x = = 1\n")]);
    assert_eq!(
        problems.to_string(),
        "a.py:1:5: syntax error: Expected an expression\n  1 | x = = 1\n    |     ^\n  node type `Node` is in `node`\n  `node` (node.py:1) imports `a`"
    );
    notes(&[("node.py", "def f():\n    import a\n"), ("a.py", "x = = 1\n")], &["a"]);
    // In a dead branch nobody cares.
    packs(&[("node.py", "if 0:\n    import a\n"), ("a.py", "x = = 1\n")], "");
}

#[test]
fn the_outcome_does_not_depend_on_threads() {
    let files: Vec<(String, String)> = (0..40).map(|n| (format!("m{n}.py"), format!("import m{}, m{}\ndef f():\n    import m{}, gone{n}\n", (n * 7 + 1) % 40, (n * 3 + 2) % 40, (n + 1) % 40))).collect();
    let mut all: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    all.push(("node.py", "import m0\n"));
    let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| closure(&all));
    assert_eq!(on(1), on(4));
}
