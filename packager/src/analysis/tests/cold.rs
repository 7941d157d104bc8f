//! What was left out, in pieces.

use super::*;

/// What `a` lacks, piece by piece: the line, the names, what is mentioned, and the text.
#[track_caller]
fn lacks_pieces(node: &str, a: &str, expected: &[(usize, &str, &str, &str)]) {
    let node = format!("{node}\nclass Node:\n def process(self, x):\n  return use(x)\n");
    let case = case(&[("node.py", &node), ("a.py", a), ("b.py", "B = C = D = 1\n")]);
    let entry = NodeModule {
        node_type: "Node".to_owned(),
        module: "node".to_owned(),
        class: Some("Node".to_owned()),
    };
    let options = Options {
        native_names: names(&["__init__", "process"]),
        cold: true,
        ..Options::default()
    };
    let closure = match analyse(&case.sources, &case.target, &[entry], &options) {
        Ok(closure) => closure,
        Err(error) => panic!("{error}"),
    };
    let module = &closure.modules["a"];
    let pieces: Vec<(usize, String, String, &str)> = module
        .shaken
        .cold
        .iter()
        .map(|piece| {
            // Whatever is run has to be Python.
            let source = crate::source::ModuleSource {
                text: piece.text.as_str().into(),
                ..module.source.clone()
            };
            if let Err(error) = ParsedModule::parse(&source) {
                panic!("{error}\n{}", piece.text);
            }
            let (names, mentions) = (piece.names.join(" "), piece.mentions.join(" "));
            (piece.line, names, mentions, piece.text.as_str())
        })
        .collect();
    let pieces: Vec<(usize, &str, &str, &str)> = pieces
        .iter()
        .map(|(line, names, mentions, text)| (*line, names.as_str(), mentions.as_str(), *text))
        .collect();
    assert_eq!(pieces, expected);
}

#[test]
fn statements_and_single_names_of_imports() {
    lacks_pieces(
        "from a import f as use",
        "from b import (\n  B,\n  C,\n D as E)\nX = 1\ndef f(x): return B\n@staticmethod\ndef g(x):\n  return h(x) + X + E\n",
        &[
            (1, "C", "", "from b import C"),
            (1, "E", "", "from b import D as E"),
            (5, "X", "", "X = 1"),
            (
                7,
                "g",
                "E X h staticmethod",
                "@staticmethod\ndef g(x):\n  return h(x) + X + E",
            ),
        ],
    );
}

#[test]
fn methods_in_a_class_without_anything_else() {
    lacks_pieces(
        "import a\ndef use(x): return a.K()",
        "X = 1\nclass K:\n  L = 2\n  def kept(self): pass\n\n  @property\n  def gone(self, l=L):\n    return X\n  __init__ = kept\n",
        &[
            (1, "X", "", "X = 1"),
            (
                5,
                "K.gone",
                "K.L X property",
                "class K(metaclass=__removed_class__):\n  @property\n  def gone(self, l=L):\n    return X",
            ),
        ],
    );
}

#[test]
fn an_if_is_one_piece_with_what_is_gone_of_it() {
    lacks_pieces(
        "from a import f as use",
        "import b\nif b.B:\n  def f(x): pass\n  def g(x): pass\n  from b import B, C\nelif b.D:\n  def f(x): return B\nelse:\n  h = 1\n",
        &[(
            2,
            "C g h",
            "b",
            "if b.B:\n  ()\n  def g(x): pass\n  from b import C;()\nelif b.D:\n  ()\nelse:\n  h = 1",
        )],
    );
}

#[test]
fn conditions_that_do_something_are_not_asked_again() {
    lacks_pieces(
        "from a import f as use",
        "import b\nif b.B():\n  def f(x): pass\n  def g(x): pass\n",
        &[],
    );
}
