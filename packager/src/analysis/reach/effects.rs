//! Which imports matter although nobody uses what they bind.

use super::super::Certainty;
use super::super::definitions::{Base, Effect, Unit, UnitKind, Witness};
use super::super::evaluate::Goal;
use super::super::world::{Entry, Presence};
use super::{ModuleId, Reach};
use crate::source::Origin;
use rustc_hash::{FxHashMap, FxHashSet};

/// Modules of the standard library whose import a program can notice that does not use them.
const EFFECTFUL_STDLIB: [&str; 6] = [
    "__hello__",
    "__phello__",
    "antigravity",
    "rlcompleter",
    "sitecustomize",
    "this",
];

/// What importing modules does that others can see.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// Modules whose import changes something that does not belong to them, by themselves or through what they import.
    pub(super) matter: FxHashSet<ModuleId>,
    /// Those that do so by themselves.
    pub(super) changing: FxHashSet<ModuleId>,
    /// What notices pieces that have no effect otherwise.
    pub(super) witnesses: Vec<Witness>,
}

impl Reach<'_> {
    /// Finds the effects of all modules there are.
    pub(super) fn find_effects(&mut self) {
        let mut effectful = FxHashSet::default();
        let mut importers: FxHashMap<ModuleId, Vec<ModuleId>> = FxHashMap::default();
        let asks_for_subclasses = self.own_spells("__subclasses__");
        self.effects.witnesses = Witness::ALL
            .into_iter()
            .filter(|witness| witness.names().iter().any(|name| self.own_spells(name)))
            .collect();
        let asked_for = self.own_peeks();
        let count = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        for id in (0..count).map(ModuleId) {
            if EFFECTFUL_STDLIB.contains(&self.name(id)) || asked_for.contains(self.name(id)) {
                effectful.insert(id);
            }
            let Presence::Source(entry) = self.presence(id) else {
                continue;
            };
            if entry.source.origin == Origin::Stdlib || self.fails(self.name(id)) {
                continue;
            }
            let Some(module) = self.module(id) else {
                continue;
            };
            let imports: Vec<String> = module
                .found
                .edges
                .iter()
                .filter(|edge| edge.certainty != Certainty::InFunction)
                .filter_map(|edge| match &edge.goal {
                    Goal::Module(to) => Some(to.clone()),
                    Goal::Missing { .. } | Goal::Dynamic(_) => None,
                })
                .collect();
            for to in imports {
                if let Some(to) = self.id(&to) {
                    importers.entry(to).or_default().push(id);
                }
            }
            let units = &entry.definitions.units;
            let by_itself = units.iter().any(|unit| unit.effect == Effect::Anything)
                || entry
                    .definitions
                    .frames
                    .iter()
                    .any(|frame| frame.effect == Effect::Anything);
            let adds_subclasses = asks_for_subclasses
                && units
                    .iter()
                    .any(|unit| unit.bases.iter().any(|base| *base != Base::Plain));
            if by_itself {
                self.effects.changing.insert(id);
            }
            if by_itself
                || adds_subclasses
                || units.iter().any(|unit| self.is_noticed(unit))
                || (0..)
                    .zip(units)
                    .any(|(number, _)| self.registers(id, number))
            {
                effectful.insert(id);
            }
        }
        let mut todo: Vec<ModuleId> = effectful.iter().copied().collect();
        while let Some(id) = todo.pop() {
            for importer in importers.get(&id).into_iter().flatten() {
                if effectful.insert(*importer) {
                    todo.push(*importer);
                }
            }
        }
        self.effects.matter = effectful;
    }

    /// The modules of the application that there are, imported or not.
    fn own_entries(&self) -> impl Iterator<Item = &Entry> {
        self.world
            .iter()
            .filter_map(|(_, presence)| match presence {
                Presence::Source(entry) if entry.source.origin != Origin::Stdlib => Some(&**entry),
                Presence::Source(_) | Presence::Absent | Presence::Native | Presence::Namespace => {
                    None
                }
            })
    }

    /// Whether a module of the application has a name, anywhere in its text.
    fn own_spells(&self, name: &str) -> bool {
        self.own_entries()
            .any(|entry| entry.definitions.texts().any(|text| text == name))
    }

    /// Whether something in the application can notice that a piece ran, although it does nothing to what others have.
    pub(super) fn is_noticed(&self, unit: &Unit) -> bool {
        let mut by = unit.noticed_by.iter();
        by.any(|witness| self.effects.witnesses.contains(witness))
    }

    /// The modules that the application looks for in `sys.modules`.
    fn own_peeks(&self) -> FxHashSet<String> {
        let mut peeked = FxHashSet::default();
        for entry in self.own_entries() {
            let definitions = &entry.definitions;
            let uses = definitions.units.iter().flat_map(Unit::all_uses);
            peeked.extend(
                uses.flat_map(|uses| &uses.peeked)
                    .map(|(name, _)| definitions.text(*name).to_owned()),
            );
        }
        peeked
    }

    /// Whether unit `unit` is a class whose bases are told of their subclasses.
    pub(super) fn registers(&mut self, id: ModuleId, unit: u32) -> bool {
        let Presence::Source(entry) = self.presence(id) else {
            return false;
        };
        let unit = &entry.definitions.units[unit as usize];
        matches!(unit.kind, UnitKind::Class { .. })
            && !unit.bases.is_empty()
            && self.bases_hook(id, &unit.bases)
    }

    pub(super) fn fails(&self, module: &str) -> bool {
        self.statuses.get(module).is_some_and(|flow| flow.fails())
    }
}
