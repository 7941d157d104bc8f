//! The modules of a closure: compiled, listed, and their sources kept for messages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rm_runtime::bundle::PackedModule;

use super::program::Tools;
use super::{PackError, Request, UserSource};
use crate::analysis::{Closure, SyntaxError};
use crate::compile::{ColdSource, CompileError, Source, compile_all, compile_cold};
use crate::freeze::{CarriedModule, Cold};
use crate::source::{ModuleSource, Origin, SourceSet};

/// Where the standard library's files appear to be, in tracebacks.
const STDLIB_FOLDER: &str = "lib/python3.14";

/// Compile every module, for the engine's importer; `texts` replace those of the closure.
///
/// Sources are those of the application and its packages, as they were found, where they are to be carried.
pub(super) fn compile(
    tools: &Tools<'_>,
    closure: &Closure,
    texts: &BTreeMap<String, String>,
) -> Result<Vec<CarriedModule>, PackError> {
    let (request, engine) = (tools.request, &tools.built.engine);
    let sources = closure
        .modules
        .iter()
        .map(|(name, module)| {
            (
                name.as_str(),
                Source {
                    filename: filename(&module.source),
                    text: texts.get(name).map_or(&*module.shaken.text, String::as_str),
                    optimize: request.optimize,
                },
            )
        })
        .collect();
    let mut codes = compile_all(engine, tools.cache, &sources)
        .map_err(|error| locate_syntax_error(closure, error))?;
    let mut cold = compile_cold(engine, tools.cache, &cold_sources(request, closure))
        .map_err(|error| locate_syntax_error(closure, error))?;
    let mut carried: Vec<_> = sources
        .into_iter()
        .map(|(name, source)| {
            let module = &closure.modules[name];
            CarriedModule {
                name: name.to_owned(),
                is_package: module.source.is_package,
                filename: source.filename,
                code: codes.remove(name),
                source: (request.carry.source && module.source.origin != Origin::Stdlib)
                    .then(|| Arc::clone(&module.source.text)),
                cold: cold.remove(name).map_or(Cold::Nothing, Cold::Pieces),
                removed: module.shaken.removed.clone(),
                doubtful: module.shaken.doubtful.clone(),
            }
        })
        .collect();
    carried.extend(closure.namespaces.iter().map(|name| CarriedModule {
        name: name.clone(),
        is_package: true,
        filename: format!("{}/", name.replace('.', "/")),
        code: None,
        source: None,
        cold: Cold::Nothing,
        removed: Vec::new(),
        doubtful: Vec::new(),
    }));
    Ok(carried)
}

fn filename(source: &ModuleSource) -> String {
    match source.origin {
        Origin::Stdlib => format!("{STDLIB_FOLDER}/{}", source.display_path),
        Origin::Node | Origin::Builtin => source.display_path.clone(),
    }
}

/// What was left out of modules.
fn cold_sources<'c>(request: &Request, closure: &'c Closure) -> BTreeMap<&'c str, ColdSource<'c>> {
    let cut = closure.modules.iter();
    let cut = cut.filter(|(_, module)| !module.shaken.cold.is_empty());
    cut.map(|(name, module)| {
        let source = ColdSource {
            filename: filename(&module.source),
            pieces: &module.shaken.cold,
            optimize: request.optimize,
            text_annotations: module.shaken.text_annotations,
        };
        (name.as_str(), source)
    })
    .collect()
}

/// Show a syntax error as those are shown that the parser finds.
fn locate_syntax_error(closure: &Closure, error: CompileError) -> PackError {
    let Some(exception) = error.source.exception() else {
        return error.into();
    };
    let module = closure.modules.get(&error.module);
    let (Some(place), Some(module)) = (&exception.syntax, module) else {
        return error.into();
    };
    let number = |number: i64| usize::try_from(number).unwrap_or(0);
    PackError::Syntax(Box::new(SyntaxError::from_compiler(
        &module.source,
        exception.message.clone(),
        number(place.line),
        number(place.column),
    )))
}

/// The table of modules for the bundle; none is marked as loaded yet.
pub(super) fn table(closure: &Closure, carried: &[CarriedModule]) -> Vec<PackedModule> {
    let packed = |module: &CarriedModule| {
        let reached = closure.modules.get(&module.name);
        PackedModule {
            name: module.name.clone(),
            origin: match reached.map(|reached| reached.source.origin) {
                Some(Origin::Stdlib) => "stdlib",
                Some(Origin::Builtin) => "package",
                Some(Origin::Node) | None => "node",
            }
            .to_owned(),
            loaded: false,
            size: module.code.as_ref().map_or(0, |code| code.len() as u64),
            reason: reached.map_or_else(
                || "a namespace package".to_owned(),
                |reached| reached.reason.to_string(),
            ),
        }
    };
    let mut modules: Vec<_> = carried.iter().map(packed).collect();
    modules.sort_by(|left, right| left.name.cmp(&right.name));
    modules
}

/// The modules of the source folders that are not in the bundle, where the nodes import some by names that are computed: those
/// at the top, and those in packages that are there. Whoever imports one of them is told that it was left out.
///
/// Nodes that import nothing like that cannot ask for one, so that what else lies in their folders does not matter. Neither does
/// a folder there that cannot be listed.
pub(super) fn absent(
    sources: &SourceSet,
    closure: &Closure,
    carried: &[CarriedModule],
) -> Vec<String> {
    let is_own = |name: &str| {
        let module = closure.modules.get(name);
        module.is_some_and(|module| module.source.origin == Origin::Node)
    };
    if !closure
        .dynamic
        .iter()
        .any(|import| is_own(&import.importer))
    {
        return Vec::new();
    }
    let present: BTreeSet<&str> = carried.iter().map(|module| module.name.as_str()).collect();
    let mut absent = sources.children_in_folders("").unwrap_or_default();
    for package in carried.iter().filter(|module| module.is_package) {
        let children = sources.children_in_folders(&package.name);
        let children = children.unwrap_or_default().into_iter();
        absent.extend(children.map(|child| format!("{}.{child}", package.name)));
    }
    absent.retain(|name| {
        let is_there = present.contains(name.as_str()) || closure.held.contains(name);
        // They travel in one text.
        !is_there && !name.contains(char::is_whitespace)
    });
    absent.into_iter().collect()
}

/// Mark the modules named in `loaded`, which is sorted.
pub(super) fn mark_loaded(mut modules: Vec<PackedModule>, loaded: &[String]) -> Vec<PackedModule> {
    for module in &mut modules {
        module.loaded = loaded.binary_search(&module.name).is_ok();
    }
    modules
}

/// The user's own sources, by the file name that tracebacks show.
pub(super) fn user_sources(closure: &Closure) -> BTreeMap<String, UserSource> {
    let of_user = closure
        .modules
        .values()
        .map(|module| &module.source)
        .filter(|source| source.origin == Origin::Node);
    of_user
        .filter_map(|source| {
            let path = source.real_path.clone()?;
            Some((
                source.display_path.clone(),
                UserSource {
                    path,
                    text: source.text.clone(),
                },
            ))
        })
        .collect()
}
