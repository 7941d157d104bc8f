//! Importing modules.

use ruff_text_size::TextSize;

use super::super::definitions::{Effect, UnitKind};
use super::super::evaluate::Goal;
use super::super::hidden_imports::{self, Trigger};
use super::super::steps::Request;
use super::super::world::Presence;
use super::super::{Certainty, Link, LinkKind, MissingKind};
use super::native::Awaited;
use super::symbols::Symbol;
use super::{Because, How, Item, ModuleId, Reach, Thing};
use crate::source::{Origin, prefixes};

impl Reach<'_> {
    pub(super) fn wait(&mut self, certainty: Certainty, link: Link, because: Because) {
        self.waiting
            .entry(certainty)
            .or_default()
            .push_back((link, because));
    }

    /// A module is used that nothing was seen to import: through its package, or by a name that is computed.
    pub(super) fn load_unseen(&mut self, id: ModuleId, certainty: Certainty, because: Because) {
        // The first way of a certainty is the one that counts; an error is told of all.
        let is_readable =
            !matches!(self.presence(id), Presence::Source(entry) if entry.facts.is_err());
        if !self.unseen.insert((id, certainty)) && is_readable {
            return;
        }
        let name = self.name(id);
        if self.reached.contains_key(name) {
            return;
        }
        let (importer, file, line) = self.place(because);
        // A submodule that its own package uses is not why that is imported.
        for prefix in prefixes(name).filter(|prefix| *prefix != importer) {
            let import = Link {
                from: importer.clone(),
                to: prefix.to_owned(),
                file: file.clone(),
                line,
                kind: if importer.is_empty() {
                    LinkKind::Interpreter
                } else {
                    // What is used of it is known by name.
                    LinkKind::Import
                },
                certainty,
            };
            self.wait(certainty, import, because);
        }
    }

    /// The module, file and line that a reason names.
    pub(in super::super) fn place(&self, because: Because) -> (String, String, u32) {
        let Some(thing) = because.from else {
            return (String::new(), String::new(), 0);
        };
        let id = thing.module();
        let Presence::Source(entry) = self.presence(id) else {
            return (self.name(id).to_owned(), String::new(), 0);
        };
        (
            self.name(id).to_owned(),
            entry.source.display_path.clone(),
            entry.lines.line(because.at),
        )
    }

    /// Imports what `link` leads to, unless a way at least as strong has.
    pub(super) fn load(&mut self, certainty: Certainty, link: Link, because: Because) {
        let by_value = matches!(
            link.kind,
            LinkKind::Call | LinkKind::Codec | LinkKind::Computed
        );
        // Whichever way came first: one of them gives the module itself.
        if by_value
            && self.reached.contains_key(&link.to)
            && let Some(id) = self.id(&link.to)
        {
            self.push(Item::Escape(id), because);
        }
        if self
            .reached
            .get(&link.to)
            .is_some_and(|known| *known <= certainty)
        {
            return;
        }
        let name = link.to.clone();
        if self.fails(&name) && certainty != Certainty::Certain && !self.is_own_name(&name) {
            self.excluded.entry(name).or_insert(link);
            return;
        }
        let Some(id) = self.id(&name) else {
            self.absent(certainty, link);
            return;
        };
        match self.presence(id) {
            Presence::Absent => {
                self.absent(certainty, link);
                return;
            }
            Presence::Source(entry) => {
                // Nobody writes a module of their own that is not meant to be Python.
                if let Err(error) = &entry.facts
                    && certainty != Certainty::Certain
                    && !(certainty == Certainty::InFunction && entry.source.origin == Origin::Node)
                {
                    let message = format!("{} (line {})", error.message, error.line);
                    self.missing
                        .push((certainty, link, MissingKind::NotPython(message)));
                    return;
                }
            }
            Presence::Native | Presence::Namespace => {}
        }
        self.excluded.remove(&name);
        let is_first = self.reached.insert(name.clone(), certainty).is_none();
        self.reasons.insert(name, link);
        self.because.entry(Thing::Module(id)).or_insert(because);
        if by_value {
            self.push(Item::Escape(id), because);
        }
        match self.presence(id) {
            Presence::Absent | Presence::Namespace => {}
            Presence::Native => self.load_native(id, certainty),
            Presence::Source(_) => self.load_source(id, certainty, is_first),
        }
    }

    fn absent(&mut self, certainty: Certainty, link: Link) {
        // The interpreter's own list names modules that a smaller library may not have.
        if link.kind == LinkKind::Node {
            self.missing.push((certainty, link, MissingKind::Module));
        }
    }

    fn load_native(&mut self, id: ModuleId, reached: Certainty) {
        let name = self.name(id);
        if self
            .world
            .target
            .packages
            .contains(prefixes(name).next().unwrap_or(name))
        {
            // Nobody can say here what a package asks of what it is given.
            self.keep_own_members(Because {
                from: Some(Thing::Module(id)),
                at: TextSize::default(),
                how: How::Native,
            });
        }
        if hidden_imports::pickles(name) {
            self.pickle(Because {
                from: Some(Thing::Module(id)),
                at: TextSize::default(),
                how: How::Native,
            });
        }
        for (to, certainty, trigger) in hidden_imports::imports_of(name) {
            match trigger {
                Trigger::Attribute(attribute) if !self.options.whole_modules => {
                    let symbol = self.symbols.number(attribute);
                    if let Some(to) = self.id(to) {
                        self.wait_for_use(id, symbol, Awaited::Import(to));
                    }
                    continue;
                }
                Trigger::Elsewhere if !self.options.whole_modules => continue,
                Trigger::Always
                | Trigger::Attribute(_)
                | Trigger::Name { .. }
                | Trigger::Elsewhere => {}
            }
            self.import_native(id, to, reached.max(*certainty), *certainty);
        }
    }

    pub(super) fn import_native(
        &mut self,
        id: ModuleId,
        to: &str,
        certainty: Certainty,
        of_link: Certainty,
    ) {
        let because = Because {
            from: Some(Thing::Module(id)),
            at: TextSize::default(),
            how: How::Native,
        };
        for prefix in prefixes(to) {
            let link = Link {
                from: self.name(id).to_owned(),
                to: prefix.to_owned(),
                file: String::new(),
                line: 0,
                kind: LinkKind::Native,
                certainty: of_link,
            };
            self.wait(certainty, link, because);
        }
        if let Some(to) = self.id(to) {
            self.push(Item::Escape(to), because);
        }
    }

    fn load_source(&mut self, id: ModuleId, certainty: Certainty, is_first: bool) {
        let name = self.name(id);
        let Some(module) = self.module(id) else {
            return;
        };
        module.loaded = Some(certainty);
        let entry = module.entry;
        let of_module = Because {
            from: Some(Thing::Module(id)),
            at: TextSize::default(),
            how: How::Effect,
        };
        if is_first {
            for (item, because) in self.held_back.remove(&id).unwrap_or_default() {
                self.push(item, because);
            }
            for because in self.peeked.remove(&id).unwrap_or_default() {
                self.take_peeked(id, because);
            }
            self.follow_loaded(id);
            if entry.source.origin == Origin::Stdlib {
                for to in hidden_imports::computed_by(name) {
                    let link = Link {
                        from: name.to_owned(),
                        to: (*to).to_owned(),
                        file: entry.source.display_path.clone(),
                        line: 0,
                        kind: LinkKind::Computed,
                        certainty: Certainty::InFunction,
                    };
                    self.wait(certainty.max(Certainty::InFunction), link, of_module);
                }
                if let Some(prefix) = hidden_imports::looks_for(name) {
                    self.reach_affix(prefix, "", of_module);
                }
                if let Some(asked) = hidden_imports::asks_modules_for(name) {
                    let asked = self.symbols.number(asked);
                    self.push(Item::Attribute(asked), of_module);
                }
                if let Some(whole) =
                    hidden_imports::taken_whole(name).and_then(|name| self.id(name))
                {
                    self.push(Item::Whole(whole), of_module);
                }
                if name == "asyncio"
                    && let Some(guest) = self.id("_rm_loop")
                {
                    self.push(Item::Load(guest, certainty), of_module);
                    self.push(Item::Whole(guest), of_module);
                }
            }
            if self.options.whole_modules {
                self.push(Item::Whole(id), of_module);
            }
            let of_guest = Because {
                how: How::Engine,
                ..of_module
            };
            for taken in hidden_imports::names_for_engine(name) {
                let taken = self.symbols.number(taken);
                self.push(Item::Name(id, taken), of_guest);
            }
            if let Some((taken, from, used)) = hidden_imports::asked_for_once_used(name)
                && let Some(from) = self.id(from)
            {
                let taken = self.symbols.number(taken);
                for used in used {
                    let used = self.symbols.number(used);
                    self.wait_for_use(from, used, Awaited::Name(id, taken));
                }
            }
            for name in self.guest_names.remove(&id).unwrap_or_default() {
                self.push(Item::Name(id, name), of_guest);
            }
            self.run_module(id, of_module);
        }
        self.follow_live_edges(id);
        self.blame(id, certainty);
    }

    /// The pieces of a module that run whenever it is imported.
    fn run_module(&mut self, id: ModuleId, because: Because) {
        let Some(module) = self.module(id) else {
            return;
        };
        let definitions = module.definitions();
        let held = module.is_held();
        // Booting ran these: what they imported is there, and only what is used of them is followed any further.
        let has_run = self.world.target.boot_modules.contains(self.name(id));
        for (number, frame) in definitions.frames.iter().enumerate() {
            if frame.effect != Effect::None {
                self.use_frame(id, number);
            }
        }
        for (number, unit) in (0..).zip(&definitions.units) {
            if unit.is_pickle_registration && self.wait_for_pickling(id, number) {
                continue;
            }
            let has_effect = unit.effect != Effect::None || self.is_noticed(unit);
            let runs = match &unit.kind {
                UnitKind::Function => has_effect,
                UnitKind::Class { .. } => has_effect || self.registers(id, number),
                UnitKind::Import { request, .. } => {
                    (held && !has_run)
                        || has_effect
                        || (!held && self.import_matters(id, number, request))
                }
                UnitKind::Assignment | UnitKind::Delete => has_effect || (held && !has_run),
                UnitKind::Other => {
                    has_effect
                        || (!has_run && (held || unit.registers_subclass))
                        || self.leads_to_effects(id, number)
                }
            };
            let because = Because {
                at: unit.range.start(),
                ..because
            };
            if runs {
                self.push(Item::Unit(id, number), because);
            } else if held && !has_run && unit.kind != UnitKind::Function {
                // It stays in the engine's own text, and runs; nobody may use what it defines.
                self.follow_edges(id, Thing::Unit(id, number));
            } else if let UnitKind::Import { .. } = &unit.kind {
                self.offer_submodule(id, number);
            }
        }
    }

    /// `copyreg.pickle(type, function)` matters to those who read its table. Whether the unit has to wait.
    fn wait_for_pickling(&mut self, id: ModuleId, unit: u32) -> bool {
        if self.id("copyreg").is_none() || self.pickling.reads_table {
            return false;
        }
        self.pickling.registrations.push((id, unit));
        true
    }

    /// `name` of the module `id` is used: is it the table that pickling reads?
    pub(super) fn notice_reader(&mut self, id: ModuleId, name: Symbol, because: Because) {
        // What `copyreg` does with its own table is to write to it.
        let by_itself = because.from.is_some_and(|from| from.module() == id);
        if self.pickling.reads_table
            || by_itself
            || self.symbols.text(name) != "dispatch_table"
            || self.name(id) != "copyreg"
        {
            return;
        }
        self.pickling.reads_table = true;
        for (module, unit) in std::mem::take(&mut self.pickling.registrations) {
            self.push(Item::Unit(module, unit), because);
        }
    }

    fn import_matters(&mut self, id: ModuleId, unit: u32, request: &Request) -> bool {
        if let Request::Star(from) = request
            && self
                .id(from)
                .is_some_and(|from| matches!(self.presence(from), Presence::Native))
        {
            // It replaces what the module defines itself, and costs nothing.
            return true;
        }
        self.leads_to_effects(id, unit) || self.comes_before_changes(id, unit)
    }

    /// Whether an import of one of the application's modules stands above something that changes other modules: what is
    /// imported may read it before.
    fn comes_before_changes(&self, id: ModuleId, unit: u32) -> bool {
        if !self.effects.changing.contains(&id) {
            return false;
        }
        let units = &self.modules[id].definitions().units;
        let changes_later = units[unit as usize + 1..]
            .iter()
            .any(|later| later.effect == Effect::Anything);
        changes_later
            && self
                .edges_of_unit(id, unit)
                .iter()
                .any(|edge| match &edge.goal {
                    Goal::Module(to) => self.id(to).is_some_and(|to| self.is_own(to)),
                    Goal::Missing { .. } | Goal::Dynamic(_) => false,
                })
    }

    fn leads_to_effects(&mut self, id: ModuleId, unit: u32) -> bool {
        let goals: Vec<String> = self
            .edges_of_unit(id, unit)
            .into_iter()
            .filter(|edge| edge.certainty != Certainty::InFunction)
            .filter_map(|edge| match edge.goal {
                Goal::Module(to) => Some(to),
                Goal::Missing { .. } | Goal::Dynamic(_) => None,
            })
            .collect();
        goals
            .iter()
            .filter_map(|to| self.id(to))
            .any(|to| self.effects.matter.contains(&to))
    }

    /// `import a.b` also makes `b` an attribute of `a`, which others may use.
    fn offer_submodule(&mut self, id: ModuleId, unit: u32) {
        for edge in self.edges_of_unit(id, unit) {
            if let Goal::Module(to) = edge.goal
                && to.contains('.')
                && let Some(to) = self.id(&to)
            {
                if self.submodules.contains(&to) {
                    let because = Because {
                        from: Some(Thing::Module(id)),
                        at: TextSize::default(),
                        how: How::Attribute,
                    };
                    self.push(Item::Unit(id, unit), because);
                } else {
                    self.submodule_imports
                        .entry(to)
                        .or_default()
                        .push((id, unit));
                }
            }
        }
    }

    pub(super) fn reach_submodule(&mut self, id: ModuleId, because: Because) {
        if !self.submodules.insert(id) {
            return;
        }
        for (module, unit) in self.submodule_imports.remove(&id).unwrap_or_default() {
            self.push(Item::Unit(module, unit), because);
        }
    }

    pub(super) fn reach_whole(&mut self, id: ModuleId, because: Because) {
        let Some(module) = self.module(id) else {
            // The library looks there for names that its own texts spell, or that it was given.
            if because.from.is_some_and(|from| self.is_own(from.module())) {
                self.use_whole_native(id);
            }
            return;
        };
        if std::mem::replace(&mut module.is_whole, true) {
            return;
        }
        let definitions = module.definitions();
        self.notice_value(Some(id));
        let because = Because {
            how: if because.how == How::Effect {
                How::Whole
            } else {
                because.how
            },
            ..because
        };
        for frame in 0..definitions.frames.len() {
            self.use_frame(id, frame);
        }
        // Text that is run there may use whatever it has imported.
        if !self.options.whole_modules {
            let names: Vec<_> = definitions
                .units
                .iter()
                .flat_map(|unit| unit.imports.iter().map(|(name, _, _)| *name))
                .collect();
            for name in names {
                let name = self.modules[id].symbols[name.0 as usize];
                for module in &self.binding(id, name).modules {
                    let module = *module;
                    self.push(Item::Escape(module), because);
                }
            }
        }
        for (number, unit) in (0..).zip(&definitions.units) {
            self.push(Item::Unit(id, number), because);
            // One that was reached for some names takes everything from now on.
            self.take_all(id, number, unit, Thing::Unit(id, number));
            for (member, _) in (0..).zip(&unit.members) {
                self.push(Item::Member(id, number, member), because);
            }
            for (part, _) in (0..).zip(&unit.lazy) {
                self.push(Item::Lazy(id, number, part), because);
            }
        }
    }

    /// Whether a function imports a module only to show lines of texts that are not there.
    pub(super) fn only_shows_lines(&self, thing: Thing, module: &str) -> bool {
        !self.world.target.has_texts
            && self.of_library(thing).is_some_and(|(user, function)| {
                hidden_imports::imported_for_texts(user, function) == Some(module)
            })
    }

    /// The class of which a function makes an object once something is used: a module, and a name of it.
    pub(super) fn makes_once_used(
        &self,
        thing: Thing,
    ) -> Option<(&'static str, ModuleId, &'static str)> {
        let (module, function) = self.of_library(thing)?;
        let (class, from, name) = hidden_imports::made_once_used(module, function)?;
        Some((class, self.id(from)?, name))
    }

    /// The module and the name of a function of the library.
    fn of_library(&self, thing: Thing) -> Option<(&str, &str)> {
        let Thing::Unit(id, number) = thing else {
            return None;
        };
        let definitions = self.modules.get(id)?.definitions();
        let unit = &definitions.units[number as usize];
        if unit.kind != UnitKind::Function || self.is_own(id) {
            return None;
        }
        let name = unit.defines.first()?;
        Some((self.name(id), definitions.text(*name)))
    }

    /// A module that fails although no import of its own is to blame raises the error itself.
    fn blame(&mut self, id: ModuleId, reached: Certainty) {
        let name = self.name(id);
        if reached != Certainty::Certain || !self.fails(name) {
            return;
        }
        let Some(module) = self.modules.get(id) else {
            return;
        };
        let blamed = module.found.edges.iter().any(|edge| {
            edge.certainty == Certainty::Certain
                && match &edge.goal {
                    Goal::Module(to) => self.fails(to),
                    Goal::Missing { .. } => !module.entry.held,
                    Goal::Dynamic(_) => false,
                }
        });
        if !blamed && let Some(reason) = self.reasons.get(name) {
            self.missing
                .push((reached, reason.clone(), MissingKind::Refuses));
        }
    }
}

impl Thing {
    /// The module it is in.
    pub(in super::super) fn module(self) -> ModuleId {
        match self {
            Self::Module(id) | Self::Unit(id, _) | Self::Member(id, _, _) => id,
        }
    }
}
