//! What is kept of the application, its packages included, because it may find it by names that are not in its text.

use std::collections::BTreeSet;

use ruff_text_size::TextSize;
use rustc_hash::FxHashMap;

use super::super::Certainty;
use super::super::closure::UnusedImport;
use super::super::definitions::{UnitKind, Uses};
use super::super::evaluate::{Edge, Goal};
use super::super::world::Presence;
use super::modules::Module;
use super::symbols::Symbol;
use super::{Because, How, Item, ModuleId, Reach, Thing};
use crate::source::Origin;

/// What the application does to things of its own that its text does not name, each with where it does so first.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// Methods of its classes, until something takes attributes of unknown names there.
    pub(super) members: Vec<Thing>,
    /// It takes such attributes.
    pub(super) everything: Option<Because>,
    /// It takes modules by names that are not in its text.
    pub(super) modules: Option<Because>,
    /// It asks classes for their subclasses.
    pub(super) classes: Option<Because>,
    /// It takes namespaces of functions and frames: its modules stay whole.
    pub(super) globals: Option<Because>,
    /// It goes through all modules, those of the library too.
    pub(super) all_modules: Option<Because>,
    /// It runs text.
    pub(super) runs_text: Option<Because>,
    /// What its texts spell, until it does.
    pub(super) words: Vec<(Symbol, Thing, TextSize)>,
    /// What text that is run may spell.
    pub(super) run_words: FxHashMap<Symbol, Because>,
}

impl Reach<'_> {
    /// Whether a module is the application's, its packages included.
    pub(super) fn is_own(&self, id: ModuleId) -> bool {
        matches!(self.presence(id), Presence::Source(entry) if entry.source.origin != Origin::Stdlib)
    }

    /// The same for a module's name.
    pub(super) fn is_own_name(&self, name: &str) -> bool {
        self.id(name).is_some_and(|id| self.is_own(id))
    }

    /// The application's modules that are imported.
    fn own_modules(&self) -> Vec<ModuleId> {
        let loaded = self.modules.loaded();
        loaded.filter(|id| self.is_own(*id)).collect()
    }

    /// The application takes or imports modules by names that are not in its text: any of its own may be meant, and any that it
    /// imports itself, whether or not somebody seems to use what the import binds.
    pub(super) fn take_any_module(&mut self, because: Because) {
        if self.own.modules.is_some() {
            return;
        }
        self.own.modules = Some(because);
        let own = self.own_modules();
        for module in &own {
            self.push(Item::Escape(*module), because);
        }
        self.notice_value(None);
        for module in own {
            self.keep_imports(module);
        }
    }

    /// The imports at the top level of a module of the application stay, but for those that could only fail.
    fn keep_imports(&mut self, id: ModuleId) {
        let Some(module) = self.modules.get(id) else {
            return;
        };
        for (number, unit) in (0..).zip(&module.definitions().units) {
            if let UnitKind::Import { .. } = unit.kind {
                if self
                    .edges_of_unit(id, number)
                    .iter()
                    .any(|edge| self.only_fails(edge))
                {
                    continue;
                }
                let because = Because {
                    from: Some(Thing::Module(id)),
                    at: unit.range.start(),
                    how: How::Effect,
                };
                self.push(Item::Unit(id, number), because);
                for name in &unit.defines {
                    let name = self.symbol(id, *name);
                    for module in &self.binding(id, name).modules {
                        self.push(Item::Escape(*module), because);
                    }
                }
            }
        }
    }

    /// The application takes attributes by names that are not in its text: its own classes stay whole, and those of its
    /// modules that are handed around.
    pub(super) fn keep_own_members(&mut self, because: Because) {
        if self.own.everything.is_some() {
            return;
        }
        self.own.everything = Some(because);
        for thing in std::mem::take(&mut self.own.members) {
            if let Thing::Member(module, unit, member) = thing {
                self.push(Item::Member(module, unit, member), because);
            }
        }
        let escaped: BTreeSet<ModuleId> = self.escaped.iter().copied().collect();
        for module in escaped {
            if self.is_own(module) {
                self.push(Item::Whole(module), because);
            }
        }
    }

    /// The application asks classes for their subclasses: it may mean any of its own.
    pub(super) fn keep_own_classes(&mut self, because: Because) {
        if self.own.classes.is_some() {
            return;
        }
        self.own.classes = Some(because);
        for module in self.own_modules() {
            self.reach_classes(module, because);
        }
    }

    /// The application takes namespaces of functions and frames, which may be those of any module of its own.
    pub(super) fn keep_own_globals(&mut self, because: Because) {
        if self.own.globals.is_some() {
            return;
        }
        self.own.globals = Some(because);
        for module in self.own_modules() {
            self.push(Item::Whole(module), because);
        }
    }

    pub(super) fn reach_classes(&mut self, id: ModuleId, because: Because) {
        let Some(module) = self.modules.get(id) else {
            return;
        };
        for (number, unit) in (0..).zip(&module.definitions().units) {
            if let UnitKind::Class { .. } = unit.kind {
                self.push(Item::Unit(id, number), because);
            }
        }
    }

    /// The application goes through all modules there are, those of the library too: none is touched.
    pub(super) fn keep_every_module(&mut self, because: Because) {
        if self.own.all_modules.is_some() || self.options.whole_modules {
            return;
        }
        self.own.all_modules = Some(because);
        let loaded: Vec<ModuleId> = self.modules.loaded().collect();
        for module in loaded {
            self.push(Item::Whole(module), because);
        }
    }

    /// The application runs text that it may have put together anywhere.
    pub(super) fn run_text(&mut self, because: Because) {
        if self.own.runs_text.is_some() || self.options.whole_modules {
            return;
        }
        self.own.runs_text = Some(because);
        for (word, thing, at) in std::mem::take(&mut self.own.words) {
            self.run_word(word, thing, at);
        }
    }

    /// Texts of the application: what they spell counts once text is run.
    pub(super) fn follow_words(&mut self, id: ModuleId, thing: Thing, uses: &Uses) {
        for (word, at) in &uses.words {
            let word = self.symbol(id, *word);
            if self.own.runs_text.is_some() {
                self.run_word(word, thing, *at);
            } else {
                self.own.words.push((word, thing, *at));
            }
        }
    }

    fn run_word(&mut self, word: Symbol, thing: Thing, at: TextSize) {
        let because = Because {
            from: Some(thing),
            at,
            how: How::Text,
        };
        self.push(Item::Attribute(word), because);
        // A module that is there can be imported by what is run.
        if self.own.run_words.insert(word, because).is_none()
            && let Some(module) = self.id(self.symbols.text(word))
            && self
                .modules
                .get(module)
                .is_some_and(|module| module.loaded.is_some())
        {
            self.push(Item::Escape(module), because);
        }
    }

    /// The application's imports that would fail, and that nothing needs.
    pub(in super::super) fn unused_failures(&self) -> Vec<UnusedImport> {
        let mut unused = BTreeSet::new();
        for id in self.own_modules() {
            for (number, unit) in (0..).zip(&self.modules[id].definitions().units) {
                let is_import = matches!(unit.kind, UnitKind::Import { .. });
                if !is_import || self.is_live(Thing::Unit(id, number)) {
                    continue;
                }
                for edge in self.edges_of_unit(id, number) {
                    let name = match edge.goal {
                        Goal::Missing { name, .. } => name,
                        Goal::Module(to) if self.fails(&to) || self.is_unreadable(&to) => to,
                        Goal::Module(_) | Goal::Dynamic(_) => continue,
                    };
                    if edge.certainty == Certainty::Certain {
                        unused.insert(UnusedImport {
                            importer: self.name(id).to_owned(),
                            line: edge.line,
                            name,
                        });
                    }
                }
            }
        }
        unused.into_iter().collect()
    }

    /// Whether an import is certain to fail, whatever is left out.
    fn only_fails(&self, edge: &Edge) -> bool {
        edge.certainty == Certainty::Certain
            && match &edge.goal {
                Goal::Missing { .. } => true,
                Goal::Module(to) => self.fails(to) && !self.is_own_name(to),
                Goal::Dynamic(_) => false,
            }
    }

    fn is_unreadable(&self, module: &str) -> bool {
        matches!(self.world.get(module), Presence::Source(entry) if entry.facts.is_err())
    }

    /// A module was imported: what does the application do to all of them?
    pub(super) fn follow_loaded(&mut self, id: ModuleId) {
        if let Some(because) = self.own.all_modules {
            self.push(Item::Whole(id), because);
        }
        let word = self.symbols.number(self.names[id.0 as usize]);
        if let Some(because) = self.own.run_words.get(&word).copied() {
            self.push(Item::Escape(id), because);
        }
        if !self.is_own(id) {
            return;
        }
        if let Some(because) = self.own.modules {
            self.keep_imports(id);
            self.push(Item::Escape(id), because);
        }
        if let Some(because) = self.own.classes {
            self.reach_classes(id, because);
        }
        if let Some(because) = self.own.globals {
            self.push(Item::Whole(id), because);
        }
    }
}

impl Module<'_> {
    /// Whether the module's own text is the engine's, which is not changed.
    pub(super) fn is_held(&self) -> bool {
        self.entry.held
    }

    /// Whether it is the application's, or a package's that came with it.
    pub(super) fn is_own(&self) -> bool {
        self.entry.source.origin != Origin::Stdlib
    }
}
