//! The metafile: everything that is known about what went into a bundle, what did not, and why.
//!
//! It is one JSON document, the same for the same inputs, without paths of the machine, with a module or a definition on
//! a line. Its fields are those of [`Metafile`] and of the types in it. Two rules keep it small:
//!
//! - Things refer to each other by number: a [`Place`] is `[module]` or `[module, definition]`, counted from 0 in the order of
//!   [`Metafile::modules`] and of [`Module::definitions`].
//! - What has a `because` is in the bundle; what has none was removed. There is no second field that could say otherwise.
//!
//! Following `because` from place to place always ends at a node, the interpreter, a setting or a trace:
//! [`Metafile::chain`]. Reading checks that, so that nothing that works on a metafile has to.

mod check;
mod error;
mod file;
mod reason;

use std::collections::BTreeMap;

use rm_runtime::bundle::Description;
use rm_runtime::digest::Digest;
use serde::{Deserialize, Serialize};

pub use error::MetafileError;
pub use reason::{Because, Link, LinkKind, Place, When};

/// The version of the format described here; a reader refuses every other.
pub const SCHEMA: u32 = 1;

/// Everything that is known about what went into a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metafile {
    /// [`SCHEMA`]
    pub schema: u32,
    /// The bundle's content hash.
    pub content: Digest,
    /// The bundle's own description, `bundle.json`: name, target, packer, engine, nodes, manifest, digests of its entries.
    pub bundle: Description,
    /// Sums over all modules.
    pub totals: Totals,
    /// The modules, in the order of their names, each name once.
    pub modules: Vec<Module>,
    /// Places where the code does what reading it cannot tell, in the order of modules and lines.
    pub opaque: Vec<Opaque>,
    /// What else somebody who packs should know, in the order in which it was noticed.
    pub notes: Vec<String>,
}

/// Sums over all modules but those of the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Bytes of source text.
    pub source: BeforeAndKept,
    /// Bytes of code objects in the bundle, before compression.
    pub code: u64,
    /// How many modules.
    pub modules: KeptAndRemoved,
    /// How many definitions.
    pub definitions: KeptAndRemoved,
}

/// Bytes of source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeforeAndKept {
    /// As it was written.
    pub before: u64,
    /// What of it was compiled for the bundle.
    pub kept: u64,
}

/// How many are in the bundle, and how many are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAndRemoved {
    /// In the bundle.
    pub kept: u64,
    /// Not in the bundle.
    pub removed: u64,
}

/// One Python module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// The dotted name.
    pub name: String,
    /// The path below its root, with forward slashes; empty where there is no file.
    pub file: String,
    /// Where it came from.
    pub origin: Origin,
    /// Imported when the bundle was packed; otherwise carried as code until it is imported.
    #[serde(default, skip_serializing_if = "is_false")]
    pub loaded: bool,
    /// Bytes of its source text; 0 in modules of the engine.
    pub source: BeforeAndKept,
    /// Bytes of its code object in the bundle, before compression; 0 in modules of the engine and namespace packages.
    pub code: u64,
    /// What brought it into the bundle; absent when it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
    /// What asked for it although it is not in the bundle: it is certain to raise `ImportError` on the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Because>,
    /// Why all its definitions were kept; absent when each was decided on its own, or none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Whole>,
    /// Its definitions, in the order of their lines, then of their names; empty when they were not looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub definitions: Vec<Definition>,
}

/// Where a module came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A source folder of the user's.
    Node,
    /// The packer's own `remotemedia` package.
    Package,
    /// The standard library.
    Stdlib,
    /// The engine, which has it already: written in C, or needed to boot. It takes no room in the bundle.
    Engine,
    /// A package that comes with Pyodide, which the page has beside the bundle.
    Pyodide,
}

impl Origin {
    /// Whether it takes room in a bundle.
    pub(in crate::report) fn is_packed(self) -> bool {
        !matches!(self, Self::Engine | Self::Pyodide)
    }
}

/// Why a module was kept whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// The line that makes it so, from 1; 0 where it is no line of the module.
    pub line: u32,
    /// What is done there, such as "calls `globals()`".
    pub reason: String,
}

/// A function, class, method, assignment or import of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The name inside the module, such as `JSONDecoder.decode`. The same name may be defined more than once.
    pub name: String,
    /// What it is.
    pub kind: DefinitionKind,
    /// The first line, decorators included, from 1.
    pub line: u32,
    /// The last line.
    pub end_line: u32,
    /// Bytes of its source text, without those of definitions in it that are listed themselves: the methods of a class
    /// count once.
    pub bytes: u64,
    /// What brought it into the bundle; absent when it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
}

/// What a definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DefinitionKind {
    /// A function of the module.
    Function,
    /// A class.
    Class,
    /// A function of a class.
    Method,
    /// Names that a statement gives values to.
    Assignment,
    /// Names that an import binds.
    Import,
}

/// A place where the code does what reading it cannot tell: `exec`, an import of a computed name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Opaque {
    /// The module's dotted name.
    pub module: String,
    /// Its file, below its root.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What is done there.
    pub what: String,
}

impl Metafile {
    /// A metafile of modules in any order, without links between them: those are set afterwards, when every module and
    /// definition has its number, and [`finish`](Self::finish) ends it.
    ///
    /// ```
    /// # use rm_pack::report::metafile::{Because, Metafile, Module, Origin, Totals};
    /// # fn example(bundle: rm_runtime::bundle::Bundle, modules: Vec<Module>) -> Metafile {
    /// let mut metafile = Metafile::begin(bundle.content(), bundle.description().clone(), modules);
    /// let numbers = metafile.numbers();
    /// if let Some(&number) = numbers.get("shout") {
    ///     metafile.modules[number].because = Some(Because::Node("Shout".to_owned()));
    /// }
    /// metafile.finish().expect("links lead to nodes")
    /// # }
    /// ```
    pub fn begin(content: Digest, bundle: Description, mut modules: Vec<Module>) -> Self {
        modules.sort_by(|left, right| left.name.cmp(&right.name));
        for module in &mut modules {
            module.definitions.sort_by(|left, right| {
                (left.line, &left.name, left.kind).cmp(&(right.line, &right.name, right.kind))
            });
        }
        Self {
            schema: SCHEMA,
            content,
            bundle,
            totals: Totals::default(),
            modules,
            opaque: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The number of each module, by name.
    pub fn numbers(&self) -> BTreeMap<String, usize> {
        let names = self.modules.iter().map(|module| module.name.clone());
        names.zip(0..).collect()
    }

    /// Sorts the opaque places, adds up the totals, and checks all that reading a metafile checks.
    ///
    /// # Errors
    ///
    /// What does not fit together, with its place: a fault of whoever filled it in.
    pub fn finish(mut self) -> Result<Self, String> {
        self.opaque.sort();
        self.opaque.dedup();
        self.totals = Totals::of(&self.modules);
        check::check(&self)?;
        Ok(self)
    }

    /// The way into the bundle: what brought in `place`, what brought in that, and so on to a root. Empty for what was
    /// removed.
    pub fn chain(&self, place: Place) -> Vec<(Place, &Because)> {
        let mut chain = Vec::new();
        let mut at = Some(place);
        while let Some(place) = at {
            let Some(because) = self.because(place) else {
                break;
            };
            chain.push((place, because));
            at = because.from();
        }
        chain
    }

    /// What brought a module or a definition into the bundle; `None` for what was removed and for a place that is none.
    pub fn because(&self, place: Place) -> Option<&Because> {
        let module = self.modules.get(place.module)?;
        match place.definition {
            None => module.because.as_ref(),
            Some(number) => module.definitions.get(number)?.because.as_ref(),
        }
    }

    /// The dotted name of a module or a definition, such as `json.decoder.JSONDecoder.decode`.
    ///
    /// # Panics
    ///
    /// It is no place of this metafile.
    pub fn name(&self, place: Place) -> String {
        let module = &self.modules[place.module];
        match place.definition {
            None => module.name.clone(),
            Some(number) => format!("{}.{}", module.name, module.definitions[number].name),
        }
    }
}

impl Totals {
    fn of(modules: &[Module]) -> Self {
        let mut totals = Self::default();
        for module in modules {
            for definition in &module.definitions {
                totals.definitions.add(definition.because.is_some());
            }
            if !module.origin.is_packed() {
                continue;
            }
            // A file that says too much must not end the program.
            let add = |sum: &mut u64, bytes: u64| *sum = sum.saturating_add(bytes);
            add(&mut totals.source.before, module.source.before);
            add(&mut totals.source.kept, module.source.kept);
            add(&mut totals.code, module.code);
            totals.modules.add(module.because.is_some());
        }
        totals
    }
}

impl KeptAndRemoved {
    fn add(&mut self, kept: bool) {
        if kept {
            self.kept += 1;
        } else {
            self.removed += 1;
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests;
