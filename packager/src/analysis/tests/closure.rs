//! What is told about the whole: errors, reasons, order.

use super::*;

#[test]
fn a_needed_module_that_fails_is_an_error_with_its_chain() {
    let problems = problems(&[("node.py", "import a\n"), ("a.py", "\nimport ctypes\n")]);
    let [missing] = problems.missing.as_slice() else {
        panic!("{problems}")
    };
    assert_eq!(
        missing.to_string(),
        "ctypes.py:2: no module named `_ctypes`\n  node type `Node` is in `node`\n  `node` (node.py:1) imports `a`\n  `a` (a.py:2) imports `ctypes`"
    );
    assert_eq!(
        missing.hint.as_deref(),
        Some("Python has no `_ctypes` on wasi, so that this part of its library cannot be used")
    );
    let raises = [("a.py", "raise ImportError('not here')\n")];
    lacks(&with_node("import a\n", &raises), &["a"]);
}

#[test]
fn all_missing_imports_are_named_with_the_nearest_name() {
    let problems = problems(&[
        (
            "node.py",
            "import datetme\nimport mth\nfrom p import helpr\nimport p.sub.x\n",
        ),
        ("p/__init__.py", ""),
        ("p/helper.py", ""),
    ]);
    let told: Vec<(&str, Option<&str>)> = problems
        .missing
        .iter()
        .map(|m| (m.name.as_str(), m.nearest.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("datetme", Some("datetime")),
            ("mth", Some("math")),
            ("helpr", Some("helper")),
            ("p.sub", None)
        ]
    );
}

#[test]
fn missing_behind_a_guard_or_a_call_is_a_note() {
    notes(
        &[(
            "node.py",
            "def f():\n    import nope\nif x:\n    import nada\n",
        )],
        &["nope", "nada"],
    );
    let lazy = [("a.py", "import nope\n")];
    let closure = closure(&with_node("def f():\n    import a\n", &lazy));
    assert_eq!(
        (shown(&closure).as_str(), closure.excluded.len()),
        ("a~", 0)
    );
    assert_eq!(closure.missing[0].name, "nope");
}

#[test]
fn the_engine_comes_first() {
    // Built-in modules and what booting imported cannot be replaced; other modules of the library can.
    let files = [
        ("math.py", "import nope"),
        ("io.py", "import nope"),
        ("calendar.py", "import a"),
        ("a.py", ""),
    ];
    let closure = closure(&with_node("import math, io, calendar\n", &files));
    assert_eq!(shown(&closure), "a calendar");
    assert_eq!(closure.modules["calendar"].source.origin, Origin::Node);
    assert_eq!(closure.shadowed.keys().collect::<Vec<_>>(), ["io", "math"]);
    let case = case(&[("math.py", "class N: pass\n")]);
    let entry = NodeModule {
        node_type: "N".to_owned(),
        module: "math".to_owned(),
        class: None,
    };
    assert!(matches!(
        analyse(&case.sources, &case.target, &[entry], &whole()),
        Err(AnalysisError::Shadowed { .. })
    ));
}

#[test]
fn cycles_end() {
    let files = [
        ("a.py", "import b\nx = 1\n"),
        (
            "b.py",
            "from a import x\ntry:\n    import node\nexcept ImportError:\n    import c\n",
        ),
        ("c.py", ""),
    ];
    packs(&with_node("import a\n", &files), "a b");
}

#[test]
fn reasons_are_the_shortest_of_the_strongest() {
    let files = [("a.py", "import b\n"), ("b.py", "import c\n"), ("c.py", "")];
    let closure = closure(&with_node("def f():\n    import c\nimport a\n", &files));
    let why: Vec<String> = closure.why("c").iter().map(Link::to_string).collect();
    assert_eq!(
        why,
        [
            "node type `Node` is in `node`",
            "`node` (node.py:3) imports `a`",
            "`a` (a.py:1) imports `b`",
            "`b` (b.py:1) imports `c`"
        ]
    );
    assert_ne!(closure.modules["c"].certainty, Certainty::InFunction);
    assert!(closure.why("nothing").is_empty());
}

#[test]
fn syntax_errors_carry_the_chain() {
    let at_import = [("node.py", "import a\n"), ("a.py", "x = = 1\n")];
    assert_eq!(
        problems(&at_import).to_string(),
        "a.py:1:5: syntax error: Expected an expression\n  1 | x = = 1\n    |     ^\n  node type `Node` is in `node`\n  `node` (node.py:1) imports `a`"
    );
    let in_function = [
        ("node.py", "def f():\n    import a\n"),
        ("a.py", "x = = 1\n"),
    ];
    assert!(
        problems(&in_function)
            .to_string()
            .ends_with("imports `a`, in a function")
    );
    // In a dead branch nobody cares.
    packs(
        &[("node.py", "if 0:\n    import a\n"), ("a.py", "x = = 1\n")],
        "",
    );
}

#[test]
fn the_outcome_does_not_depend_on_threads() {
    let files: Vec<(String, String)> = (0..40)
        .map(|n| {
            (
                format!("m{n}.py"),
                format!(
                    "import m{}, m{}\ndef f():\n    import m{}, gone{n}\n",
                    (n * 7 + 1) % 40,
                    (n * 3 + 2) % 40,
                    (n + 1) % 40
                ),
            )
        })
        .collect();
    let mut all: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    all.push(("node.py", "import m0\n"));
    let on = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| closure(&all))
    };
    assert_eq!(on(1), on(4));
}
