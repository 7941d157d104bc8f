//! Which module or name an import statement means.

use super::*;

const PACKAGE: &[(&str, &str)] = &[
    ("p/__init__.py", ""),
    (
        "p/m.py",
        "from . import sibling\nfrom .q import deep\nfrom .. import nothing\n",
    ),
    ("p/sibling.py", ""),
    ("p/q/__init__.py", ""),
    (
        "p/q/deep.py",
        "from ..sibling import __name__\nfrom .. import m2\nfrom ... import x\n",
    ),
    ("p/m2.py", ""),
];

#[test]
fn plain_imports_bring_parent_packages() {
    let files = [
        ("p/__init__.py", "import a"),
        ("p/q/__init__.py", ""),
        ("p/q/r.py", ""),
        ("a.py", ""),
    ];
    packs(&with_node("import p.q.r\n", &files), "a p p.q p.q.r");
    packs(&with_node("import p.q.r as d\n", &files), "a p p.q p.q.r");
    packs(&with_node("from p.q import r\n", &files), "a p p.q p.q.r");
    packs(&with_node("import p.q\n", &files), "a p p.q");
}

#[test]
fn a_node_in_a_package_brings_the_package() {
    let case = case(&[
        ("p/__init__.py", "import a"),
        ("p/n.py", "from . import b"),
        ("p/b.py", ""),
        ("a.py", ""),
    ]);
    let entry = NodeModule {
        node_type: "N".to_owned(),
        module: "p.n".to_owned(),
        class: None,
    };
    let closure = analyse(&case.sources, &case.target, &[entry], &whole()).unwrap();
    assert_eq!(shown(&closure), "a p p.b p.n");
}

#[test]
fn relative_imports() {
    let files = [
        ("p/__init__.py", "from . import a\nfrom .b import thing\n"),
        ("p/a.py", "from .q.r import x\nfrom .q import s\n"),
        ("p/b.py", "thing = 1\n"),
        ("p/q/__init__.py", ""),
        (
            "p/q/r.py",
            "from ..c import *\nfrom .. import c as d\nx = 1\n",
        ),
        ("p/q/s.py", ""),
        ("p/c.py", ""),
    ];
    packs(
        &with_node("import p\n", &files),
        "p p.a p.b p.c p.q p.q.r p.q.s",
    );
}

#[test]
fn relative_imports_that_leave_the_package_fail() {
    lacks(
        &[("node.py", "from . import x\nfrom .y import z\n")],
        &["from . import ...", "from .y import ..."],
    );
    lacks(
        &with_node("import p.m\n", PACKAGE),
        &["from .. import ...", "from ... import ..."],
    );
    lacks(
        &with_node("import p.q.deep\n", PACKAGE),
        &["from ... import ..."],
    );
    notes(
        &[(
            "node.py",
            "try:\n    from .y import z\nexcept ImportError:\n    z = None\n",
        )],
        &["from .y import ..."],
    );
}

#[test]
fn attribute_before_submodule() {
    packs(
        &with_node(
            "from p import x\n",
            &[("p/__init__.py", "x = 1\n"), ("p/x.py", "")],
        ),
        "p",
    );
    packs(
        &with_node(
            "from p import x\n",
            &[("p/__init__.py", ""), ("p/x.py", "")],
        ),
        "p p.x",
    );
    // Bound in a branch, or by a star that cannot be seen through: both stay.
    packs(
        &with_node(
            "from p import x\n",
            &[("p/__init__.py", "if f():\n    x = 1\n"), ("p/x.py", "")],
        ),
        "p p.x",
    );
    packs(
        &with_node(
            "from p import x\n",
            &[("p/__init__.py", "from math import *\n"), ("p/x.py", "")],
        ),
        "p p.x",
    );
    packs(
        &with_node(
            "from p import x\n",
            &[("p/__init__.py", "x = 1\ndel x\n"), ("p/x.py", "")],
        ),
        "p p.x",
    );
    packs(
        &with_node(
            "from p import x\n",
            &[("p/__init__.py", "def f():\n    x = 1\n"), ("p/x.py", "")],
        ),
        "p p.x",
    );
    // The package imports its own submodule of that name.
    packs(
        &with_node(
            "from p import x\n",
            &[("p/__init__.py", "from . import x\n"), ("p/x.py", "")],
        ),
        "p p.x",
    );
}

#[test]
fn names_that_do_not_exist() {
    lacks(
        &with_node("from a import nam\n", &[("a.py", "name = 1\n")]),
        &["nam"],
    );
    let bound = "for f in (): pass\nwith o() as (g, h): pass\nclass C: inner = 1\n(w := 1)\nmatch w:\n    case {'k': k, **rest}: pass\n    case [i, *j] | C(x=l): pass\nimport os.path\nimport math as m\ndef fun():\n    global late\n    late = 1\nif f: t: int = 1\ntype T = int\n[(c := v) for v in ()]\n";
    for name in [
        "f", "g", "h", "C", "w", "k", "rest", "i", "j", "l", "os", "m", "fun", "late", "t", "T",
        "c",
    ] {
        let node = format!("from a import {name}\n");
        assert!(
            analysed(&with_node(&node, &[("a.py", bound)])).is_ok(),
            "{name} is bound"
        );
    }
    lacks(
        &with_node("from a import inner\n", &[("a.py", bound)]),
        &["inner"],
    );
    lacks(
        &with_node("from a import path\n", &[("a.py", bound)]),
        &["path"],
    );
    lacks(&with_node("from a import v\n", &[("a.py", bound)]), &["v"]);
    for open in [
        "globals()['x'] = 1",
        "@enum.global_enum\nclass K: ...",
        "def __getattr__(n): ...",
        "exec('x = 1')",
        "from math import *",
        "E._convert_('E', __name__, f)",
        "setup(__name__)",
    ] {
        assert!(
            analysed(&with_node("from a import x\n", &[("a.py", open)])).is_ok(),
            "{open} can bind x"
        );
    }
    lacks(
        &with_node(
            "from a import x\n",
            &[
                (
                    "a.py",
                    "import logging_ as l\nlog = l.getLogger(__name__)\n",
                ),
                ("logging_.py", ""),
            ],
        ),
        &["x"],
    );
}

#[test]
fn star_imports_take_the_submodules_in_all() {
    let files = [
        (
            "p/__init__.py",
            "__all__ = ['x', 'y']\n__all__ += ['z']\ny = 1\n",
        ),
        ("p/x.py", ""),
        ("p/y.py", ""),
        ("p/z.py", ""),
        ("p/w.py", ""),
    ];
    packs(&with_node("from p import *\n", &files), "p p.x p.z");
    // Names come through a chain of stars.
    assert!(
        analysed(&with_node(
            "from a import x\n",
            &[("a.py", "from b import *\n"), ("b.py", "x = 1\n")]
        ))
        .is_ok()
    );
    lacks(
        &with_node(
            "from a import y\n",
            &[
                ("a.py", "from b import *\n"),
                ("b.py", "from a import *\nx = 1\n"),
            ],
        ),
        &["y"],
    );
}

#[test]
fn modules_that_others_put_into_sys_modules() {
    packs(
        &[(
            "node.py",
            "import os.path\nfrom os.path import join\nfrom os import path\n",
        )],
        "os posixpath",
    );
    lacks(&[("node.py", "import os.nope\n")], &["os.nope"]);
    let open = [(
        "six.py",
        "import sys\nsys.modules[f'{__name__}.moves'] = object()\n",
    )];
    packs(&with_node("from six.moves import x\n", &open), "six");
}

#[test]
fn imports_by_call() {
    node_packs(
        "import importlib\nimportlib.import_module('a')\n__import__('b')\n",
        "a b importlib",
    );
    node_packs(
        "from importlib import import_module as im\ndef f():\n    return im('a')\n",
        "a~ importlib",
    );
    let files = [
        (
            "p/__init__.py",
            "from importlib import import_module\nimport_module('.x', __package__)\nimport_module('..y', 'p.q')\nimport_module('.z', __name__)\n",
        ),
        ("p/x.py", ""),
        ("p/y.py", ""),
        ("p/z.py", ""),
    ];
    packs(&with_node("import p\n", &files), "importlib p p.x p.y p.z");
    let closure = closure(&[(
        "node.py",
        "import importlib\nfor n in names:\n    importlib.import_module(f'plugins.{n}')\n",
    )]);
    let [dynamic] = closure.dynamic.as_slice() else {
        panic!("one dynamic import")
    };
    assert_eq!(
        (dynamic.line, dynamic.expression.as_str()),
        (3, "f'plugins.{n}'")
    );
    // Someone else's function of that name.
    node_packs("def import_module(n): ...\nimport_module('a')\n", "");
}

#[test]
fn encodings_by_name() {
    packs(
        &[("node.py", "def f(b):\n    return b.decode('CP-1252')\n")],
        "encodings.cp1252~",
    );
    packs(
        &[(
            "node.py",
            "open('x', encoding='cp1252')\n'x'.encode('no-such')\n",
        )],
        "encodings.cp1252",
    );
}

#[test]
fn what_runs_at_import_in_expressions() {
    node_packs(
        "def f(x=__import__('a')): ...\n@__import__('b').deco\nclass K(__import__('c').Base): ...\n",
        "a b c",
    );
    node_packs(
        "x = [__import__('b') for y in __import__('a')]\nz = (__import__('c') for y in ())\n",
        "a b? c~",
    );
    node_packs(
        "def f(x: __import__('a')) -> None: ...\ny: __import__('b') = 1\ntype T = __import__('c')\n",
        "b~ c~",
    );
}

#[test]
fn namespace_packages() {
    let closure = closure(&[
        ("node.py", "import ns.deep.m\nfrom ns.deep import n\n"),
        ("ns/deep/m.py", ""),
        ("ns/deep/n.py", ""),
    ]);
    assert_eq!(shown(&closure), "ns.deep.m ns.deep.n");
    assert_eq!(
        closure.namespaces.iter().collect::<Vec<_>>(),
        ["ns", "ns.deep"]
    );
    lacks(
        &[("node.py", "from ns import z\n"), ("ns/m.py", "")],
        &["z"],
    );
}
