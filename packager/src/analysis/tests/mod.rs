//! Rules of import analysis, each on a small tree of modules.

mod accelerated;
mod closure;
mod cold;
mod guards;
mod imports;
mod occasions;
mod packages;
mod shaking;

use std::collections::{BTreeMap, BTreeSet};
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
    (
        "encodings/__init__.py",
        "import codecs\nfrom . import aliases\n",
    ),
    (
        "encodings/aliases.py",
        "aliases = {'latin1': 'latin_1', 'cp_1252': 'cp1252'}\n",
    ),
    ("encodings/utf_8.py", ""),
    ("encodings/cp1252.py", "import codecs\n"),
    ("encodings/mac_roman.py", "import codecs\n"),
    ("io.py", ""),
    ("abc.py", ""),
    (
        "os.py",
        "import sys\nimport posixpath as path\nsys.modules['os.path'] = path\nfrom posix import *\ndef spawn():\n    import subprocess\n",
    ),
    ("posixpath.py", "def join(): pass\n"),
    ("subprocess.py", "import _posixsubprocess\n"),
    (
        "datetime.py",
        "try:\n    from _datetime import *\n    from _datetime import __doc__\nexcept ImportError:\n    from _pydatetime import *\n",
    ),
    ("_pydatetime.py", ""),
    ("_strptime.py", "import calendar\n"),
    ("calendar.py", ""),
    (
        "ctypes.py",
        "import helper_of_ctypes\nfrom _ctypes import Union\n",
    ),
    ("helper_of_ctypes.py", ""),
    ("typing.py", "TYPE_CHECKING = False\nAny = object()\n"),
    ("importlib/__init__.py", "def import_module(name): pass\n"),
    ("importlib/util.py", "def find_spec(name): pass\n"),
    ("contextlib.py", "class suppress: pass\n"),
    ("__future__.py", "annotations = division = 1\n"),
    ("encodings/bz2_codec.py", "import _bz2\n"),
    ("enum.py", ""),
];

fn text_files(files: &[(&str, &str)]) -> Vec<(String, Arc<str>)> {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), Arc::from(*text)))
        .collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn case(files: &[(&str, &str)]) -> Case {
    let mut sources = SourceSet::new();
    sources.add_memory(Origin::Node, text_files(files));
    sources.add_memory(Origin::Stdlib, text_files(STDLIB));
    let mut target = Target::wasi();
    target.builtin_modules = names(&[
        "sys",
        "builtins",
        "posix",
        "_datetime",
        "time",
        "math",
        "_codecs",
    ]);
    target.boot_modules = names(&[
        "sys",
        "codecs",
        "encodings",
        "encodings.aliases",
        "encodings.utf_8",
        "io",
        "abc",
        "builtins",
    ]);
    Case { sources, target }
}

/// Without shaking definitions.
fn whole() -> Options {
    Options {
        whole_modules: true,
        ..Options::default()
    }
}

fn analysed(files: &[(&str, &str)]) -> Result<Closure, AnalysisError> {
    let case = case(files);
    let entry = NodeModule {
        node_type: "Node".to_owned(),
        module: "node".to_owned(),
        class: None,
    };
    analyse(&case.sources, &case.target, &[entry], &whole())
}

fn closure(files: &[(&str, &str)]) -> Closure {
    match analysed(files) {
        Ok(closure) => closure,
        Err(error) => panic!("{error}"),
    }
}

/// The modules besides `node`, each with `?` when guarded and `~` when only a function imports it.
fn shown(closure: &Closure) -> String {
    let marked = closure
        .modules
        .iter()
        .filter(|(name, _)| *name != "node")
        .map(|(name, module)| match module.certainty {
            Certainty::Certain => name.clone(),
            Certainty::Guarded => format!("{name}?"),
            Certainty::InFunction => format!("{name}~"),
        });
    // What the core of the interpreter needs is in every closure of this library.
    marked
        .filter(|name| name != "typing~")
        .collect::<Vec<_>>()
        .join(" ")
}

#[track_caller]
fn packs(files: &[(&str, &str)], expected: &str) {
    assert_eq!(shown(&closure(files)), expected);
}

/// `node.py` has this text; the modules `a`, `b`, `c` are there and empty.
#[track_caller]
fn node_packs(node: &str, expected: &str) {
    packs(
        &[("node.py", node), ("a.py", ""), ("b.py", ""), ("c.py", "")],
        expected,
    );
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
    assert_eq!(
        missing
            .iter()
            .map(|missing| missing.name.as_str())
            .collect::<Vec<_>>(),
        expected
    );
}

/// The names that are missing without being an error.
#[track_caller]
fn notes(files: &[(&str, &str)], expected: &[&str]) {
    let missing = closure(files).missing;
    let names: Vec<&str> = missing
        .iter()
        .filter(|m| m.importer == "node")
        .map(|m| m.name.as_str())
        .collect();
    assert_eq!(names, expected);
}

fn with_node<'a>(node: &'a str, files: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![("node.py", node)];
    all.extend_from_slice(files);
    all
}
