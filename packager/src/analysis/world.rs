//! Everything that was found out about the modules that imports can lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use ruff_python_ast::{Expr, Stmt};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Target;
use super::collect::collect;
use super::definitions::{Definitions, define};
use super::flow::Flow;
use super::hidden_imports;
use super::lines::Lines;
use super::names::ImportedNames;
use super::parse::{ParsedModule, SyntaxError};
use super::steps::{Bound, ModuleFacts, Request, Step};
use crate::minify::{Pass, Task, minify};
use crate::source::{Found, ModuleSource, Origin, SourceError, SourceSet, prefixes};

/// What a dotted name is.
#[derive(Debug)]
pub(super) enum Presence {
    /// No module.
    Absent,
    /// A module without Python source that the engine has.
    Native,
    /// A namespace package.
    Namespace,
    /// A module with source.
    Source(Box<Entry>),
}

/// A module with source.
#[derive(Debug)]
pub(super) struct Entry {
    /// With the text that is compiled; offsets are those of this text.
    pub(super) source: ModuleSource,
    /// The text as it was found, whose lines are the same.
    pub(super) original: Arc<str>,
    pub(super) facts: Result<Arc<ModuleFacts>, Box<SyntaxError>>,
    /// Whether the engine has it already.
    pub(super) held: bool,
    /// The pieces it is made of. They are found right after parsing, also those of modules of which nothing will be used:
    /// keeping all trees until that is known takes so much fresh memory that getting it costs more than the splitting, and
    /// here several threads are at it.
    pub(super) definitions: Definitions,
    /// The lines of the text that is compiled.
    pub(super) lines: Lines,
}

impl Presence {
    /// The facts of a module whose source could be parsed.
    pub(super) fn facts(&self) -> Option<&ModuleFacts> {
        match self {
            Self::Source(entry) => entry.facts.as_deref().ok(),
            Self::Absent | Self::Native | Self::Namespace => None,
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// How a name stands in a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    /// It is there once the module has run.
    Always,
    /// It may be there.
    Maybe,
    /// It is not there.
    Never,
}

/// The modules that imports can lead to, each found and parsed once.
#[derive(Debug)]
pub(super) struct World<'a> {
    pub(super) sources: &'a SourceSet,
    pub(super) target: &'a Target,
    modules: FxHashMap<String, Presence>,
    /// The names of the modules, sorted.
    names: Vec<String>,
    codecs: BTreeMap<String, String>,
    /// Attributes that the application and its packages give to something: perhaps to a module of theirs.
    sets: FxHashSet<String>,
}

impl<'a> World<'a> {
    /// Finds everything that can be reached from `roots`, wave by wave, whatever guards it: guards that depend on other
    /// modules are decided afterwards, when all of them are known.
    pub(super) fn discover(
        sources: &'a SourceSet,
        target: &'a Target,
        roots: impl IntoIterator<Item = String>,
    ) -> Result<Self, SourceError> {
        let codecs = codec_aliases(sources)?;
        let mut world = Self {
            sources,
            target,
            modules: FxHashMap::default(),
            names: Vec::new(),
            codecs,
            sets: FxHashSet::default(),
        };
        let mut wave = BTreeSet::new();
        for root in roots {
            with_parents(&root, &mut wave);
        }
        while !wave.is_empty() {
            let names: Vec<String> = wave.into_iter().collect();
            let found: Vec<Presence> = names
                .par_iter()
                .map(|name| world.locate(name))
                .collect::<Result<_, SourceError>>()?;
            let mut next = BTreeSet::new();
            for (name, presence) in names.iter().zip(&found) {
                world.wanted_by(name, presence, &mut next);
            }
            world.modules.extend(names.into_iter().zip(found));
            next.retain(|name| !world.modules.contains_key(name));
            wave = next;
        }
        world.names = world.modules.keys().cloned().collect();
        world.names.sort_unstable();
        let sets = world.modules.values().filter_map(Presence::facts);
        world.sets = sets.flat_map(|facts| facts.sets.iter().cloned()).collect();
        Ok(world)
    }

    pub(super) fn get(&self, name: &str) -> &Presence {
        self.modules.get(name).unwrap_or(&Presence::Absent)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Presence)> {
        self.names
            .iter()
            .map(|name| (name.as_str(), self.get(name)))
    }

    /// The module of the text encoding `name`, as `encodings.search_function` would find it.
    pub(super) fn codec(&self, name: &str) -> Option<String> {
        codec_module(&self.codecs, name)
    }

    /// Whether `name` is in the module `module` once that has run.
    pub(super) fn attribute(&self, module: &str, name: &str) -> Attribute {
        if name.starts_with("__") && name.ends_with("__") && DUNDER.contains(&name) {
            return Attribute::Always;
        }
        self.attribute_of(module, name, &mut Vec::new())
    }

    fn attribute_of<'n>(
        &'n self,
        module: &'n str,
        name: &str,
        seen: &mut Vec<&'n str>,
    ) -> Attribute {
        if seen.contains(&module) {
            return Attribute::Never;
        }
        let entry = match self.get(module) {
            Presence::Source(entry) => entry,
            Presence::Native => return self.native_attribute(module, name),
            Presence::Namespace => return Attribute::Never,
            Presence::Absent => return Attribute::Maybe,
        };
        let Ok(facts) = &entry.facts else {
            return Attribute::Maybe;
        };
        match facts.names.get(name) {
            Some(Bound::Always) => return Attribute::Always,
            Some(Bound::Maybe) => return Attribute::Maybe,
            None => {}
        }
        if !facts.stars.is_empty() {
            seen.push(module);
        }
        let is_set = entry.source.origin != Origin::Stdlib && self.sets.contains(name);
        let mut answer = if facts.open_names || is_set {
            Attribute::Maybe
        } else {
            Attribute::Never
        };
        for star in &facts.stars {
            let takes = self.get(star).facts().and_then(|from| from.exports(name));
            // Where the star stands is not known here, so that it only may bind.
            if takes != Some(false) && self.attribute_of(star, name, seen) != Attribute::Never {
                answer = Attribute::Maybe;
            }
        }
        answer
    }

    /// Without word from the engine: accelerator modules have what the library's own Python files import from them, being
    /// of the same version; modules that wrap the platform have what the platform has.
    fn native_attribute(&self, module: &str, name: &str) -> Attribute {
        match self.target.builtin_names.get(module) {
            Some(names) if names.contains(name) => Attribute::Always,
            Some(_) => Attribute::Never,
            None if module.starts_with('_')
                && !matches!(module, "_socket" | "_signal" | "_locale" | "_thread") =>
            {
                Attribute::Always
            }
            None => Attribute::Maybe,
        }
    }

    fn locate(&self, name: &str) -> Result<Presence, SourceError> {
        if self.target.builtin_modules.contains(name) || hidden_imports::is_import_system(name) {
            return Ok(Presence::Native);
        }
        if self.target.adds(name, self.sources)? {
            return Ok(Presence::Native);
        }
        let held = self.target.holds(name);
        // Submodules of a package that the engine has come from the engine's own folder.
        let in_held_package =
            prefixes(name).any(|prefix| prefix.len() < name.len() && self.target.holds(prefix));
        let found = if held || in_held_package {
            self.sources.find_stdlib(name)?
        } else {
            self.sources.find(name)?
        };
        Ok(match found {
            None if held => Presence::Native,
            None => Presence::Absent,
            Some(Found::Namespace) => Presence::Namespace,
            Some(Found::Module(mut source)) => {
                let original = Arc::clone(&source.text);
                if self.target.optimize && !held {
                    source.text = without_asserts(&source);
                }
                let (facts, definitions, lines) = match ParsedModule::parse(&source) {
                    Ok(parsed) => {
                        let names = ImportedNames::of(&parsed.syntax.body);
                        let facts = collect(&source, &parsed, &names, self.target);
                        let definitions = define(&source, &parsed, &names, self.target);
                        (Ok(Arc::new(facts)), definitions, parsed.lines)
                    }
                    Err(error) => (Err(error), Definitions::default(), Lines::of(&source.text)),
                };
                Presence::Source(Box::new(Entry {
                    source,
                    original,
                    facts,
                    held,
                    definitions,
                    lines,
                }))
            }
        })
    }

    /// Adds the names that importing `name` can lead to.
    fn wanted_by(&self, name: &str, presence: &Presence, wanted: &mut BTreeSet<String>) {
        match presence {
            Presence::Absent | Presence::Namespace => {}
            Presence::Native => {
                for (module, _, _) in hidden_imports::imports_of(name) {
                    with_parents(module, wanted);
                }
            }
            Presence::Source(entry) => {
                let Ok(facts) = &entry.facts else { return };
                self.wanted_in(&facts.steps, wanted);
                if entry.source.origin == Origin::Stdlib {
                    wanted.extend(
                        hidden_imports::computed_by(name)
                            .iter()
                            .map(|module| (*module).to_owned()),
                    );
                }
                if entry.source.is_package {
                    wanted.extend(facts.all.iter().map(|child| format!("{name}.{child}")));
                }
            }
        }
    }

    fn wanted_in(&self, steps: &[Step], wanted: &mut BTreeSet<String>) {
        for step in steps {
            match step {
                Step::Import(import) => match &import.request {
                    Request::Module(name)
                    | Request::Star(name)
                    | Request::Call(name)
                    | Request::Find(name) => {
                        with_parents(name, wanted);
                    }
                    Request::Name { module, name } => {
                        with_parents(module, wanted);
                        wanted.insert(format!("{module}.{name}"));
                    }
                    Request::Codec(name) => {
                        if let Some(module) = self.codec(name) {
                            with_parents(&module, wanted);
                        }
                    }
                    Request::Dynamic(_) | Request::Beyond(_) => {}
                },
                Step::Either(arms) => arms.iter().for_each(|arm| self.wanted_in(arm, wanted)),
                Step::Loop(body) | Step::Later(body) => self.wanted_in(body, wanted),
                Step::Try(step) => {
                    self.wanted_in(&step.body, wanted);
                    step.handlers
                        .iter()
                        .for_each(|handler| self.wanted_in(&handler.steps, wanted));
                    self.wanted_in(&step.orelse, wanted);
                    self.wanted_in(&step.finally, wanted);
                }
                Step::Stop(_) => {}
            }
        }
    }
}

/// The text of a module as `python -O` reads it: what only asserts use is not used.
///
/// An `assert` that binds a name stays. It counts as code that runs, which keeps too much and never too little; the compiler
/// leaves it out.
fn without_asserts(source: &ModuleSource) -> Arc<str> {
    if !["assert", "__debug__"]
        .iter()
        .any(|word| source.text.contains(word))
    {
        return Arc::clone(&source.text);
    }
    // What is not Python is left as it is, and parsing it says so.
    minify(&Task {
        text: &source.text,
        passes: &[Pass::Asserts],
    })
    .text
    .into()
}

/// How importing each module ends; a module that is not here ends well.
pub(super) type Statuses<'w> = FxHashMap<&'w str, Flow>;

/// Attributes that every module has.
const DUNDER: [&str; 8] = [
    "__dict__",
    "__doc__",
    "__file__",
    "__loader__",
    "__name__",
    "__package__",
    "__path__",
    "__spec__",
];

fn with_parents(name: &str, wanted: &mut BTreeSet<String>) {
    for prefix in prefixes(name) {
        // Most modules are wanted by many.
        if !wanted.contains(prefix) {
            wanted.insert(prefix.to_owned());
        }
    }
}

/// The alias table of the library's own `encodings.aliases`, read from its source.
fn codec_aliases(sources: &SourceSet) -> Result<BTreeMap<String, String>, SourceError> {
    let mut aliases = BTreeMap::new();
    let Some(Found::Module(source)) = sources.find_stdlib("encodings.aliases")? else {
        return Ok(aliases);
    };
    let Ok(parsed) = ParsedModule::parse(&source) else {
        return Ok(aliases);
    };
    for stmt in &parsed.syntax.body {
        let Stmt::Assign(assign) = stmt else { continue };
        let Expr::Dict(dict) = &*assign.value else {
            continue;
        };
        for item in &dict.items {
            if let (Some(Expr::StringLiteral(alias)), Expr::StringLiteral(codec)) =
                (&item.key, &item.value)
            {
                aliases.insert(
                    alias.value.to_str().to_owned(),
                    codec.value.to_str().to_owned(),
                );
            }
        }
    }
    Ok(aliases)
}

/// Normalises as `encodings.normalize_encoding` does and looks the alias up.
fn codec_module(aliases: &BTreeMap<String, String>, name: &str) -> Option<String> {
    let parts: Vec<&str> = name
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'))
        .filter(|part| !part.is_empty())
        .collect();
    let normal = parts.join("_").to_ascii_lowercase();
    if normal.is_empty() {
        return None;
    }
    let codec = aliases
        .get(&normal)
        .or_else(|| aliases.get(&normal.replace('.', "_")))
        .unwrap_or(&normal);
    (!codec.contains('.')).then(|| format!("encodings.{codec}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codec_names_are_normalised() {
        let aliases = BTreeMap::from([("latin1".to_owned(), "latin_1".to_owned())]);
        let module = |name| codec_module(&aliases, name);
        assert_eq!(module("Latin1").as_deref(), Some("encodings.latin_1"));
        assert_eq!(module("UTF-8-sig").as_deref(), Some("encodings.utf_8_sig"));
        assert_eq!(module("a.b"), None);
        assert_eq!(module("--"), None);
    }
}
