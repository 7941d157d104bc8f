//! Finding the class behind a node type.
//!
//! A node type is `package.module:Class`, or a class name alone. A class name is looked for in every `.py` file below
//! the node folders, except in hidden folders, `__pycache__`, `node_modules`, `site-packages`, virtual environments and
//! `tests` (test doubles like to have the name of what they stand for; `module:Class` reaches them all the same). Only
//! files whose text contains the name are parsed, so that a broken file elsewhere does not matter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fmt, iter};

use rayon::prelude::*;
use rustpython_ruff_python_ast::visitor::{self, Visitor};
use rustpython_ruff_python_ast::{ExceptHandler, Expr, Stmt, StmtClassDef, StmtFunctionDef};
use walkdir::{DirEntry, WalkDir};

use super::collect::absolute;
use super::suggest;
use super::{ParsedModule, SyntaxError};
use crate::source::{Found, ModuleSource, SourceError, SourceSet, files};

/// How many imports from module to module a class is followed through.
const HOPS: usize = 8;

/// Folders that hold no nodes.
const SKIPPED: [&str; 4] = ["__pycache__", "node_modules", "site-packages", "tests"];

/// What calling a node's `process` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessKind {
    /// A value.
    Plain,
    /// A coroutine.
    Coroutine,
    /// A generator.
    Generator,
    /// An asynchronous generator.
    AsyncGenerator,
}

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
}

/// One place where a class is defined.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClassSite {
    /// The file, as it is shown to the user.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// How a manifest can name this one: `package.module:Class`.
    pub explicit: String,
}

impl fmt::Display for ClassSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} (`{}`)", self.file, self.line, self.explicit)
    }
}

/// The class of a node type cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// No file defines the class.
    #[error("no class `{class}` in {}{}", places(searched), did_you_mean(nearest.as_deref()))]
    NotFound {
        /// The class's name.
        class: String,
        /// The folders that were searched.
        searched: Vec<PathBuf>,
        /// The most similar class name that was seen.
        nearest: Option<String>,
    },
    /// Several files define the class.
    #[error("class `{class}` is defined more than once; name one as `module:Class`:{}", list(sites))]
    Ambiguous {
        /// The class's name.
        class: String,
        /// All definitions, by file and line.
        sites: Vec<ClassSite>,
    },
    /// `module:Class` names a module that no root has.
    #[error("no module `{module}` in {}{}", places(searched), did_you_mean(nearest.as_deref()))]
    NoModule {
        /// The module's name.
        module: String,
        /// The folders that were searched.
        searched: Vec<PathBuf>,
        /// The most similar module name next to it.
        nearest: Option<String>,
    },
    /// `module:Class` names a module that neither defines nor imports the class.
    #[error("{file} neither defines nor imports a class `{class}` at its top level{}", did_you_mean(nearest.as_deref()))]
    NoClass {
        /// The module's file, as it is shown to the user.
        file: String,
        /// The class's name.
        class: String,
        /// The most similar class name in the module.
        nearest: Option<String>,
    },
    /// The file that defines the class cannot be imported: its name leads to another file.
    #[error("{file} defines the class, but `import {module}` takes {taken} instead; rename one of them")]
    Hidden {
        /// The file with the class.
        file: String,
        /// The name it would be imported by.
        module: String,
        /// What that name leads to.
        taken: String,
    },
    /// A file that has the name in it is not Python.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A source could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
}

fn places(folders: &[PathBuf]) -> String {
    let shown: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    if shown.is_empty() { "any folder (there are none)".to_owned() } else { shown.join(", ") }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

fn list(sites: &[ClassSite]) -> String {
    sites.iter().map(|site| format!("\n  {site}")).collect()
}

/// Finds the classes of `node_types`; the answer for each stands under its name.
///
/// # Errors
/// [`SourceError`] when a node folder cannot be searched at all.
pub fn find_nodes(
    sources: &SourceSet,
    node_types: &BTreeSet<String>,
) -> Result<BTreeMap<String, Result<NodeClass, NodeError>>, SourceError> {
    let mut answers = BTreeMap::new();
    let mut names = BTreeSet::new();
    for node_type in node_types {
        if let Some((module, class)) = node_type.split_once(':') {
            answers.insert(node_type.clone(), explicit(sources, node_type, module, class));
        } else {
            names.insert(node_type.as_str());
        }
    }
    if names.is_empty() {
        return Ok(answers);
    }
    let candidates = python_files(sources)?;
    let searches: Vec<Search> =
        candidates.par_iter().map(|file| search(file, &names)).collect::<Result<_, SourceError>>()?;
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
    broken: Option<(BTreeSet<String>, SyntaxError)>,
    modules: Vec<(String, bool)>,
    path: PathBuf,
}

#[derive(Debug, Clone)]
struct Definition {
    line: u32,
    process: Option<ProcessKind>,
    is_streaming: bool,
}

fn python_files(sources: &SourceSet) -> Result<Vec<Candidate>, SourceError> {
    let mut files: BTreeMap<PathBuf, Vec<(String, bool)>> = BTreeMap::new();
    for root in sources.folders() {
        let walk = WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(|entry| entry.depth() == 0 || wanted(entry));
        for entry in walk {
            let entry = entry.map_err(|error| {
                let path = error.path().unwrap_or(root).to_path_buf();
                SourceError::List { path, source: error.into() }
            })?;
            let is_python = entry.path().extension().is_some_and(|extension| extension == "py");
            if !is_python || entry.path().is_dir() {
                continue;
            }
            let names = entry.path().strip_prefix(root).ok().and_then(module_name);
            files.entry(entry.path().to_path_buf()).or_default().extend(names);
        }
    }
    let candidates = files.into_iter().filter(|(_, modules)| !modules.is_empty());
    Ok(candidates
        .map(|(path, mut modules)| {
            // The folder nearest to the file gives the shortest name.
            modules.sort_by_key(|(name, _)| name.matches('.').count());
            Candidate { path, modules }
        })
        .collect())
}

fn wanted(entry: &DirEntry) -> bool {
    let Some(name) = entry.file_name().to_str() else { return false };
    if !entry.file_type().is_dir() {
        return true;
    }
    !name.starts_with('.') && !SKIPPED.contains(&name) && !entry.path().join("pyvenv.cfg").exists()
}

/// The dotted name of a file below a root, and whether it is a package's `__init__.py`.
fn module_name(relative: &Path) -> Option<(String, bool)> {
    let mut parts: Vec<&str> = relative.iter().map(|part| part.to_str()).collect::<Option<_>>()?;
    let stem = parts.pop()?.strip_suffix(".py")?;
    let is_package = stem == "__init__";
    if !is_package {
        parts.push(stem);
    }
    // A dot inside a part would be read as two parts.
    let importable = !parts.is_empty() && parts.iter().all(|part| !part.is_empty() && !part.contains('.'));
    importable.then(|| (parts.join("."), is_package))
}

fn search(file: &Candidate, names: &BTreeSet<&str>) -> Result<Search, SourceError> {
    let bytes = files::read_bytes(&file.path)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut search = Search { path: file.path.clone(), modules: file.modules.clone(), ..Search::default() };
    search.seen = text.lines().filter_map(class_line).map(str::to_owned).collect();
    let mentioned: BTreeSet<String> =
        names.iter().filter(|name| text.contains(**name)).map(|name| (*name).to_owned()).collect();
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
    let rest = line.strip_prefix("class")?.strip_prefix([' ', '\t'])?.trim_start();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

fn choose(sources: &SourceSet, class: &str, searches: &[Search]) -> Result<NodeClass, NodeError> {
    let found: Vec<(&Search, &Definition)> =
        searches.iter().filter_map(|search| search.found.get(class).map(|definition| (search, definition))).collect();
    let (search, definition) = match found.as_slice() {
        [] => {
            let broken = searches.iter().filter_map(|search| search.broken.as_ref());
            if let Some((_, error)) = broken.into_iter().find(|(names, _)| names.contains(class)) {
                return Err(NodeError::Syntax(error.clone()));
            }
            let seen: BTreeSet<&str> = searches.iter().flat_map(|search| &search.seen).map(String::as_str).collect();
            return Err(NodeError::NotFound {
                class: class.to_owned(),
                searched: sources.folders().map(Path::to_path_buf).collect(),
                nearest: suggest::nearest(class, seen).map(str::to_owned),
            });
        }
        [one] => *one,
        several => {
            let mut sites: Vec<ClassSite> = several
                .iter()
                .map(|(search, definition)| ClassSite {
                    file: search.path.display().to_string(),
                    line: definition.line,
                    explicit: format!("{}:{class}", search.modules.first().map_or("", |(name, _)| name)),
                })
                .collect();
            sites.sort();
            return Err(NodeError::Ambiguous { class: class.to_owned(), sites });
        }
    };
    let mut taken = None;
    for (module, _) in &search.modules {
        let Some(Found::Module(source)) = sources.find(module)? else { continue };
        if source.real_path.as_deref() == Some(&search.path) {
            return Ok(node_class(class, module, class, &source.display_path, definition));
        }
        taken.get_or_insert(source.shown_path());
    }
    Err(NodeError::Hidden {
        file: search.path.display().to_string(),
        module: search.modules.first().map(|(name, _)| name.clone()).unwrap_or_default(),
        taken: taken.unwrap_or_else(|| "no file".to_owned()),
    })
}

fn node_class(node_type: &str, module: &str, class: &str, file: &str, definition: &Definition) -> NodeClass {
    NodeClass {
        node_type: node_type.to_owned(),
        module: module.to_owned(),
        class: class.to_owned(),
        file: file.to_owned(),
        line: definition.line,
        process: definition.process,
        is_streaming: definition.is_streaming,
    }
}

fn explicit(sources: &SourceSet, node_type: &str, module: &str, class: &str) -> Result<NodeClass, NodeError> {
    let Some(Found::Module(source)) = sources.find(module)? else {
        let (package, last) = module.rsplit_once('.').unwrap_or(("", module));
        let siblings = sources.children(package)?;
        let nearest = suggest::nearest(last, &siblings);
        return Err(NodeError::NoModule {
            module: module.to_owned(),
            searched: sources.folders().map(Path::to_path_buf).collect(),
            nearest: nearest.map(|last| if package.is_empty() { last.to_owned() } else { format!("{package}.{last}") }),
        });
    };
    let parsed = ParsedModule::parse(&source)?;
    if let Some((file, definition)) = follow(sources, &source, &parsed, class, HOPS)? {
        return Ok(node_class(node_type, module, class, &file, &definition));
    }
    let mut classes = BTreeSet::new();
    each_top_level(&parsed.syntax.body, &mut |stmt| {
        if let Stmt::ClassDef(class) = stmt {
            classes.insert(class.name.to_string());
        }
    });
    let nearest = suggest::nearest(class, &classes).map(str::to_owned);
    Err(NodeError::NoClass { file: source.shown_path(), class: class.to_owned(), nearest })
}

/// The definition of `class` in the module or where the module imports it from.
fn follow(
    sources: &SourceSet,
    source: &ModuleSource,
    parsed: &ParsedModule,
    class: &str,
    hops: usize,
) -> Result<Option<(String, Definition)>, NodeError> {
    if let Some(definition) = define(parsed, class) {
        return Ok(Some((source.display_path.clone(), definition)));
    }
    if hops == 0 {
        return Ok(None);
    }
    let mut next = Vec::new();
    each_top_level(&parsed.syntax.body, &mut |stmt| {
        let Stmt::ImportFrom(import) = stmt else { return };
        let named = import.module.as_ref().map_or("", |module| module.as_str());
        let Some(module) = absolute(source.package(), import.level, named) else { return };
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

/// Calls `visit` for the statements of the top level, those in `if`, `try` and `with` blocks too.
fn each_top_level<'a>(body: &'a [Stmt], visit: &mut dyn FnMut(&'a Stmt)) {
    for stmt in body {
        visit(stmt);
        if let Stmt::If(stmt) = stmt {
            each_top_level(&stmt.body, visit);
            stmt.elif_else_clauses.iter().for_each(|clause| each_top_level(&clause.body, visit));
        } else if let Stmt::Try(stmt) = stmt {
            each_top_level(&stmt.body, visit);
            for handler in &stmt.handlers {
                let ExceptHandler::ExceptHandler(clause) = handler;
                each_top_level(&clause.body, visit);
            }
            each_top_level(&stmt.orelse, visit);
            each_top_level(&stmt.finalbody, visit);
        } else if let Stmt::With(stmt) = stmt {
            each_top_level(&stmt.body, visit);
        }
    }
}

fn define(parsed: &ParsedModule, name: &str) -> Option<Definition> {
    let mut classes: BTreeMap<&str, &StmtClassDef> = BTreeMap::new();
    each_top_level(&parsed.syntax.body, &mut |stmt| {
        if let Stmt::ClassDef(class) = stmt {
            classes.entry(class.name.as_str()).or_insert(class);
        }
    });
    let class = *classes.get(name)?;
    let mut lineage = vec![class];
    let mut at = 0;
    while let Some(class) = lineage.get(at).copied() {
        for base in class.arguments.iter().flat_map(|arguments| &arguments.args) {
            if let Expr::Name(base) = base
                && let Some(base) = classes.get(base.id.as_str())
                && !lineage.iter().any(|known| known.name == base.name)
            {
                lineage.push(base);
            }
        }
        at += 1;
    }
    Some(Definition {
        line: parsed.line(&class.name),
        process: lineage.iter().find_map(|class| method(class, "process")).map(kind),
        is_streaming: lineage.iter().find_map(|class| flag(class, "is_streaming")).unwrap_or(false),
    })
}

fn method<'a>(class: &'a StmtClassDef, name: &str) -> Option<&'a StmtFunctionDef> {
    class.body.iter().rev().find_map(|stmt| match stmt {
        Stmt::FunctionDef(function) if &function.name == name => Some(function),
        _ => None,
    })
}

fn flag(class: &StmtClassDef, name: &str) -> Option<bool> {
    class.body.iter().rev().find_map(|stmt| {
        let (targets, value): (Vec<&Expr>, &Expr) = if let Stmt::Assign(assign) = stmt {
            (assign.targets.iter().collect(), &assign.value)
        } else if let Stmt::AnnAssign(assign) = stmt {
            (iter::once(&*assign.target).collect(), assign.value.as_deref()?)
        } else {
            return None;
        };
        let named = targets.iter().any(|target| matches!(target, Expr::Name(target) if target.id.as_str() == name));
        if let (true, Expr::BooleanLiteral(literal)) = (named, value) { Some(literal.value) } else { None }
    })
}

fn kind(function: &StmtFunctionDef) -> ProcessKind {
    let mut yields = Yields(false);
    yields.visit_body(&function.body);
    match (function.is_async, yields.0) {
        (false, false) => ProcessKind::Plain,
        (true, false) => ProcessKind::Coroutine,
        (false, true) => ProcessKind::Generator,
        (true, true) => ProcessKind::AsyncGenerator,
    }
}

/// Whether a function's own body yields, functions inside it apart.
struct Yields(bool);

impl Visitor<'_> for Yields {
    fn visit_stmt(&mut self, stmt: &Stmt) {
        if !matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
            visitor::walk_stmt(self, stmt);
        }
    }

    fn visit_expr(&mut self, expr: &Expr) {
        self.0 |= matches!(expr, Expr::Yield(_) | Expr::YieldFrom(_));
        if !matches!(expr, Expr::Lambda(_)) {
            visitor::walk_expr(self, expr);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, SourceSet) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut sources = SourceSet::new();
        sources.add_folder(folder.path()).unwrap();
        (folder, sources)
    }

    /// The one answer, the folder's own path written as `DIR`.
    fn find(files: &[(&str, &str)], node_type: &str) -> Result<NodeClass, String> {
        let (folder, sources) = folder(files);
        let mut answers = find_nodes(&sources, &BTreeSet::from([node_type.to_owned()])).unwrap();
        let root = folder.path().canonicalize().unwrap();
        answers
            .remove(node_type)
            .unwrap()
            .map_err(|error| error.to_string().replace(&root.display().to_string(), "DIR"))
    }

    #[test]
    fn class_by_name_with_its_facts() {
        let text = "import x\n\nclass Base:\n    is_streaming: bool = True\n    async def process(self, data):\n        yield data\n\n@x.deco\nclass Node(Base):\n    pass\n";
        let found = find(&[("sub/my.py", text), ("other.py", "class Nodes: pass\n")], "Node").unwrap();
        assert_eq!((found.module.as_str(), found.file.as_str(), found.line), ("sub.my", "sub/my.py", 9));
        assert_eq!((found.process, found.is_streaming), (Some(ProcessKind::AsyncGenerator), true));
    }

    #[test]
    fn kinds_of_process() {
        let kind = |body: &str| find(&[("n.py", &format!("class N:\n  {body}\n"))], "N").unwrap().process;
        assert_eq!(kind("def process(self, d): return d"), Some(ProcessKind::Plain));
        assert_eq!(kind("async def process(self, d): return d"), Some(ProcessKind::Coroutine));
        assert_eq!(kind("def process(self, d): x = yield d"), Some(ProcessKind::Generator));
        assert_eq!(kind("def process(self, d): return lambda: (yield d)"), Some(ProcessKind::Plain));
        assert_eq!(kind("pass"), None);
    }

    #[test]
    fn found_twice_lists_both() {
        let class = "class Node: pass\n";
        assert_eq!(
            find(&[("b.py", class), ("a/__init__.py", class), ("tests/c.py", class), ("v/pyvenv.cfg", ""), ("v/d.py", class)], "Node"),
            Err("class `Node` is defined more than once; name one as `module:Class`:\n  DIR/a/__init__.py:1 (`a:Node`)\n  DIR/b.py:1 (`b:Node`)".to_owned())
        );
        assert_eq!(find(&[("b.py", class), ("a.py", class)], "b:Node").unwrap().module, "b");
    }

    #[test]
    fn not_found_names_the_nearest() {
        assert_eq!(
            find(&[("a.py", "class TextNode(object): pass\n")], "TextNod"),
            Err("no class `TextNod` in DIR; did you mean `TextNode`?".to_owned())
        );
        assert_eq!(find(&[("text.py", "class A: ...\n")], "txt:A"), Err("no module `txt` in DIR; did you mean `text`?".to_owned()));
        assert_eq!(
            find(&[("text.py", "class Alpha: ...\n")], "text:Alfa"),
            Err("DIR/text.py neither defines nor imports a class `Alfa` at its top level; did you mean `Alpha`?".to_owned())
        );
    }

    #[test]
    fn broken_files_matter_only_when_they_have_the_name() {
        let broken = ("broken.py", "def (:\n");
        assert!(find(&[broken, ("a.py", "class Node: pass\n")], "Node").is_ok());
        let error = find(&[("a.py", "class Node\n")], "Node").unwrap_err();
        assert!(error.starts_with("DIR/a.py:1:11: syntax error: "), "{error}");
    }

    #[test]
    fn explicit_class_may_be_imported() {
        let files = [
            ("p/__init__.py", "from .impl import Inner as Outer\n"),
            ("p/impl.py", "try:\n    pass\nfinally:\n    class Inner:\n        def process(self, d): yield d\n"),
        ];
        let found = find(&files, "p:Outer").unwrap();
        assert_eq!((found.module.as_str(), found.class.as_str(), found.file.as_str()), ("p", "Outer", "p/impl.py"));
        assert_eq!((found.line, found.process), (4, Some(ProcessKind::Generator)));
    }

    #[test]
    fn overlapping_folders_give_the_shorter_name() {
        let (folder, mut sources) = folder(&[("src/pkg/n.py", "class N: pass\n")]);
        sources.add_folder(&folder.path().join("src")).unwrap();
        let answers = find_nodes(&sources, &BTreeSet::from(["N".to_owned()])).unwrap();
        assert_eq!(answers["N"].as_ref().unwrap().module, "pkg.n");
    }
}
