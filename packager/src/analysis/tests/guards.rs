//! Which imports happen, given conditions and exceptions.

use super::*;

#[test]
fn certainty_by_place() {
    node_packs(
        "import a\nclass K:\n    import b\n    def f(self):\n        import c\n",
        "a b c~",
    );
    node_packs("if unknown:\n    import a\nelse:\n    import b\n", "a? b?");
    node_packs(
        "async def f():\n    import a\nf2 = lambda: __import__('b')\n",
        "a~ b~",
    );
    node_packs(
        "for x in y:\n    import a\nelse:\n    import b\nwhile z:\n    import c\n",
        "a? b? c?",
    );
    node_packs(
        "with o():\n    import a\ntry:\n    import b\nfinally:\n    import c\n",
        "a b c",
    );
    node_packs(
        "match x:\n    case 1:\n        import a\n    case _:\n        import b\n",
        "a? b?",
    );
    node_packs("def f():\n    class K:\n        import a\n", "a~");
    node_packs("def f():\n    import a\nimport a\n", "a");
}

#[test]
fn decided_branches() {
    node_packs(
        "import sys\nif sys.platform == 'win32':\n    import a\nelif sys.platform == 'wasi':\n    import b\nelse:\n    import c\n",
        "b",
    );
    node_packs(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\n",
        "typing",
    );
    node_packs("if __name__ == '__main__':\n    import a\n", "");
    node_packs(
        "import sys\nif sys.version_info >= (3, 8):\n    import a\nelse:\n    import b\n",
        "a",
    );
    node_packs("while 0:\n    import a\nelse:\n    import b\n", "b");
    node_packs(
        "if x:\n    import a\nelif False:\n    import b\nelse:\n    import c\n",
        "a? c?",
    );
    node_packs(
        "def f():\n    if 0:\n        import a\n    return\n    import b\n",
        "",
    );
    node_packs(
        "import sys\nx = __import__('a') if sys.platform == 'wasi' else __import__('b')\n",
        "a",
    );
    node_packs(
        "import sys\nx = sys.platform == 'win32' and __import__('a')\n",
        "",
    );
    node_packs("x = y or __import__('a')\n", "a?");
}

#[test]
fn fallbacks_that_are_not_needed() {
    node_packs(
        "try:\n    import a\nexcept ImportError:\n    import b\nelse:\n    import c\n",
        "a? c",
    );
    node_packs(
        "try:\n    import typing\nexcept (ImportError, AttributeError):\n    import b\n",
        "typing?",
    );
    packs(
        &[("node.py", "import datetime\n")],
        "_strptime~ calendar~ datetime",
    );
}

#[test]
fn fallbacks_that_are_needed() {
    node_packs(
        "try:\n    import nope\n    import a\nexcept ImportError:\n    import b\nelse:\n    import c\n",
        "b",
    );
    node_packs(
        "try:\n    import nope\nexcept ModuleNotFoundError:\n    import b\n",
        "b",
    );
    node_packs(
        "try:\n    import nope\nexcept (ValueError, ImportError):\n    import b\n",
        "b",
    );
    node_packs(
        "try:\n    from a import nope\nexcept ImportError:\n    import b\n",
        "a? b",
    );
    // A call in the body can fail in ways that are not seen.
    node_packs(
        "try:\n    import a\n    a.setup()\nexcept ImportError:\n    import b\n",
        "a? b?",
    );
    node_packs(
        "try:\n    import a\n    a.name\nexcept AttributeError:\n    import b\n",
        "a b?",
    );
    node_packs(
        "try:\n    import nope\nexcept Unknown:\n    import b\nexcept ImportError:\n    import c\n",
        "b? c?",
    );
    notes(
        &[(
            "node.py",
            "try:\n    import nope\nexcept ImportError:\n    nope = None\n",
        )],
        &["nope"],
    );
}

#[test]
fn the_wrong_handler_does_not_help() {
    lacks(
        &[(
            "node.py",
            "try:\n    import nope\nexcept ValueError:\n    pass\n",
        )],
        &["nope"],
    );
    // A name that is missing is not a module that is missing.
    lacks(
        &with_node(
            "try:\n    from a import x\nexcept ModuleNotFoundError:\n    pass\n",
            &[("a.py", "")],
        ),
        &["x"],
    );
}

#[test]
fn handlers_that_raise() {
    for handler in [
        "raise",
        "raise RuntimeError('install it')",
        "import sys\n    sys.exit(1)",
        "raise ImportError from e",
        "raise e",
    ] {
        let node = format!("try:\n    import nope\nexcept ImportError as e:\n    {handler}\n");
        lacks(&[("node.py", &node)], &["nope"]);
    }
    lacks(
        &[(
            "node.py",
            "try:\n    import nope\nexcept ImportError:\n    import nada\n",
        )],
        &["nope", "nada"],
    );
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
    lacks(
        &[(
            "node.py",
            "from contextlib import suppress\nwith suppress(KeyError):\n    import nope\n",
        )],
        &["nope"],
    );
}

#[test]
fn failure_is_transitive() {
    // `subprocess` and `ctypes` are there, but what they need is not.
    let closure = closure(&[
        (
            "node.py",
            "try:\n    import ctypes\nexcept ImportError:\n    import a\n",
        ),
        ("a.py", ""),
    ]);
    assert_eq!(shown(&closure), "a");
    assert_eq!(closure.excluded.keys().collect::<Vec<_>>(), ["ctypes"]);
    let files = [
        ("b.py", "import c"),
        ("c.py", "from ctypes import Union"),
        ("a.py", ""),
    ];
    packs(
        &with_node(
            "try:\n    import b\nexcept ImportError:\n    import a\n",
            &files,
        ),
        "a",
    );
    // In a function: it would fail when called, which may never be.
    packs(
        &[("node.py", "import os\ndef f():\n    import ctypes\n")],
        "os posixpath",
    );
    // A module that raises by itself.
    let files = [
        (
            "b.py",
            "import sys\nif sys.platform != 'win32':\n    raise ImportError('win32 only')\n",
        ),
        ("a.py", ""),
    ];
    packs(
        &with_node(
            "try:\n    import b\nexcept ImportError:\n    import a\n",
            &files,
        ),
        "a",
    );
    // Perhaps raises: both.
    let files = [
        (
            "b.py",
            "if not hasattr(x, 'fork'):\n    raise ImportError\n",
        ),
        ("a.py", ""),
    ];
    packs(
        &with_node(
            "try:\n    import b\nexcept ImportError:\n    import a\n",
            &files,
        ),
        "a? b?",
    );
}

#[test]
fn handlers_for_other_errors_run_where_something_may_raise_them() {
    // Python 2 had it.
    for (text, expected) in [
        ("try:\n    unicode\nexcept NameError:\n    import a\n", "a?"),
        (
            "try:\n    unicode = unicode\nexcept NameError:\n    import a\n",
            "a?",
        ),
        (
            "x = 1\ntry:\n    y = x\n    z = y or len\nexcept NameError:\n    import a\n",
            "",
        ),
    ] {
        let mut case = case(&[("node.py", text), ("a.py", "")]);
        let builtins = ("builtins".to_owned(), names(&["NameError", "len"]));
        case.target.builtin_names.extend([builtins]);
        let entry = NodeModule {
            node_type: "Node".to_owned(),
            module: "node".to_owned(),
            class: None,
        };
        let closure = analyse(&case.sources, &case.target, &[entry], &whole());
        assert_eq!(shown(&closure.unwrap()), expected);
    }
    // A module of one's own may raise whatever it likes, which has nothing to do with being there.
    node_packs(
        "try:\n    import a\nexcept Exception:\n    import b\n",
        "a? b?",
    );
    node_packs(
        "try:\n    import a\nexcept ImportError:\n    import b\n",
        "a?",
    );
    node_packs(
        "try:\n    import sys\nexcept Exception:\n    import b\n",
        "",
    );
}

#[test]
fn names_of_modules_may_be_set_from_outside() {
    let setter = "import a\na.NULL = 5\n";
    let files = [
        ("node.py", "import b, c\n"),
        ("a.py", ""),
        ("b.py", setter),
        ("c.py", "from a import NULL\n"),
    ];
    packs(&files, "a b c");
    let gone = [
        ("node.py", "import b, c\n"),
        ("a.py", ""),
        ("b.py", setter),
        ("c.py", "from a import NUL\n"),
    ];
    lacks(&gone, &["NUL"]);
}

#[test]
fn what_may_be_the_name_of_an_encoding_does_not_have_to_work() {
    packs(
        &[(
            "node.py",
            "names = {'bz2_codec', 'cp1252', 'Mac-Roman', 'machine'}\n",
        )],
        "encodings.cp1252~ encodings.mac_roman~",
    );
}

#[test]
fn a_module_that_is_used_before_it_is_imported_has_a_reason() {
    let files = [
        ("node.py", "def f():\n    import p\n    return p.made\n"),
        ("p/__init__.py", "from . import q\nmade = q.make()\n"),
        ("p/q.py", "import p\ndef make(): return p.q\n"),
    ];
    for module in ["p", "p.q"] {
        let why = closure(&files).why(module);
        assert_eq!(
            why.first().map(|link| link.kind),
            Some(LinkKind::Node),
            "{module}"
        );
    }
}
