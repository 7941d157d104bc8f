//! Sentences about a metafile's contents, in the words that `inspect` uses for import chains.

use super::metafile::{Because, DefinitionKind, Metafile, Module, Origin, Place};

/// Why `place` is in the bundle, as a sentence without a full stop.
pub(super) fn sentence(metafile: &Metafile, place: Place, because: &Because) -> String {
    let to = metafile.name(place);
    match because {
        Because::Node(node_type) if place.definition.is_some() => {
            format!("node type `{node_type}` is `{to}`")
        }
        Because::Node(node_type) => format!("node type `{node_type}` is in `{to}`"),
        Because::Interpreter => format!("the interpreter needs `{to}`"),
        Because::Setting(key) => format!("`{key}` under [tool.rm-pack] names `{to}`"),
        Because::Trace(_) => format!("`{to}` ran while the pipeline was traced"),
        Because::Link(link) => {
            let from = metafile.name(link.from);
            let at = at(&metafile.modules[link.from.module], link.line);
            format!(
                "`{from}`{at} {} `{to}`{}",
                link.kind.phrase(),
                link.when.phrase()
            )
        }
    }
}

/// The place of a line, in parentheses behind a space; nothing where there is neither file nor line.
fn at(module: &Module, line: u32) -> String {
    match (module.file.as_str(), line) {
        ("", _) if module.origin == Origin::Engine => " (written in C)".to_owned(),
        ("", _) => String::new(),
        (file, 0) => format!(" ({file})"),
        (file, line) => format!(" ({file}:{line})"),
    }
}

/// What a definition is, in a word.
pub(super) fn kind(kind: DefinitionKind) -> &'static str {
    match kind {
        DefinitionKind::Function => "function",
        DefinitionKind::Class => "class",
        DefinitionKind::Method => "method",
        DefinitionKind::Assignment => "assignment",
        DefinitionKind::Import => "import",
    }
}

/// Where a module came from, in a few words.
pub(super) fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Node => "of the nodes",
        Origin::Package => "of the packer's package",
        Origin::Stdlib => "of the standard library",
        Origin::Engine => "of the engine",
        Origin::Pyodide => "of a package that comes with Pyodide",
    }
}

/// A size for people, such as `1.40 MB`.
pub(crate) fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}
