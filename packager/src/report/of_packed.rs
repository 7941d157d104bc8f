//! A metafile from what packing left behind.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::anyhow;
use rm_runtime::bundle::PackedModule;

use super::metafile::{
    Because, BeforeAndKept, Definition, DefinitionKind, Link, LinkKind, Metafile, Module, Opaque,
    Origin, Place, When, Whole,
};
use crate::analysis::{self, Certainty, Closure, How};
use crate::pack::{Analysed, INCLUDED, PackError, Packed};
use crate::pyodide::USES;
use crate::source::{self, Found, ModuleSource};

/// The metafile of a pipeline that was packed.
///
/// # Errors
///
/// A source folder that could be read a moment ago cannot be read any more.
pub fn metafile_of(packed: &Packed) -> Result<Metafile, PackError> {
    let bundle = &packed.bundle;
    let modules = match &packed.analysed {
        Some(analysed) => modules(analysed, bundle.modules())?,
        None => Vec::new(),
    };
    let mut metafile = Metafile::begin(bundle.content(), bundle.description().clone(), modules);
    if let Some(Analysed { closure, .. }) = &packed.analysed {
        link(&mut metafile, closure);
        metafile.opaque = opaque(closure);
        metafile.notes = notes(closure);
    }
    metafile
        .finish()
        .map_err(|what| PackError::Engine(anyhow!("the metafile does not fit together: {what}")))
}

/// The modules that are in the bundle, that the engine has, and that were refused; without links yet.
fn modules(analysed: &Analysed, packed: &[PackedModule]) -> Result<Vec<Module>, PackError> {
    let Analysed { sources, closure } = analysed;
    let in_bundle: BTreeMap<_, _> = packed
        .iter()
        .map(|module| (module.name.as_str(), module))
        .collect();
    let mut modules = Vec::new();
    for name in closure.modules.keys().chain(&closure.namespaces) {
        let mut module = match closure.modules.get(name) {
            Some(reached) => of_source(&reached.source),
            None => without_source(name, Origin::Node),
        };
        if let Some(reached) = closure.modules.get(name) {
            module.source.kept = if reached.shaken.text == reached.source.text {
                module.source.before
            } else {
                kept_bytes(&reached.shaken.text)
            };
        }
        module.definitions = definitions(closure, name);
        module.whole = whole(closure, name);
        if let Some(packed) = in_bundle.get(name.as_str()) {
            module.loaded = packed.loaded;
            module.code = packed.size;
        }
        modules.push(module);
    }
    for name in &closure.held {
        let top = name.split('.').next().unwrap_or(name);
        let origin = if closure.packages.contains(top) {
            Origin::Pyodide
        } else {
            Origin::Engine
        };
        let mut module = without_source(name, origin);
        if let Some(Found::Module(source)) = sources.find_stdlib(name)? {
            module.file = source.display_path;
        }
        module.definitions = definitions(closure, name);
        modules.push(module);
    }
    for name in closure.excluded.keys() {
        modules.push(match sources.find(name)? {
            Some(Found::Module(source)) => of_source(&source),
            Some(Found::Namespace) | None => without_source(name, Origin::Stdlib),
        });
    }
    Ok(modules)
}

/// Bytes of text, without lines that are empty because what stood there was left out.
fn kept_bytes(text: &str) -> u64 {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| line.len() as u64 + 1).sum()
}

/// The definitions of a module, without links yet.
fn definitions(closure: &Closure, module: &str) -> Vec<Definition> {
    let listed = closure.definitions.get(module).into_iter().flatten();
    listed
        .map(|definition| Definition {
            name: definition.name.clone(),
            kind: match definition.kind {
                analysis::DefinitionKind::Function => DefinitionKind::Function,
                analysis::DefinitionKind::Class => DefinitionKind::Class,
                analysis::DefinitionKind::Method => DefinitionKind::Method,
                analysis::DefinitionKind::Assignment => DefinitionKind::Assignment,
                analysis::DefinitionKind::Import => DefinitionKind::Import,
            },
            line: definition.line,
            end_line: definition.end_line,
            bytes: definition.bytes,
            because: None,
        })
        .collect()
}

fn whole(closure: &Closure, module: &str) -> Option<Whole> {
    let place = closure
        .opaque
        .iter()
        .find(|place| place.module == module && place.keeps_whole)?;
    Some(Whole {
        line: place.line,
        reason: format!("uses `{}`", place.what),
    })
}

fn of_source(source: &ModuleSource) -> Module {
    let origin = match source.origin {
        source::Origin::Node => Origin::Node,
        source::Origin::Builtin => Origin::Package,
        source::Origin::Stdlib => Origin::Stdlib,
    };
    Module {
        file: source.display_path.clone(),
        source: BeforeAndKept {
            before: source.text.len() as u64,
            kept: 0,
        },
        ..without_source(&source.name, origin)
    }
}

fn without_source(name: &str, origin: Origin) -> Module {
    Module {
        name: name.to_owned(),
        file: String::new(),
        origin,
        loaded: false,
        source: BeforeAndKept::default(),
        code: 0,
        because: None,
        refused: None,
        whole: None,
        definitions: Vec::new(),
    }
}

/// Set what brought in each module, or what asked for it although it was refused.
fn link(metafile: &mut Metafile, closure: &Closure) {
    let numbers = metafile.numbers();
    for module in &mut metafile.modules {
        match closure.excluded.get(&module.name) {
            Some(link) => module.refused = because(&numbers, link),
            None => {
                module.because = closure
                    .why(&module.name)
                    .last()
                    .and_then(|link| because(&numbers, link));
            }
        }
    }
    link_definitions(metafile, closure, &numbers);
}

/// Set what brought in each definition.
fn link_definitions(metafile: &mut Metafile, closure: &Closure, numbers: &BTreeMap<String, usize>) {
    let nodes = metafile.bundle.nodes.clone();
    let node_type = |module: &str, class: &str| {
        let found = nodes
            .iter()
            .find(|(_, node)| node.module == module && node.class == class);
        found.map_or_else(|| class.to_owned(), |(node_type, _)| node_type.clone())
    };
    for module in &mut metafile.modules {
        // What is not in the bundle has nothing that could be.
        if module.because.is_none() {
            continue;
        }
        let Some(listed) = closure.definitions.get(&module.name) else {
            continue;
        };
        for (definition, known) in module.definitions.iter_mut().zip(listed) {
            definition.because = known
                .reached
                .as_ref()
                .map(|reached| because_of(reached, numbers, node_type(&module.name, &known.name)));
        }
    }
}

fn because_of(
    reached: &analysis::Reached,
    numbers: &BTreeMap<String, usize>,
    node_type: String,
) -> Because {
    let from = reached.from.as_ref().and_then(|(module, definition)| {
        let module = *numbers.get(&**module)?;
        Some(definition.map_or(Place::module(module), |number| {
            Place::definition(module, number)
        }))
    });
    let kind = match reached.how {
        How::Node => return Because::Node(node_type),
        How::Setting => return Because::Setting("keep".to_owned()),
        How::Trace => return Because::Trace(String::new()),
        How::Native => LinkKind::Native,
        How::Import => LinkKind::Import,
        How::Name => LinkKind::Name,
        How::Attribute => LinkKind::Attribute,
        How::Text | How::Affix => LinkKind::String,
        How::Effect => LinkKind::Effect,
        How::Engine | How::Whole | How::Class => LinkKind::Part,
    };
    match from {
        Some(from) => Because::Link(Link {
            from,
            line: reached.line,
            kind,
            when: When::Always,
        }),
        None => Because::Interpreter,
    }
}

fn because(numbers: &BTreeMap<String, usize>, link: &analysis::Link) -> Option<Because> {
    use analysis::LinkKind as Kind;
    let kind = match link.kind {
        Kind::Node if link.from == INCLUDED => {
            return Some(Because::Setting("include".to_owned()));
        }
        Kind::Node => return Some(Because::Node(link.from.clone())),
        // What Pyodide itself uses is written down as a module of this name.
        _ if link.from == USES => return Some(Because::Interpreter),
        Kind::Interpreter => return Some(Because::Interpreter),
        Kind::Import | Kind::From | Kind::Submodule | Kind::Star | Kind::Call => LinkKind::Import,
        Kind::Package => LinkKind::Package,
        Kind::Codec => LinkKind::Codec,
        Kind::Computed => LinkKind::Computed,
        Kind::Native => LinkKind::Native,
    };
    Some(Because::Link(Link {
        from: Place::module(*numbers.get(&link.from)?),
        line: link.line,
        kind,
        when: match link.certainty {
            Certainty::Certain => When::Always,
            Certainty::Guarded => When::Guarded,
            Certainty::InFunction => When::Called,
        },
    }))
}

fn opaque(closure: &Closure) -> Vec<Opaque> {
    let places = closure.opaque.iter().map(|place| Opaque {
        module: place.module.clone(),
        file: place.file.clone(),
        line: place.line,
        what: if place.keeps_whole {
            format!("uses `{}`; the module is kept whole", place.what)
        } else {
            format!("uses `{}`", place.what)
        },
    });
    let imports = closure.dynamic.iter();
    imports
        .map(|import| Opaque {
            module: import.importer.clone(),
            file: import.file.clone(),
            line: import.line,
            what: format!(
                "imports a module by a computed name ({})",
                import.expression
            ),
        })
        .chain(places)
        .collect()
}

/// What concerns the user's own code; paths below their roots, as everywhere in a metafile.
fn notes(closure: &Closure) -> Vec<String> {
    let missing: BTreeSet<_> = closure
        .missing
        .iter()
        .filter(|import| import.certainty != Certainty::Guarded)
        .filter_map(|import| {
            let source = &closure.modules.get(&import.importer)?.source;
            (source.origin == source::Origin::Node).then_some((
                &source.display_path,
                import.line,
                import.what(),
            ))
        })
        .collect();
    let missing = missing.into_iter().map(|(file, line, what)| {
        format!("{file}:{line}: {what}; the import fails if it is reached")
    });
    let shadowed = closure.shadowed.keys().map(|module| {
        format!("the engine has a module `{module}` of its own, which Python takes instead of the file of that name")
    });
    missing.chain(shadowed).collect()
}
