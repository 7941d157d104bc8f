//! What the library takes from code written in C in place of its own.

use super::*;

/// What is left of the library's module `a` when the node uses `used` of it; `_fast` is a built-in module that has `f`, `g` and
/// `C`.
#[track_caller]
fn leaves(used: &str, a: &str, expected: &str) {
    let node = format!(
        "import a\nclass Node:\n def process(self, x):\n  return [{}]\n",
        used.split(' ')
            .map(|name| format!("a.{name}"))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let mut case = case(&[("node.py", node.as_str())]);
    let library = [("a.py", a), ("b.py", "def decorate(f): return f\n")];
    case.sources
        .add_memory(Origin::Stdlib, text_files(&library));
    case.target.builtin_modules.insert("_fast".to_owned());
    case.target
        .builtin_names
        .insert("_fast".to_owned(), names(&["f", "g", "C", "_hidden"]));
    assert_eq!(left(&case), expected, "{a}");
}

fn left(case: &Case) -> String {
    let entry = NodeModule {
        node_type: "Node".to_owned(),
        module: "node".to_owned(),
        class: Some("Node".to_owned()),
    };
    let options = Options {
        native_names: names(&["__init__", "process"]),
        ..Options::default()
    };
    let closure = match analyse(&case.sources, &case.target, &[entry], &options) {
        Ok(closure) => closure,
        Err(error) => panic!("{error}"),
    };
    let lines = closure.modules["a"].shaken.text.lines().map(str::trim_end);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

const TAKES_F: &str = "try:\n from _fast import f\nexcept ImportError: pass\n";
const TOOK_F: &str = "try:\n from _fast import f\nexcept ImportError: raise";

#[test]
fn what_is_replaced_goes() {
    for definition in [
        "def f(): return helper()\ndef helper(): pass\n",
        "class f:\n def m(self): return helper()\ndef helper(): pass\n",
        "f = None\n",
        "from b import decorate as f\n",
    ] {
        leaves("f", &format!("{definition}{TAKES_F}"), TOOK_F);
    }
    // Functions run later, and get what there is then.
    leaves(
        "f g",
        &format!("def g(): return f()\ndef f(): pass\ndef h(): return f()\n{TAKES_F}"),
        &format!("def g(): return f()\n{TOOK_F}"),
    );
    leaves(
        "f",
        "def f(): pass\nfrom _fast import f\n",
        "from _fast import f",
    );
    leaves(
        "g",
        "def f(): pass\ndef g(): return f()\ntry:\n from _fast import *\nexcept ImportError: pass\n",
        "try:\n from _fast import *\nexcept ImportError: raise",
    );
    leaves(
        "f",
        "class f: pass\n_python_f = f\ntry:\n import _fast\nexcept ImportError: pass\nelse:\n f = _c_f = _fast.f\n",
        "try:\n import _fast\nexcept ImportError: raise\nelse:\n f = _c_f = _fast.f",
    );
}

#[test]
fn what_is_seen_before_it_is_replaced_stays() {
    // Another name of it is used.
    leaves(
        "old",
        &format!("class f: pass\nold = f\n{TAKES_F}"),
        &format!("class f: pass\nold = f\n{TOOK_F}"),
    );
    leaves(
        "D",
        &format!("class f: pass\nclass D(f): pass\n{TAKES_F}"),
        &format!("class f: pass\nclass D(f): pass\n{TOOK_F}"),
    );
    let all_stays = |between: &str, used: &str| {
        let text = format!("def f(): pass\n{between}{TAKES_F}");
        let expected = format!("def f(): pass\n{between}{TOOK_F}");
        leaves(used, &text, &expected);
    };
    // Something that runs in between may call it.
    all_stays("def g(): return f()\nX = g()\n", "f X g");
    all_stays("def g(x=f): pass\n", "f g");
    all_stays("def d(x): return f\n@d\ndef g(): pass\n", "f g");
    all_stays("import b\nX = b.decorate(f)\n", "f X");
    all_stays("if f:\n X = 1\n", "f X");
    all_stays("X = [f() for x in 'a']\n", "f X");
}

#[test]
fn what_may_not_be_there_replaces_nothing() {
    let stays = |takes: &str| {
        leaves(
            "f",
            &format!("def f(): pass\n{takes}"),
            &format!("def f(): pass\n{}", takes.trim_end()),
        );
    };
    stays("try:\n from _fast import f, nope\nexcept ImportError: pass\n");
    stays("try:\n from nowhere import f\nexcept ImportError: pass\n");
    stays("if __debug__:\n from _fast import f\n");
    // A name that `import *` does not take.
    leaves(
        "_hidden",
        "def _hidden(): pass\ntry:\n from _fast import *\nexcept ImportError: pass\n",
        "def _hidden(): pass\ntry:\n from _fast import *\nexcept ImportError: raise",
    );
    // What decorators do is more than a definition.
    let text = format!(
        "table = []\ndef note(x):\n table.append(x)\n return x\n@note\ndef f(): pass\n{TAKES_F}"
    );
    leaves(
        "f table",
        &text,
        text.replace("Error: pass", "Error: raise").trim_end(),
    );
}

#[test]
fn what_stands_in_for_what_is_there_goes() {
    let maybe = "try:\n from _fast import f as fast\nexcept ImportError:\n fast = None\n";
    let surely = "try:\n from _fast import f as fast\nexcept ImportError:\n raise";
    leaves(
        "f",
        &format!("{maybe}def slow(): pass\nf = fast or slow\n"),
        &format!("{surely}\nf = fast or slow"),
    );
    leaves(
        "f",
        &format!(
            "{maybe}def slow(): pass\ndef f():\n if fast is None: return slow()\n return fast()\n"
        ),
        &format!("{surely}\ndef f():\n if fast is None: return slow()\n return fast()"),
    );
    // Something else may set it.
    for other in ["def g():\n global fast\n fast = None\n", "fast = 0\n"] {
        let text = format!("{maybe}def slow(): pass\n{other}f = fast or slow\n");
        leaves(
            "f g",
            &text.replace("fast = 0", "g = fast = 0"),
            text.replace("fast = 0", "g = fast = 0")
                .replacen("fast = None\ndef slow", "raise\ndef slow", 1)
                .trim_end(),
        );
    }
    // What may fail after it sets it to nothing.
    let text = "try:\n from _fast import f as fast\n fast.nope\nexcept AttributeError:\n fast = None\ndef slow(): pass\nf = fast or slow";
    leaves("f", &format!("{text}\n"), text);
    leaves(
        "f",
        "try:\n from _fast import nope as fast\nexcept ImportError:\n fast = None\ndef slow(): pass\nf = fast or slow\n",
        "try:\n from _fast import nope as fast\nexcept ImportError:\n fast = None\ndef slow(): pass\nf = fast or slow",
    );
}

#[test]
fn programs_keep_their_own() {
    let text = format!("def f(): pass\n{TAKES_F}");
    let mut case = case(&[
        (
            "node.py",
            "import a\nclass Node:\n def process(self, x):\n  return a.f()\n",
        ),
        ("a.py", text.as_str()),
    ]);
    case.target.builtin_modules.insert("_fast".to_owned());
    case.target
        .builtin_names
        .insert("_fast".to_owned(), names(&["f"]));
    assert_eq!(left(&case), format!("def f(): pass\n{TOOK_F}"));
}

#[test]
fn what_only_describes_goes() {
    let goes = |text: &str| leaves("f", &format!("{text}def f(): pass\n"), "def f(): pass");
    goes("class Meta(type): pass\nX = type.__new__(Meta, 'X', (), {})\n");
    goes("from b import Base\nclass C(Base, root=True): pass\nX = C()\nX.__doc__ = 'text'\n");
    goes(
        "from b import Base\nclass C(Base, root=True): pass\nD = C\nX = D()\nX.__doc__ = 'text'\n",
    );
    goes("caches = {}\ndef _tp_cache(f):\n caches[f] = f\n return f\n@_tp_cache\ndef g(): pass\n");
    let stays = |text: &str| {
        let text = format!("{text}def f(): pass\n");
        leaves("f", &text, text.trim_end());
    };
    stays(
        "all = []\nclass C:\n def __init__(self): all.append(self)\nX = C()\nX.__doc__ = 'text'\n",
    );
    // It goes with the table that it is noted in.
    let noted = "all = []\ndef note(f): all.append(f)\n@note\ndef g(): pass\n";
    goes(noted);
    let whole = format!("{noted}def f(): return all\n");
    leaves("f", &whole, whole.trim_end());
}
