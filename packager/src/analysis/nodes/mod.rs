//! Finding the class behind a node type.
//!
//! A node type is `package.module:Class`, or a class name alone. A class name is looked for in every `.py` file below
//! the node folders, except in hidden folders, `__pycache__`, `node_modules`, `site-packages`, virtual environments and
//! `tests` (test doubles like to have the name of what they stand for; `module:Class` reaches them all the same). Only
//! files whose text contains the name are parsed, so that a broken file elsewhere does not matter.

mod class;
mod error;
#[cfg(test)]
mod tests;

pub use class::ProcessKind;
pub use error::{ClassSite, NodeError};

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use ruff_python_ast::Stmt;
use walkdir::{DirEntry, WalkDir};

use class::{Definition, define, each_top_level};

use rm_runtime::suggest::nearest;

use super::collect::absolute;
use super::{ParsedModule, SyntaxError};
use crate::nesting::on_deep_stacks;
use crate::source::{Found, ModuleSource, SourceError, SourceSet, files};

/// How many imports from module to module a class is followed through.
const HOPS: usize = 8;

/// Folders that hold no nodes.
const SKIPPED: [&str; 4] = ["__pycache__", "node_modules", "site-packages", "tests"];

/// A node's class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeClass {
    /// The node type, as the manifest names it.
    pub node_type: String,
    /// The module to import the class from.
    pub module: String,
    /// The class's name in that module.
    pub class: String,
    /// The file of the class's definition, below its root.
    pub file: String,
    /// The line of its definition, from 1.
    pub line: u32,
    /// What `process` is; `None` when neither the class nor a base class in the same file defines it.
    pub process: Option<ProcessKind>,
    /// Whether the class, or a base class in the same file, says `is_streaming = True`.
    pub is_streaming: bool,
    /// Whether `process` takes nothing but `self`.
    pub is_source: bool,
}

/// Finds the classes of `node_types`; the answer for each stands under its name.
///
/// # Errors
/// [`SourceError`] when a node folder cannot be searched at all.
pub fn find_nodes(
    sources: &SourceSet,
    node_types: &BTreeSet<String>,
) -> Result<BTreeMap<String, Result<NodeClass, NodeError>>, SourceError> {
    on_deep_stacks(|| find(sources, node_types))
}

fn find(
    sources: &SourceSet,
    node_types: &BTreeSet<String>,
) -> Result<BTreeMap<String, Result<NodeClass, NodeError>>, SourceError> {
    let mut answers = BTreeMap::new();
    let mut names = BTreeSet::new();
    for node_type in node_types {
        if let Some((module, class)) = node_type.split_once(':') {
            answers.insert(
                node_type.clone(),
                explicit(sources, node_type, module, class),
            );
        } else {
            names.insert(node_type.as_str());
        }
    }
    if names.is_empty() {
        return Ok(answers);
    }
    let (candidates, unreadable) = python_files(sources)?;
    let mut searches: Vec<Search> = candidates
        .par_iter()
        .map(|file| match search(file, &names) {
            // Most files have nothing to do with the pipeline.
            Err(error @ SourceError::Read { .. }) => Ok(Search {
                unreadable: Some(error),
                ..Search::default()
            }),
            result => result,
        })
        .collect::<Result<_, SourceError>>()?;
    searches.extend(unreadable.into_iter().map(|error| Search {
        unreadable: Some(error),
        ..Search::default()
    }));
    for name in names {
        answers.insert(name.to_owned(), choose(sources, name, &searches));
    }
    Ok(answers)
}

/// A Python file with the names it could be imported by: one for each node folder above it.
struct Candidate {
    path: PathBuf,
    modules: Vec<(String, bool)>,
}

/// What a file has of the names looked for.
#[derive(Default)]
struct Search {
    /// Every class that seems to be defined in the file.
    seen: BTreeSet<String>,
    found: BTreeMap<String, Definition>,
    /// The file has one of these names and is not Python.
    broken: Option<(BTreeSet<String>, Box<SyntaxError>)>,
    /// The file cannot be read.
    unreadable: Option<SourceError>,
    modules: Vec<(String, bool)>,
    path: PathBuf,
}

impl Search {
    /// The file as a module, by the first of its names that leads to it and not to a file of a folder before it.
    fn importable(&self, sources: &SourceSet) -> Result<Option<ModuleSource>, SourceError> {
        for (module, _) in &self.modules {
            if let Some(Found::Module(source)) = sources.find(module)?
                && source.real_path.as_deref() == Some(&self.path)
            {
                return Ok(Some(source));
            }
        }
        Ok(None)
    }
}

/// The Python files in node folders, and which folders below those cannot be listed.
fn python_files(sources: &SourceSet) -> Result<(Vec<Candidate>, Vec<SourceError>), SourceError> {
    let mut unreadable = Vec::new();
    let mut files: BTreeMap<PathBuf, Vec<(String, bool)>> = BTreeMap::new();
    for root in sources.folders() {
        let walk = WalkDir::new(root)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| entry.depth() == 0 || wanted(entry));
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let depth = error.depth();
                    let path = error.path().unwrap_or(root).to_path_buf();
                    let source = error.into();
                    let error = SourceError::List { path, source };
                    if depth == 0 {
                        return Err(error);
                    }
                    // Most folders have nothing to do with the pipeline.
                    unreadable.push(error);
                    continue;
                }
            };
            let is_python = entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "py");
            if !is_python || !files::is_file(entry.path()) {
                continue;
            }
            let names = entry.path().strip_prefix(root).ok().and_then(module_name);
            files
                .entry(entry.path().to_path_buf())
                .or_default()
                .extend(names);
        }
    }
    let candidates = files.into_iter().filter(|(_, modules)| !modules.is_empty());
    let candidates = candidates
        .map(|(path, mut modules)| {
            // The folder nearest to the file gives the shortest name.
            modules.sort_by_key(|(name, _)| name.matches('.').count());
            Candidate { path, modules }
        })
        .collect();
    Ok((candidates, unreadable))
}

fn wanted(entry: &DirEntry) -> bool {
    let Some(name) = entry.file_name().to_str() else {
        return false;
    };
    if !entry.file_type().is_dir() {
        return true;
    }
    !name.starts_with('.') && !SKIPPED.contains(&name) && !entry.path().join("pyvenv.cfg").exists()
}

/// The dotted name of a file below a root, and whether it is a package's `__init__.py`.
fn module_name(relative: &Path) -> Option<(String, bool)> {
    let mut parts: Vec<&str> = relative
        .iter()
        .map(|part| part.to_str())
        .collect::<Option<_>>()?;
    let stem = parts.pop()?.strip_suffix(".py")?;
    let is_package = stem == "__init__";
    if !is_package {
        parts.push(stem);
    }
    // A dot inside a part would be read as two parts.
    let importable = !parts.is_empty()
        && parts
            .iter()
            .all(|part| !part.is_empty() && !part.contains('.'));
    importable.then(|| (parts.join("."), is_package))
}

fn search(file: &Candidate, names: &BTreeSet<&str>) -> Result<Search, SourceError> {
    let bytes = files::read_bytes(&file.path)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut search = Search {
        path: file.path.clone(),
        modules: file.modules.clone(),
        ..Search::default()
    };
    search.seen = text
        .lines()
        .filter_map(class_line)
        .map(str::to_owned)
        .collect();
    let mentioned: BTreeSet<String> = names
        .iter()
        .filter(|name| text.contains(**name))
        .map(|name| (*name).to_owned())
        .collect();
    if mentioned.is_empty() {
        return Ok(search);
    }
    let (name, is_package) = file.modules.first().cloned().unwrap_or_default();
    let source = ModuleSource {
        name,
        is_package,
        origin: crate::source::Origin::Node,
        display_path: String::new(),
        real_path: Some(file.path.clone()),
        text: files::read_python(&file.path)?.into(),
    };
    match ParsedModule::parse(&source) {
        Ok(parsed) => {
            for name in mentioned {
                if let Some(definition) = define(&parsed, &name) {
                    search.found.insert(name, definition);
                }
            }
        }
        Err(error) => search.broken = Some((mentioned, error)),
    }
    Ok(search)
}

/// The class that a line at the left margin defines, to go by its text.
fn class_line(line: &str) -> Option<&str> {
    let rest = line
        .strip_prefix("class")?
        .strip_prefix([' ', '\t'])?
        .trim_start();
    let end = rest
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

fn choose(sources: &SourceSet, class: &str, searches: &[Search]) -> Result<NodeClass, NodeError> {
    let mut found: Vec<(&Search, &Definition)> = Vec::new();
    let mut hidden = Vec::new();
    for search in searches {
        if let Some(definition) = search.found.get(class) {
            if search.importable(sources)?.is_some() {
                found.push((search, definition));
            } else {
                hidden.push((search, definition));
            }
        }
    }
    if found.is_empty() {
        // Which of them cannot be imported is all the same.
        found.extend(hidden.into_iter().next());
    }
    let (search, definition) = match found.as_slice() {
        [] => {
            let broken = searches.iter().filter_map(|search| search.broken.as_ref());
            if let Some((_, error)) = broken.into_iter().find(|(names, _)| names.contains(class)) {
                return Err(NodeError::Syntax(error.clone()));
            }
            // The class may be in there.
            let mut unreadable = searches
                .iter()
                .filter_map(|search| search.unreadable.as_ref());
            if let Some(error) = unreadable.next() {
                return Err(NodeError::Unreadable {
                    class: class.to_owned(),
                    problem: problem_of(error),
                });
            }
            let seen: BTreeSet<&str> = searches
                .iter()
                .flat_map(|search| &search.seen)
                .map(String::as_str)
                .collect();
            return Err(NodeError::NotFound {
                class: class.to_owned(),
                searched: sources.folders().map(Path::to_path_buf).collect(),
                nearest: nearest(class, seen).map(str::to_owned),
            });
        }
        [one] => *one,
        several => {
            let mut sites: Vec<ClassSite> = several
                .iter()
                .map(|(search, definition)| ClassSite {
                    file: search.path.display().to_string(),
                    line: definition.line,
                    explicit: format!(
                        "{}:{class}",
                        search.modules.first().map_or("", |(name, _)| name)
                    ),
                })
                .collect();
            sites.sort();
            return Err(NodeError::Ambiguous {
                class: class.to_owned(),
                sites,
            });
        }
    };
    if let Some(source) = search.importable(sources)? {
        let (module, path) = (&source.name, &source.display_path);
        return Ok(node_class(class, module, class, path, definition));
    }
    let mut taken = None;
    for (module, _) in &search.modules {
        if let Some(Found::Module(source)) = sources.find(module)? {
            taken.get_or_insert(source.shown_path());
        }
    }
    Err(NodeError::Hidden {
        file: search.path.display().to_string(),
        module: search
            .modules
            .first()
            .map(|(name, _)| name.clone())
            .unwrap_or_default(),
        taken: taken.unwrap_or_else(|| "no file".to_owned()),
    })
}

/// What an error says, with what caused it.
fn problem_of(error: &SourceError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn node_class(
    node_type: &str,
    module: &str,
    class: &str,
    file: &str,
    definition: &Definition,
) -> NodeClass {
    NodeClass {
        node_type: node_type.to_owned(),
        module: module.to_owned(),
        class: class.to_owned(),
        file: file.to_owned(),
        line: definition.line,
        process: definition.process,
        is_streaming: definition.is_streaming,
        is_source: definition.is_source,
    }
}

fn explicit(
    sources: &SourceSet,
    node_type: &str,
    module: &str,
    class: &str,
) -> Result<NodeClass, NodeError> {
    if module.is_empty() || class.is_empty() {
        return Err(NodeError::Malformed {
            node_type: node_type.to_owned(),
        });
    }
    let Some(Found::Module(source)) = sources.find(module)? else {
        let (package, last) = module.rsplit_once('.').unwrap_or(("", module));
        let siblings = sources.children(package)?;
        let nearest = nearest(last, siblings.iter().map(String::as_str));
        return Err(NodeError::NoModule {
            module: module.to_owned(),
            searched: sources.folders().map(Path::to_path_buf).collect(),
            nearest: nearest.map(|last| {
                if package.is_empty() {
                    last.to_owned()
                } else {
                    format!("{package}.{last}")
                }
            }),
        });
    };
    let parsed = ParsedModule::parse(&source)?;
    if let Some((site, definition)) = follow(sources, &source, &parsed, class, HOPS)? {
        let file = &site.display_path;
        return Ok(node_class(node_type, module, class, file, &definition));
    }
    let mut classes = BTreeSet::new();
    each_top_level(&parsed.syntax.body, &mut |stmt| {
        if let Stmt::ClassDef(class) = stmt {
            classes.insert(class.name.to_string());
        }
    });
    let nearest = nearest(class, classes.iter().map(String::as_str)).map(str::to_owned);
    Err(NodeError::NoClass {
        file: source.shown_path(),
        class: class.to_owned(),
        nearest,
    })
}

/// What the class of a node is, with base classes in other files of the sources: as much as reading tells without importing. The
/// class itself where they cannot be read, which analysis will tell.
pub(crate) fn with_bases(sources: &SourceSet, class: &NodeClass) -> NodeClass {
    let inherited = || -> Result<Option<Definition>, NodeError> {
        let Some(Found::Module(source)) = sources.find(&class.module)? else {
            return Ok(None);
        };
        let parsed = ParsedModule::parse(&source)?;
        let found = follow(sources, &source, &parsed, &class.class, HOPS)?;
        found
            .map(|(source, definition)| inherit(sources, &source, definition, HOPS))
            .transpose()
    };
    match on_deep_stacks(inherited) {
        Ok(Some(definition)) => NodeClass {
            process: definition.process,
            is_streaming: definition.is_streaming,
            is_source: definition.is_source,
            ..class.clone()
        },
        Ok(None) | Err(_) => class.clone(),
    }
}

/// A class with what it takes over from classes that its module imports.
fn inherit(
    sources: &SourceSet,
    source: &ModuleSource,
    class: Definition,
    hops: usize,
) -> Result<Definition, NodeError> {
    let mut whole = class;
    let bases = std::mem::take(&mut whole.bases);
    if bases.is_empty() || hops == 0 {
        return Ok(whole);
    }
    let parsed = ParsedModule::parse(source)?;
    for base in bases {
        let Some((source, base)) = follow(sources, source, &parsed, &base, hops)? else {
            continue;
        };
        let base = inherit(sources, &source, base, hops - 1)?;
        if whole.process.is_none() {
            whole.process = base.process;
            whole.is_source = base.is_source;
            whole.is_streaming |= base.is_streaming && !whole.says_streaming;
        }
        if base.says_streaming && !whole.says_streaming {
            whole.says_streaming = true;
            whole.is_streaming |= base.is_streaming;
        }
    }
    Ok(whole)
}

/// The definition of `class` in the module or where the module imports it from, with the module that has it.
fn follow(
    sources: &SourceSet,
    source: &ModuleSource,
    parsed: &ParsedModule,
    class: &str,
    hops: usize,
) -> Result<Option<(ModuleSource, Definition)>, NodeError> {
    if let Some(definition) = define(parsed, class) {
        return Ok(Some((source.clone(), definition)));
    }
    if hops == 0 {
        return Ok(None);
    }
    let mut next = Vec::new();
    each_top_level(&parsed.syntax.body, &mut |stmt| {
        let Stmt::ImportFrom(import) = stmt else {
            return;
        };
        let named = import.module.as_ref().map_or("", |module| module.as_str());
        let Some(module) = absolute(source.package(), import.level, named) else {
            return;
        };
        for alias in &import.names {
            if &alias.name == "*" {
                next.push((module.clone(), class.to_owned()));
            } else if alias.asname.as_ref().unwrap_or(&alias.name).as_str() == class {
                next.push((module.clone(), alias.name.to_string()));
            }
        }
    });
    for (module, class) in next {
        if let Some(Found::Module(source)) = sources.find(&module)? {
            let parsed = ParsedModule::parse(&source)?;
            if let Some(found) = follow(sources, &source, &parsed, &class, hops - 1)? {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}
