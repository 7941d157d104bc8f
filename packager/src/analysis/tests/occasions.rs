//! What happens only if the program gives occasion to it: names that a module is asked for, copies and pickles, limits that
//! somebody lifts.

use super::*;

/// The closure of a node that computes `expression`, over a library with these modules beside the usual ones.
fn closure_of(node: &str, library: &[(&str, &str)]) -> Closure {
    closure_with(node, library, true)
}

/// The same; programs may find no texts of modules.
fn closure_with(node: &str, library: &[(&str, &str)], has_texts: bool) -> Closure {
    let mut case = case(&[("node.py", node)]);
    case.target.has_texts = has_texts;
    case.sources.add_memory(Origin::Stdlib, text_files(library));
    let builtin = [
        "_pickle",
        "_tracemalloc",
        "itertools",
        "_md5",
        "_sha1",
        "_sha2",
        "_sha3",
    ];
    case.target.builtin_modules.extend(names(&builtin));
    let entry = NodeModule {
        node_type: "Node".to_owned(),
        module: "node".to_owned(),
        class: Some("Node".to_owned()),
    };
    let options = Options {
        native_names: names(&[
            "__copy__",
            "__deepcopy__",
            "__init__",
            "__reduce__",
            "__reduce_ex__",
            "__setstate__",
            "int_divmod",
            "int_from_string",
            "int_to_decimal_string",
            "process",
        ]),
        ..Options::default()
    };
    match analyse(&case.sources, &case.target, &[entry], &options) {
        Ok(closure) => closure,
        Err(error) => panic!("{error}"),
    }
}

fn left(closure: &Closure, module: &str) -> String {
    let Some(module) = closure.modules.get(module) else {
        return "(gone)".to_owned();
    };
    let lines = module.shaken.text.lines().map(str::trim_end);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

const LAZY: &str = "\
def __getattr__(name):
    if name == 'first':
        from one import first
        return first
    elif name in ('second', 'third'):
        import two
        return getattr(two, name)
    import three
    raise AttributeError(name)
";

/// Which of the modules that [`LAZY`] imports are in the bundle.
#[track_caller]
fn asks(imports: &str, expression: &str, expected: &str) {
    let node = format!("{imports}\nclass Node:\n def process(self, x):\n  return {expression}\n");
    let library = [
        ("lazy.py", LAZY),
        ("one.py", "first = 1\n"),
        ("two.py", "second = 2\n"),
        ("three.py", ""),
    ];
    let closure = closure_of(&node, &library);
    let there: Vec<&str> = ["lazy", "one", "two", "three"]
        .into_iter()
        .filter(|name| closure.modules.contains_key(*name))
        .collect();
    assert_eq!(there.join(" "), expected, "{imports}; {expression}");
}

#[test]
fn a_module_is_asked_for_names_one_by_one() {
    asks("import lazy", "lazy.first", "lazy one three");
    asks("import lazy", "lazy.third", "lazy two three");
    asks(
        "import lazy",
        "lazy.second, lazy.first",
        "lazy one two three",
    );
    asks("import lazy", "lazy.other", "lazy three");
    asks("from lazy import first", "first", "lazy one three");
    asks(
        "from lazy import first as other",
        "other, x.second",
        "lazy one three",
    );
}

#[test]
fn what_nobody_asks_for_says_so() {
    let node = "import lazy\nclass Node:\n def process(self, x):\n  return lazy.first\n";
    let library = [
        ("lazy.py", LAZY),
        ("one.py", "first = 1\n"),
        ("two.py", ""),
        ("three.py", ""),
    ];
    assert_eq!(
        left(&closure_of(node, &library), "lazy"),
        "def __getattr__(name):\n    if name == 'first':\n        from one import first\n        return first\n    \
         elif name in ('second', 'third'):\n        raise __removed__.asked(__name__, name)\n    import three\n    \
         raise AttributeError(name)"
    );
}

#[test]
fn a_module_that_is_handed_around_may_be_asked_for_all_that_is_mentioned() {
    asks("import lazy", "f(lazy)", "lazy three");
    asks("import lazy", "f(lazy).first", "lazy one three");
    asks("import lazy", "f(lazy, 'second')", "lazy two three");
    asks("import lazy", "getattr(lazy, x)", "lazy one two three");
    asks("import lazy", "lazy.__getattr__(x)", "lazy one two three");
    asks("import lazy", "vars(lazy)", "lazy one two three");
    asks(
        "from lazy import __getattr__ as f",
        "f(x)",
        "lazy one two three",
    );
}

#[test]
fn a_name_that_changes_may_be_any() {
    let node = "import lazy\nclass Node:\n def process(self, x):\n  return lazy.other\n";
    let lazy = "def __getattr__(name):\n name = name.lower()\n if name == 'first':\n  import one\n";
    let closure = closure_of(node, &[("lazy.py", lazy), ("one.py", "")]);
    assert!(closure.modules.contains_key("one"));
}

const COPIED: &str = "\
class C:
 def __copy__(self): pass
 def __deepcopy__(self, memo): pass
 def __reduce__(self): pass
 def __setstate__(self, state): pass
";

/// What stays of the methods of [`COPIED`].
#[track_caller]
fn keeps(imports: &str, expression: &str, expected: &str) {
    let node = format!(
        "import c\n{imports}\nclass Node:\n def process(self, x):\n  return c.C(), {expression}\n"
    );
    let library = [
        ("c.py", COPIED),
        (
            "copy.py",
            "def copy(x):\n return getattr(x, '__copy__')() or x.__reduce_ex__(4)\n",
        ),
        ("enum.py", "def e(x):\n return x.__reduce_ex__\n"),
        ("copyreg.py", "dispatch_table = {}\n"),
    ];
    let closure = closure_of(&node, &library);
    let kept: Vec<&str> = ["__copy__", "__deepcopy__", "__reduce__", "__setstate__"]
        .into_iter()
        .filter(|name| left(&closure, "c").contains(&format!("def {name}")))
        .collect();
    assert_eq!(kept.join(" "), expected, "{imports}; {expression}");
    let pickles = kept.contains(&"__reduce__");
    assert_eq!(closure.modules.contains_key("copyreg"), pickles);
}

#[test]
fn what_copies_and_pickles_goes_where_nobody_does() {
    keeps("", "0", "");
    keeps(
        "import copy",
        "copy.copy(x)",
        "__copy__ __reduce__ __setstate__",
    );
    keeps("import copy", "0", "");
    keeps("", "x.__reduce_ex__(2)", "__reduce__ __setstate__");
    keeps("", "getattr(x, '__reduce_ex__')", "__reduce__ __setstate__");
    keeps("", "x.__reduce__()", "__reduce__ __setstate__");
    keeps("", "x.__deepcopy__({})", "__deepcopy__");
    keeps(
        "import _pickle",
        "_pickle.dumps(x)",
        "__reduce__ __setstate__",
    );
    keeps("import itertools", "itertools.tee(x)", "__copy__");
    keeps("from itertools import chain", "chain(x)", "");
    // It asks whether there is one.
    keeps("import enum", "enum.e(x)", "");
}

const REGISTERS: &str = "\
import typing
dispatch_table = {}
def pickle(kind, function):
 dispatch_table[kind] = function
def pickle_union(x):
 import typing
 return typing.Any
pickle(type(int | str), pickle_union)
";

#[test]
fn registrations_matter_to_those_who_read_the_table() {
    let left = |node: &str| {
        let node =
            format!("import copyreg\nclass Node:\n def process(self, x):\n  return {node}\n");
        left(&closure_of(&node, &[("copyreg.py", REGISTERS)]), "copyreg")
    };
    assert!(left("copyreg.dispatch_table").contains("pickle_union"));
    assert!(!left("copyreg.pickle(x, x)").contains("pickle_union"));
}

const PYLONG: &str = "\
import decimal
CONTEXT = decimal.getcontext().copy()
CONTEXT.prec = decimal.MAX_PREC
CONTEXT.traps[decimal.Inexact] = 1
def int_divmod(a, b): return a, b
def int_from_string(s): return CONTEXT
def int_to_decimal_string(n): return CONTEXT
";

#[test]
fn long_numbers_are_written_where_their_limit_is_lifted() {
    let of = |node: &str| {
        let node = format!("import sys\nclass Node:\n def process(self, x):\n  return {node}\n");
        let library = [
            ("_pylong.py", PYLONG),
            ("decimal.py", "def getcontext(): pass\n"),
        ];
        closure_of(&node, &library)
    };
    let plain = of("sys.version");
    assert_eq!(left(&plain, "_pylong"), "def int_divmod(a, b): return a, b");
    assert!(!plain.modules.contains_key("decimal"));
    for lifts in [
        "sys.set_int_max_str_digits(0)",
        "x.set_int_max_str_digits(0)",
        "getattr(sys, 'set_int_max_str_digits')(0)",
        "vars(sys)",
        "getattr(sys, 'set_int_max_' + x)",
    ] {
        let lifted = of(lifts);
        assert_eq!(left(&lifted, "_pylong"), PYLONG.trim_end(), "{lifts}");
        assert!(lifted.modules.contains_key("decimal"), "{lifts}");
    }
}

#[test]
fn warnings_of_coroutines_tell_where_they_come_from_if_that_is_asked_for() {
    let warnings = "def _warn_unawaited_coroutine(c): pass\n";
    let of = |node: &str| {
        let node = format!(
            "import sys, warnings\nclass Node:\n def process(self, x):\n  return warnings.x, {node}\n"
        );
        left(&closure_of(&node, &[("warnings.py", warnings)]), "warnings")
    };
    assert_eq!(of("sys.version"), "");
    assert_eq!(
        of("sys.set_coroutine_origin_tracking_depth(9)"),
        warnings.trim_end()
    );
}

const HASHES: &str = "\
for name in ('md5', 'sha1'):
 try:
  globals()[name] = print(name)
 except ValueError:
  import logging
  logging.exception(name)
";

#[test]
fn what_finds_all_that_it_looks_for_handles_no_errors() {
    let node = "import hashlib\nclass Node:\n def process(self, x):\n  return hashlib.md5()\n";
    let library = [
        ("hashlib.py", HASHES),
        ("logging.py", "def exception(x): pass\n"),
    ];
    let mut case = case(&[("node.py", node)]);
    case.sources
        .add_memory(Origin::Stdlib, text_files(&library));
    let hashes = ["_blake2", "_md5", "_sha1", "_sha2", "_sha3"];
    let closure = |case: &Case| {
        let entry = NodeModule {
            node_type: "Node".to_owned(),
            module: "node".to_owned(),
            class: Some("Node".to_owned()),
        };
        let options = Options {
            native_names: names(&["process"]),
            ..Options::default()
        };
        analyse(&case.sources, &case.target, &[entry], &options)
            .unwrap_or_else(|error| panic!("{error}"))
    };
    assert!(closure(&case).modules.contains_key("logging"));
    case.target.builtin_modules.extend(names(&hashes));
    let all = closure(&case);
    assert!(!all.modules.contains_key("logging"));
    assert_eq!(
        left(&all, "hashlib"),
        "for name in ('md5', 'sha1'):\n try:\n  globals()[name] = print(name)\n except ValueError:\n  raise"
    );
}

const SHOWS_LINES: &str = "\
def _formatwarnmsg_impl(line):
    try:
        import linecache
        line = linecache.getline('a', 1)
    except Exception:
        line = None
        linecache = None
    return line, linecache is not None
";

const LINES: &str = "\
def getline(name, number):
    return ''
def other():
    pass
";

#[test]
fn lines_are_shown_where_there_are_texts() {
    let library = [("_py_warnings.py", SHOWS_LINES), ("linecache.py", LINES)];
    let lines = |node: &str, has_texts| {
        let node = format!("{node}\nclass Node:\n def process(self, x):\n  return f(x)\n");
        left(&closure_with(&node, &library, has_texts), "linecache")
    };
    let shows = "from _py_warnings import _formatwarnmsg_impl as f";
    let getline = LINES
        .split("def other")
        .next()
        .unwrap_or_default()
        .trim_end();
    assert_eq!(lines(shows, true), getline);
    assert_eq!(lines(shows, false), "(gone)");
    // What somebody else imports shows them as it would.
    let both = format!("{shows}\nfrom linecache import other\nother()");
    assert_eq!(lines(&both, false), LINES.trim_end());
    let elsewhere = "def f(x):\n import linecache\n return linecache.getline(x, 1)";
    assert_eq!(lines(elsewhere, false), getline);
}

const TRACES: &str = "\
from _tracemalloc import *
from _tracemalloc import _get_object_traceback
class Traceback:
    pass
def get_object_traceback(x):
    frames = _get_object_traceback(x)
    return None if frames is None else Traceback(frames)
";

/// Whether the class of a traceback is there for a node that has `imports` and computes `expression`.
fn has_tracebacks(imports: &str, expression: &str) -> bool {
    let node = format!(
        "import tracemalloc\n{imports}\nclass Node:\n def process(self, x):\n  \
         return {expression}, tracemalloc.get_object_traceback(x)\n"
    );
    let closure = closure_of(&node, &[("tracemalloc.py", TRACES)]);
    left(&closure, "tracemalloc").contains("class Traceback")
}

#[test]
fn what_is_not_traced_has_no_traceback() {
    assert!(!has_tracebacks("", "x.start()"));
    assert!(has_tracebacks("", "tracemalloc.start()"));
    assert!(has_tracebacks("from tracemalloc import start", "start()"));
    assert!(has_tracebacks("", "[tracemalloc][0].start()"));
    assert!(has_tracebacks(
        "import _tracemalloc",
        "[_tracemalloc][0].start()"
    ));
    assert!(has_tracebacks("", "getattr(tracemalloc, x)()"));
    assert!(has_tracebacks("import sys", "sys.modules[x].start()"));
    assert!(has_tracebacks(
        "from importlib import import_module",
        "import_module(x).start()"
    ));
}

#[test]
fn exceptions_that_are_printed_as_uncaught_need_traceback() {
    let traceback =
        "def _print_exception_bltin(exc):\n    print(exc)\ndef print_exc():\n    pass\n";
    let threading = "import sys\nHOOK = sys.excepthook\ndef run():\n    return HOOK\n";
    let library = [("traceback.py", traceback), ("threading.py", threading)];
    for hook in ["excepthook", "__excepthook__"] {
        let node =
            format!("import sys\nclass Node:\n    def process(self, e):\n        sys.{hook}(e)\n");
        let closure = closure_of(&node, &library);
        assert_eq!(
            left(&closure, "traceback"),
            "def _print_exception_bltin(exc):\n    print(exc)"
        );
    }
    // Threads would use it.
    let node =
        "import threading\nclass Node:\n    def process(self, e):\n        threading.run()\n";
    assert_eq!(left(&closure_of(node, &library), "traceback"), "(gone)");
}

#[test]
fn paths_in_texts_of_the_application_lead_to_its_definitions() {
    let helper = "class H:\n def handle(self): pass\n def other(self): pass\n";
    for text in [
        "f'{__name__}.H'",
        "__name__ + ':H.handle'",
        "'node:H.handle'",
    ] {
        let node = format!("{helper}class Node:\n def process(self, x): return x({text})\n");
        let closure = closure_of(&node, &[]);
        let text = left(&closure, "node");
        assert!(text.contains("class H:"), "{text}");
        assert_eq!(text.contains("def handle"), !node.contains(".H'"), "{text}");
        assert!(!text.contains("def other"), "{text}");
    }
}

#[test]
fn tests_are_found_by_the_beginning_of_their_names() {
    let library = [
        ("unittest/__init__.py", "from unittest.loader import load\n"),
        (
            "unittest/loader.py",
            "def load(case): return [name for name in dir(case) if name.startswith('test')]\n",
        ),
    ];
    let node = "import unittest\nclass Case:\n def test_it(self): pass\n def rest(self): pass\nclass Node:\n def process(self, x): return unittest.load(Case)\n";
    let text = left(&closure_of(node, &library), "node");
    assert!(text.contains("def test_it"), "{text}");
    assert!(!text.contains("def rest"), "{text}");
}
