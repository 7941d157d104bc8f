//! Applications of several modules, written from a seed: pieces of Python that are hard to follow, put into modules that
//! reach each other in all the ways that Python has.
//!
//! A piece is a text in `pieces/`. `--- a` begins what goes into one module, `--- b` what goes into a later one; `$f` is
//! its function that is called. In it
//!
//! - `$name` is a name of its own: pieces share none, so that nothing is kept for another's sake;
//! - `$a.name` is `$name` from the other module, imported in some way, and `$mod` that module;
//! - `DEP` is the function of another piece.
//!
//! `effects` says that the second module only has to be imported, and `$f` is in the first; `alone`, that the first needs
//! a module of its own; `wild`, that what it does keeps much of the application whole, so that only some get such pieces.

mod imports;
mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use imports::Reference;
pub use random::Random;

/// The class of the application's node.
pub const NODE: &str = "Generated";

const PIECES: [&str; 3] = [
    include_str!("pieces/language.txt"),
    include_str!("pieces/classes.txt"),
    include_str!("pieces/library.txt"),
];

/// What modules of the library the pieces take for granted; others they import themselves.
const LIBRARY: [&str; 21] = [
    "abc",
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "enum",
    "functools",
    "importlib",
    "inspect",
    "itertools",
    "json",
    "operator",
    "re",
    "string",
    "sys",
    "types",
    "typing",
    "ast",
    "io",
    "csv",
    "weakref",
];

/// How many programs an application has. They share a node, and nothing else.
const PROGRAMS: usize = 4;

/// A text of `pieces/`.
struct Piece {
    title: &'static str,
    effects: bool,
    alone: bool,
    wild: bool,
    first: &'static str,
    second: Option<&'static str>,
}

fn pieces() -> Vec<Piece> {
    let texts = PIECES.iter().flat_map(|text| text.split("=== ").skip(1));
    let piece = |text: &'static str| {
        let (header, body) = text.split_once("\n--- a\n").expect("a piece has a block");
        let (first, second) = match body.split_once("\n--- b\n") {
            Some((first, second)) => (first, Some(second)),
            None => (body, None),
        };
        let says = |word| header.split(' ').any(|known| known == word);
        Piece {
            title: header,
            effects: says("effects"),
            alone: says("alone"),
            wild: says("wild"),
            first,
            second,
        }
    };
    texts.map(piece).collect()
}

/// A module that is being written.
#[derive(Default)]
struct Module {
    body: String,
    /// The names that somebody imports from it by a star.
    starred: BTreeSet<String>,
    /// Whether it says what a star means.
    says_all: bool,
    /// It is a package without modules of its own.
    is_package: bool,
}

/// A function of a piece, and where it is.
#[derive(Clone)]
struct Function {
    module: usize,
    name: String,
    label: String,
}

/// The package of one program. Modules import those before them.
struct Program {
    package: String,
    modules: Vec<Module>,
    functions: Vec<Function>,
    /// Modules that have to be imported for what they do.
    effects: Vec<usize>,
}

/// A whole application: what is in its files, by their paths.
pub fn application(seed: u64) -> BTreeMap<String, String> {
    let mut writer = Writer {
        random: Random::new(seed),
        pieces: pieces(),
        wild: false,
        count: 0,
    };
    writer.wild = writer.random.one_in(3);
    let mut files = BTreeMap::new();
    let mut node = String::new();
    let mut entries = String::new();
    for number in 0..PROGRAMS {
        let mut program = writer.program(number);
        writer.enter(&mut program, &mut node, &mut entries);
        writer.print(program, &mut files);
    }
    let text = format!("{node}\n\nENTRIES = [\n{entries}]\n{ATTEMPT}");
    files.insert("node.py".to_owned(), library(&text) + &text);
    let manifest = format!(
        "manifest:\n  version: v1\n  metadata: {{name: generated}}\n  nodes: [{{id: node, node_type: {NODE}}}]\ninput_data: [3]\n"
    );
    files.insert("pipeline.yaml".to_owned(), manifest);
    files
}

/// How the node calls what it has. `RemovedError` is no `Exception`, and comes through.
const ATTEMPT: &str = "

def attempt(function):
    try:
        return plain(function(3))
    except Exception as error:
        return f\"!{type(error).__name__}: {error}\"


def plain(value):
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return [[plain(key), plain(item)] for key, item in value.items()]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return type(value).__name__


class Generated:
    def process(self, data):
        for label, function in ENTRIES:
            yield [label, attempt(function)]
";

/// The imports of those library modules that a text mentions.
fn library(text: &str) -> String {
    let mut imports = String::new();
    for module in LIBRARY {
        if text.contains(&format!("{module}.")) {
            writeln!(imports, "import {module}").expect("text can be written to");
        }
    }
    if text.contains("collections.abc") {
        imports.push_str("import collections.abc\n");
    }
    imports
}

struct Writer {
    random: Random,
    pieces: Vec<Piece>,
    /// Whether pieces and imports may do what keeps much of the application whole.
    wild: bool,
    /// How many names there are; each ends with its number.
    count: usize,
}

impl Writer {
    fn program(&mut self, number: usize) -> Program {
        let mut modules = Vec::new();
        for _ in 0..self.random.between(3, 6) {
            modules.push(Module {
                says_all: self.random.one_in(3),
                is_package: self.random.one_in(4),
                ..Module::default()
            });
        }
        let mut program = Program {
            package: format!("p{number}"),
            modules,
            functions: Vec::new(),
            effects: Vec::new(),
        };
        let mut alone = false;
        for _ in 0..self.random.between(6, 10) {
            let number = self.random.below(self.pieces.len());
            let piece = &self.pieces[number];
            if piece.wild && !self.wild || piece.alone && alone {
                continue;
            }
            alone |= piece.alone;
            self.place(number, &mut program);
        }
        program
    }

    /// Write a piece into modules of a program.
    fn place(&mut self, number: usize, program: &mut Program) {
        let piece = &self.pieces[number];
        let (title, effects, text) = (piece.title, piece.effects, (piece.first, piece.second));
        let last = program.modules.len() - 1;
        // The first module is for those that need it for themselves.
        let first = if piece.alone {
            0
        } else {
            let until = if text.1.is_some() { last - 1 } else { last };
            self.random.between(1, until)
        };
        self.count += 1;
        let mark = self.count;
        self.write(text.0, mark, first, first, program);
        let mut module = first;
        if let Some(text) = text.1 {
            let second = self.random.between(first + 1, last);
            self.write(text, mark, second, first, program);
            if effects {
                program.effects.push(second);
            } else {
                module = second;
            }
        }
        program.functions.push(Function {
            module,
            name: format!("f_{mark}"),
            label: format!("{title} {mark}"),
        });
    }

    /// Write a block of a piece into module `at`; `other` has its first block.
    fn write(&mut self, text: &str, mark: usize, at: usize, other: usize, program: &mut Program) {
        let mut before = String::new();
        let mut body = String::new();
        let mut rest = text;
        while let Some(found) = rest.find(['$', 'D']) {
            body.push_str(&rest[..found]);
            rest = &rest[found..];
            if let Some(behind) = rest.strip_prefix("DEP") {
                body.push_str(&self.dependency(at, &mut before, program));
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix("$mod") {
                body.push_str(&self.module(Some(at), other, &mut before, program));
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix("$a.") {
                let (name, behind) = identifier(behind);
                let wanted = Reference {
                    module: other,
                    name: &format!("{name}_{mark}"),
                };
                body.push_str(&self.refer(Some(at), &wanted, &mut before, program));
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix('$') {
                let (name, behind) = identifier(behind);
                write!(body, "{name}_{mark}").expect("text can be written to");
                rest = behind;
            } else {
                body.push('D');
                rest = &rest[1..];
            }
        }
        body.push_str(rest);
        let module = &mut program.modules[at].body;
        write!(module, "{before}{}\n\n", body.trim_end()).expect("text can be written to");
    }

    /// A function of a piece that module `at` can have.
    fn dependency(&mut self, at: usize, before: &mut String, program: &mut Program) -> String {
        let there = program.functions.iter();
        let known: Vec<Function> = there.filter(|known| known.module <= at).cloned().collect();
        let Some(function) = self.random.pick(&known) else {
            return "str".to_owned();
        };
        if function.module == at {
            return function.name.clone();
        }
        let wanted = Reference {
            module: function.module,
            name: &function.name,
        };
        self.refer(Some(at), &wanted, before, program)
    }

    /// Let the node call some functions of a program.
    fn enter(&mut self, program: &mut Program, node: &mut String, entries: &mut String) {
        for module in program.effects.clone() {
            let alias = self.module(None, module, node, program);
            if self.random.one_in(4) {
                writeln!(node, "{alias}").expect("text can be written to");
            }
        }
        for function in program.functions.clone() {
            if self.random.one_in(3) {
                continue;
            }
            let wanted = Reference {
                module: function.module,
                name: &function.name,
            };
            let expression = self.refer(None, &wanted, node, program);
            writeln!(entries, "    ({:?}, {expression}),", function.label)
                .expect("text can be written to");
        }
    }

    fn print(&mut self, program: Program, files: &mut BTreeMap<String, String>) {
        let package = program.package;
        let mut barrel = String::new();
        for (number, module) in program.modules.into_iter().enumerate() {
            let mut text = library(&module.body) + "\n" + &module.body;
            if module.says_all {
                let mut all: Vec<_> = module.starred.iter().collect();
                let half = all.split_off(all.len() / 2);
                writeln!(text, "__all__ = {all:?}").expect("text can be written to");
                match self.random.below(3) {
                    0 => writeln!(text, "__all__ += {half:?}"),
                    1 => writeln!(text, "__all__.extend({half:?})"),
                    _ => writeln!(text, "__all__ = [*__all__, *{half:?}]"),
                }
                .expect("text can be written to");
            }
            let file = if module.is_package {
                format!("{package}/m{number}/__init__.py")
            } else {
                format!("{package}/m{number}.py")
            };
            files.insert(file, text);
            writeln!(barrel, "from .m{number} import *").expect("text can be written to");
        }
        files.insert(format!("{package}/hub.py"), barrel);
        files.insert(format!("{package}/__init__.py"), String::new());
    }
}

/// The identifier that a text begins with, and what comes behind it.
fn identifier(text: &str) -> (&str, &str) {
    let end = text
        .find(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .unwrap_or(text.len());
    text.split_at(end)
}
