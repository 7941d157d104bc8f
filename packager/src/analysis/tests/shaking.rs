//! What stays of modules, and what goes.

use super::*;

fn options(keep: &[&str]) -> Options {
    Options {
        keep: keep.iter().map(|name| (*name).to_owned()).collect(),
        native_names: names(&["__init__", "__init_subclass__", "process", "write"]),
        ..Options::default()
    }
}

/// The closure of class `Node` in `node.py`, with shaking.
fn shaken(files: &[(&str, &str)], keep: &[&str]) -> Closure {
    let case = case(files);
    let entry = NodeModule {
        node_type: "Node".to_owned(),
        module: "node".to_owned(),
        class: Some("Node".to_owned()),
    };
    match analyse(&case.sources, &case.target, &[entry], &options(keep)) {
        Ok(closure) => closure,
        Err(error) => panic!("{error}"),
    }
}

/// The text of `module` without empty lines, each line without what follows its last character.
fn text(closure: &Closure, module: &str) -> String {
    let Some(module) = closure.modules.get(module) else {
        return "(gone)".to_owned();
    };
    // Whatever is left has to be Python.
    let left = crate::source::ModuleSource {
        text: Arc::clone(&module.shaken.text),
        ..module.source.clone()
    };
    if let Err(error) = ParsedModule::parse(&left) {
        panic!("{error}\n{}", module.shaken.text);
    }
    assert_eq!(
        module.shaken.text.matches('\n').count(),
        module.source.text.matches('\n').count(),
        "lines stay where they are"
    );
    let lines = module.shaken.text.lines().map(str::trim_end);
    lines
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

/// With `node.py` and `a.py`, what is left of `a`.
#[track_caller]
fn leaves(node: &str, a: &str, expected: &str) {
    let node = format!("{node}\nclass Node:\n def process(self, x):\n  return use(x)\n");
    let closure = shaken(&[("node.py", &node), ("a.py", a), ("b.py", "B = 1\n")], &[]);
    assert_eq!(text(&closure, "a"), expected);
}

#[test]
fn what_nothing_uses_goes() {
    leaves(
        "from a import f as use",
        "import b\nX = 1\nY = 2\ndef f(x): return g(x) + X\ndef g(x): return x\ndef h(x): return Y\nclass C: pass\n",
        "X = 1\ndef f(x): return g(x) + X\ndef g(x): return x",
    );
    leaves(
        "import a\nuse = a.f",
        "def f(x): pass\ndef g(x): pass\n",
        "def f(x): pass",
    );
    leaves("use = print", "def f(x): pass\n", "(gone)");
}

#[test]
fn what_only_asserts_use_goes_with_them() {
    let node = "import a\nclass Node:\n def process(self, x):\n  assert a.f(x)\n  return 'g' if __debug__ else a.h(x)\n";
    let files = [
        ("node.py", node),
        ("a.py", "def f(x): pass\ndef g(x): pass\ndef h(x): pass\n"),
    ];
    let mut case = case(&files);
    let entry = NodeModule {
        node_type: "Node".to_owned(),
        module: "node".to_owned(),
        class: Some("Node".to_owned()),
    };
    for (optimize, left) in [
        (false, "def f(x): pass\ndef h(x): pass"),
        (true, "def h(x): pass"),
    ] {
        case.target.optimize = optimize;
        let closure = match analyse(
            &case.sources,
            &case.target,
            std::slice::from_ref(&entry),
            &options(&[]),
        ) {
            Ok(closure) => closure,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(text(&closure, "a"), left);
        assert_eq!(&*closure.modules["node"].source.text, node);
    }
}

#[test]
fn imports_go_name_by_name() {
    leaves(
        "from a import f as use",
        "import os, b\nfrom b import (\n  B,\n  C,\n)\ndef f(x): return B\n",
        "from b import (B\n)\ndef f(x): return B",
    );
    leaves(
        "from a import f as use",
        "import os, b\ndef f(x): return b.B\n",
        "import b\ndef f(x): return b.B",
    );
}

#[test]
fn everything_that_defines_a_name_stays_with_it() {
    leaves(
        "from a import f as use",
        "T = {}\nT['x'] = 1\nfor i in 'ab':\n T[i] = i\nU = {}\nU['x'] = 1\ndef f(x): return T\n",
        "T = {}\nT['x'] = 1\nfor i in 'ab':\n T[i] = i\ndef f(x): return T",
    );
    leaves(
        "from a import f as use",
        "try:\n import b\nexcept ImportError:\n b = None\ndef f(x): return b\n",
        "try:\n import b\nexcept ImportError:\n raise\ndef f(x): return b",
    );
}

#[test]
fn operators_stay_where_they_may_do_more() {
    for text in [
        "A = 1\nB = A * 2 + len('ab')\nC = int | None\n",
        "A: int = 60\nclass P:\n SIZE = 2\nB = A * P.SIZE\n",
    ] {
        leaves(
            "from a import f as use",
            &format!("{text}def f(x): pass\n"),
            "def f(x): pass",
        );
    }
    // No C code calls methods of these names here.
    for (name, operation) in [
        ("__add__", "A + 1"),
        ("__neg__", "-A"),
        ("__getitem__", "A[0]"),
    ] {
        let method = format!("def {name}(self, o=0): SEEN.append(o)");
        let rest = format!("A = V()\nB = {operation}\ndef f(x): pass");
        leaves(
            "from a import f as use",
            &format!("SEEN = []\nclass V:\n {method}\n{rest}\n"),
            &format!("class V:\n {name}=__removed__()\n{rest}"),
        );
    }
    // Whatever `b` has may note what is done with it.
    let all = "from b import B\nX = B >> B\ndef f(x): pass";
    leaves("from a import f as use", &format!("{all}\n"), all);
}

#[test]
fn effects_stay_in_order() {
    leaves(
        "from a import f as use",
        "import time\nX = []\ndef bye(): X.append(1)\ntime.register(bye)\ndef f(x): pass\ndef g(x): pass\n",
        "import time\nX = []\ndef bye(): X.append(1)\ntime.register(bye)\ndef f(x): pass",
    );
    // Nobody uses the module, and importing it prints.
    leaves(
        "import a\nuse = print",
        "print('a')\ndef f(x): pass\n",
        "print('a')",
    );
}

#[test]
fn default_values_are_evaluated_where_nobody_uses_the_function() {
    leaves(
        "from a import f as use",
        "S = []\ndef note(x): S.append(x)\ndef g(x=note(1)): pass\nh = lambda x=note(2): x\nk = lambda x=1: note(x)\ndef f(x): return S\n",
        "S = []\ndef note(x): S.append(x)\ndef g(x=note(1)): pass\nh = lambda x=note(2): x\ndef f(x): return S",
    );
    let closure = shaken(
        &[
            (
                "node.py",
                "from a import f\nclass Node:\n def process(self, x): return f(x)\n",
            ),
            (
                "a.py",
                "import functools\nS = []\ndef note(x): S.append(x)\n@functools.lru_cache(note(1))\ndef g(x): pass\n@functools.lru_cache(1)\ndef h(x): pass\ndef f(x): return S\n",
            ),
            ("functools.py", "def lru_cache(n): pass\n"),
        ],
        &[],
    );
    assert_eq!(
        text(&closure, "a"),
        "import functools\nS = []\ndef note(x): S.append(x)\n@functools.lru_cache(note(1))\ndef g(x): pass\ndef f(x): return S"
    );
}

#[test]
fn decorators_that_are_not_known_register() {
    leaves(
        "from a import f as use",
        "import functools\nT = []\ndef register(g):\n T.append(g)\n return g\n@register\ndef one(x): pass\n@functools.cache\ndef two(x): pass\ndef f(x): pass\n",
        "T = []\ndef register(g):\n T.append(g)\n return g\n@register\ndef one(x): pass\ndef f(x): pass",
    );
}

#[test]
fn methods_stay_by_name() {
    leaves(
        "from a import C\ndef use(x): return C().run()",
        "class C:\n def run(self): return self.step()\n def step(self): pass\n def walk(self): pass\n def __init__(self): pass\n def __len__(self): pass\n def write(self): pass\n",
        "class C:\n def run(self): return self.step()\n def step(self): pass\n walk=__removed__()\n def __init__(self): pass\n __len__=__removed__()\n def write(self): pass",
    );
    // An attribute of something that is not known may be any of that name.
    leaves(
        "from a import C\ndef use(x): return x.walk",
        "class C:\n def run(self): pass\n @property\n def walk(self): pass\n @walk.setter\n def walk(self, x): pass\n",
        "(gone)",
    );
    leaves(
        "from a import C as D\nE = D\ndef use(x): return x.walk, E",
        "class C:\n def run(self): pass\n @property\n def walk(self): pass\n @walk.setter\n def walk(self, x): pass\n",
        "class C:\n run=__removed__()\n @property\n def walk(self): pass\n @walk.setter\n def walk(self, x): pass",
    );
}

#[test]
fn strings_may_be_names() {
    let a = "class C:\n def on_a(self): pass\n def on_b(self): pass\n def off(self): pass\n";
    leaves(
        "from a import C\ndef use(x): return getattr(C(), 'on_a')",
        a,
        "class C:\n def on_a(self): pass\n on_b=__removed__()\n off=__removed__()",
    );
    // A name that is computed may be any: the application's own classes stay whole.
    leaves(
        "from a import C\ndef use(x): return getattr(C(), x)",
        a,
        a.trim_end(),
    );
}

#[test]
fn modules_as_values_keep_what_attributes_name() {
    leaves(
        "import a\ndef use(x): return [m.f for m in (a,)]",
        "def f(): pass\ndef g(): pass\n",
        "def f(): pass",
    );
    leaves(
        "import sys, a\ndef use(x): return sys.modules[x].f",
        "def f(): pass\ndef g(): pass\nprint()\n",
        "def f(): pass\nprint()",
    );
}

#[test]
fn modules_that_are_asked_for_by_name_leave_what_asks() {
    leaves(
        "from a import f as use",
        "import sys\nimport importlib\ndef f(x): return sys.modules['b'], importlib.import_module('b')\n",
        "import sys\nimport importlib\ndef f(x): return sys.modules['b'], importlib.import_module('b')",
    );
}

#[test]
fn what_something_holds_is_changed_through_it() {
    let a = "D = {}\nclass Box:\n def __init__(self, d): self.d = d\nbox = {'d': D}\nbox['d']['k'] = 1\nns = Box(D)\nns.d['m'] = 3\ndef f(x): return D";
    leaves("from a import f as use", a, a);
    let a = "D = {}\nclass H:\n table = D\nH.table['a'] = 1\nh = H()\nh.table['b'] = 2\ndef f(x): return D";
    leaves("from a import f as use", a, a);
}

#[test]
fn what_a_call_hands_out_may_be_anybodys() {
    let a =
        "import b\ndef of(m): return m.D\nlocal = of(b)\nlocal['one'] = 1\ndef f(x): return b.D";
    leaves("from a import f as use\nimport b", a, a);
}

#[test]
fn classes_with_computed_bases_stay() {
    for bases in [
        "class One(getattr(Base, 'x')): pass",
        "class One(getattr(Base, 'x')): pass\nclass Two(One): pass",
        "Alias = Base\nclass One(Alias): pass",
        "TABLE = {1: Base}\nclass One(TABLE[1]): pass",
        "class Outer:\n class Base(Base): pass\nclass One(Outer.Base): pass",
    ] {
        let a = format!("class Base:\n def __init_subclass__(cls): pass\ndef f(x): pass\n{bases}");
        leaves("from a import f as use", &a, &a);
    }
}

#[test]
fn classes_whose_bases_do_nothing_about_them_go() {
    for class in [
        "class One(Exception): pass",
        "import abc\nclass One(abc.ABC): pass",
        "import abc\nclass One(abc.ABC): pass\nclass Two(One): pass",
        "from collections import namedtuple\nclass One(namedtuple('One', 'x')): pass",
    ] {
        leaves(
            "from a import f as use",
            &format!("def f(x): pass\n{class}\n"),
            "def f(x): pass",
        );
    }
}

#[test]
fn what_future_imports_say_stays() {
    leaves(
        "from a import f as use",
        "from __future__ import annotations\ndef f(x: int): pass\ndef g(x): pass\n",
        "from __future__ import annotations\ndef f(x: int): pass",
    );
}

#[test]
fn text_that_is_run_uses_what_it_spells() {
    leaves(
        "import a\ndef use(x): exec('a.f(1)', {'a': a})",
        "def f(x): pass\ndef g(x): pass\n",
        "def f(x): pass",
    );
}

#[test]
fn namespaces_keep_a_module_whole() {
    let a = "X = 1\ndef f(x): return globals()[x]\ndef g(x): pass\n";
    leaves("from a import f as use", a, a.trim_end());
    let a = "X = 1\ndef f(x): return eval(x)\ndef g(x): pass\n";
    leaves("from a import f as use", a, a.trim_end());
    let a = "X = 1\ndef f(x): pass\n";
    leaves("import a\ndef use(x): return vars(a)", a, a.trim_end());
    leaves(
        "from a import g as use",
        "X = 1\ndef f(x): return globals()[x]\ndef g(x): pass\n",
        "def g(x): pass",
    );
}

#[test]
fn a_barrel_gives_one_node() {
    let closure = shaken(
        &[
            (
                "node.py",
                "from p import Clean\nclass Node(Clean):\n def process(self, x): return x\n",
            ),
            (
                "p/__init__.py",
                "from .clean import *\nfrom .video import *\nfrom .math import *\n",
            ),
            (
                "p/clean.py",
                "__all__ = ['Clean', 'Other']\nclass Clean: pass\nclass Other: pass\n",
            ),
            ("p/video.py", "import av\nclass Video(av.Base): pass\n"),
            (
                "p/math.py",
                "from numpy import *\ndef f(): return array()\n",
            ),
        ],
        &[],
    );
    assert_eq!(text(&closure, "p"), "from .clean import Clean");
    assert_eq!(text(&closure, "p.clean"), "class Clean: pass");
    assert!(!closure.modules.contains_key("p.video"));
    assert_eq!(
        closure.modules["p"].shaken.removed,
        ["Other", "Video", "av", "f"]
    );
    assert_eq!(
        closure.modules["p.clean"].shaken.removed,
        ["Other", "__all__"]
    );
}

#[test]
fn what_is_needed_and_missing_is_an_error_still() {
    let case = case(&[(
        "node.py",
        "import av\nclass Node:\n def process(self, x): return av.open(x)\n",
    )]);
    let entry = NodeModule {
        node_type: "Node".to_owned(),
        module: "node".to_owned(),
        class: Some("Node".to_owned()),
    };
    let outcome = analyse(&case.sources, &case.target, &[entry], &options(&[]));
    assert!(matches!(outcome, Err(AnalysisError::Imports(_))));
}

#[test]
fn settings_keep() {
    let files = [
        ("node.py", "class Node:\n def process(self, x): pass\n"),
        (
            "a.py",
            "def f(): pass\ndef g(): pass\nclass C:\n def m(self): pass\n def n(self): pass\n",
        ),
    ];
    let left = |keep: &[&str]| text(&shaken(&files, keep), "a");
    assert_eq!(left(&[]), "(gone)");
    assert_eq!(left(&["a.f"]), "def f(): pass");
    assert_eq!(
        left(&["a:C.m"]),
        "class C:\n def m(self): pass\n n=__removed__()"
    );
    assert_eq!(left(&["a"]), files[1].1.trim_end());
}

#[test]
fn arms_that_are_empty_stay_python() {
    leaves(
        "from a import f as use",
        "import b\nif b.B:\n X = 1\nelif b.C:\n Y = 1; Z = 2\nelse:\n def g(): pass\nif b.B: W = 1\ndef f(x): return Z\n",
        "import b\nif b.B:\n ()\nelif b.C:\n (); Z = 2\nelse:\n ()\ndef f(x): return Z",
    );
}

#[test]
fn names_of_a_class_body_stay() {
    leaves(
        "from a import C\nuse = C",
        "class C:\n def a(self): pass\n b = a\n def c(self, x=b): pass\n def d(self): pass\n",
        "class C:\n def a(self): pass\n b = a\n c=__removed__()\n d=__removed__()",
    );
}

#[test]
fn abstract_methods_stay_in_subclasses() {
    leaves(
        "from a import D\nuse = D",
        "def abstractmethod(f): return f\nclass C:\n @abstractmethod\n def m(self): pass\nclass D(C):\n def m(self): pass\n def n(self): pass\n",
        "def abstractmethod(f): return f\nclass C:\n @abstractmethod\n def m(self): pass\nclass D(C):\n def m(self): pass\n n=__removed__()",
    );
}

#[test]
fn subclasses_that_register_stay() {
    leaves(
        "from a import f as use",
        "class Base:\n all = []\n def __init_subclass__(cls): Base.all.append(cls)\nclass One(Base): pass\nclass Two: pass\ndef f(x): pass\n",
        "class Base:\n all = []\n def __init_subclass__(cls): Base.all.append(cls)\nclass One(Base): pass\ndef f(x): pass",
    );
}

#[test]
fn the_outcome_is_listed() {
    let closure = shaken(
        &[
            (
                "node.py",
                "from a import f\nclass Node:\n def process(self, x): return f(x)\n",
            ),
            ("a.py", "def f(x): pass\ndef g(x): pass\n"),
        ],
        &[],
    );
    let kept: Vec<(&str, bool)> = closure.definitions["a"]
        .iter()
        .map(|definition| (definition.name.as_str(), definition.reached.is_some()))
        .collect();
    assert_eq!(kept, [("f", true), ("g", false)]);
}

#[test]
fn names_of_modules_in_c_that_have_them_import() {
    let has_strptime = |node: &str| {
        let node = format!("{node}\nclass Node:\n def process(self, x):\n  return use(x)\n");
        let closure = shaken(&[("node.py", &node)], &[]);
        closure.modules.contains_key("_strptime")
    };
    for node in [
        "import time\ndef use(x): return time.strptime(x)",
        "from time import strptime\ndef use(x): return strptime(x)",
        "def use(x):\n from time import strptime as parse\n return parse(x)",
        "import time\ndef use(x): return getattr(time, x)",
        "import time\ndef use(x): return getattr(time, f'strp{x}')",
        "import time\ndef use(x): return [time, x.strptime(x)]",
    ] {
        assert!(has_strptime(node), "{node}");
    }
    assert!(!has_strptime("import time\ndef use(x): return time.time()"));
}

#[test]
fn functions_import_into_globals() {
    let uses_b = |a: &str| {
        let files = [
            (
                "node.py",
                "from a import f\nclass Node:\n def process(self, x):\n  return f(x)\n",
            ),
            ("a.py", a),
            ("b.py", "def g(x): pass\ndef h(x): pass\n"),
        ];
        text(&shaken(&files, &[]), "b")
    };
    for a in [
        "b = None\ndef f(x):\n global b\n if b is None:\n  import b\n return b.g(x)\n",
        "def load():\n global b\n import b\ndef f(x):\n load()\n return b.g(x)\n",
        "c = None\ndef f(x):\n global c\n import b as c\n return c.g(x)\n",
        "def f(x):\n global g\n from b import g\n return g(x)\n",
    ] {
        assert_eq!(uses_b(a), "def g(x): pass", "{a}");
    }
}

#[test]
fn modules_are_taken_if_they_are_there() {
    let left = |node: &str| {
        let node = format!("{node}\nclass Node:\n def process(self, x):\n  return use(x)\n");
        let files = [
            ("node.py", node.as_str()),
            ("a.py", "def f(): pass\ndef g(): pass\n"),
        ];
        text(&shaken(&files, &[]), "a")
    };
    let peeks =
        "import sys\ndef use(x):\n found = sys.modules.get('a')\n return found and found.f()\n";
    assert_eq!(left(peeks), "(gone)");
    assert_eq!(
        left(&format!("import a\n{peeks}\nprint(a.g)")),
        "def f(): pass\ndef g(): pass"
    );
}

#[test]
fn what_a_star_would_have_brought_is_known_to_be_missing() {
    let closure = |b: &str| {
        let node = "from a import f\nclass Node:\n def process(self, x):\n  return f(x)\n";
        let a = "from b import *\ndef f(x): return g\n";
        shaken(&[("node.py", node), ("a.py", a), ("b.py", b)], &[])
    };
    let lost = closure("g = 1\nh = 2\n_i = 3\nif g:\n j = 4\n");
    assert_eq!(text(&lost, "a"), "from b import g\ndef f(x): return g");
    assert_eq!(lost.modules["a"].shaken.removed, ["h"]);
    assert_eq!(lost.modules["a"].shaken.doubtful, ["j"]);
    let listed = closure("__all__ = ['g', '_i']\ng = 1\nh = 2\n_i = 3\n");
    assert_eq!(listed.modules["a"].shaken.removed, ["_i"]);
    // One that nobody needs at all.
    let all = closure("h = 2\n");
    assert_eq!(text(&all, "a"), "def f(x): return g");
    assert_eq!(all.modules["a"].shaken.removed, ["h"]);
}

#[test]
fn annotations_that_are_texts_are_told_by_the_import_itself() {
    for (a, expected) in [
        ("from __future__ import annotations", true),
        (
            "\"doc\"; from __future__ import division, annotations",
            true,
        ),
        (
            "from __future__ import (\n    division,\n    annotations,\n)",
            true,
        ),
        (
            "from __future__ import division  # not annotations\nannotations = 1",
            false,
        ),
        (
            "\"\"\"\nfrom __future__ import annotations\n\"\"\"\nannotations = 1",
            false,
        ),
    ] {
        let a = format!("{a}\ndef used(): pass\n");
        let node = "import a\nclass Node:\n def process(self, x): a.used()\n";
        let closure = shaken(&[("node.py", node), ("a.py", &a)], &[]);
        let told = closure.modules["a"].shaken.text_annotations;
        assert_eq!(told, expected, "{a}");
    }
}

const HELPERS: (&str, &str) = (
    "helpers.py",
    "import nowhere\ndef fetch(): return nowhere.get()\ndef clean(x): return x\n",
);

#[test]
fn a_module_that_fails_for_what_nobody_uses_is_there_without_it() {
    for import in [
        "from helpers import clean",
        "if x: from helpers import clean",
    ] {
        let node = format!("class Node:\n def process(self, x):\n  {import}\n  return clean(x)\n");
        let closure = shaken(&[("node.py", &node), HELPERS], &[]);
        assert_eq!(text(&closure, "helpers"), "def clean(x): return x");
        assert_eq!(closure.unused[0].name, "nowhere");
    }
    let package = [
        (
            "node.py",
            "from pk import sub\nclass Node:\n def process(self, x): return sub.g()\n",
        ),
        ("pk/__init__.py", "from pk.util import f\n"),
        (
            "pk/util.py",
            "import nowhere\ndef f(): return nowhere\ndef clean(): return 5\n",
        ),
        (
            "pk/sub.py",
            "from pk.util import clean\ndef g(): return clean()\n",
        ),
    ];
    let closure = shaken(&package, &[]);
    assert_eq!(text(&closure, "pk.util"), "def clean(): return 5");
    assert!(text(&closure, "pk.sub").contains("def g()"));
}

#[test]
fn a_module_that_fails_stays_out_where_a_handler_is_there_for_that() {
    let node = "class Node:\n def process(self, x):\n  try:\n   from helpers import clean\n  except ImportError:\n   clean = str\n  return clean(x)\n";
    let closure = shaken(&[("node.py", node), HELPERS], &[]);
    assert_eq!(text(&closure, "helpers"), "(gone)");
    assert!(closure.excluded.contains_key("helpers"));
}

#[test]
fn what_is_looked_for_is_there_if_it_is_there_at_all() {
    let node = "from importlib.util import find_spec\nclass Node:\n def process(self, x): return find_spec('extra'), find_spec('nothing')\n";
    let closure = shaken(&[("node.py", node), ("extra.py", "X = 1\n")], &[]);
    assert!(closure.modules.contains_key("extra"));
    assert!(closure.missing.is_empty());
}
