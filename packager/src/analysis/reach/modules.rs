//! The modules at work, each prepared when it is first asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Index;

use ruff_text_size::TextSize;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::super::Certainty;
use super::super::definitions::{Definitions, Unit};
use super::super::evaluate::{self, Found};
use super::super::world::{Entry, Presence};
use super::edges::{Assigned, PartEdges, assign_edges};
use super::symbols::Symbol;
use super::{ModuleId, Reach, Thing};

/// Pieces of a module: few, nearly always.
pub(super) type UnitNumbers = SmallVec<[u32; 4]>;

/// A module at work.
pub(super) struct Module<'w> {
    pub(super) entry: &'w Entry,
    pub(super) found: Found,
    /// The symbol of each name.
    pub(super) symbols: Vec<Symbol>,
    pub(super) by_name: FxHashMap<Symbol, UnitNumbers>,
    pub(super) stars: UnitNumbers,
    /// For each unit the places of its edges among those found.
    pub(super) edges: Vec<Vec<usize>>,
    /// For each unit and member the places of its edges.
    pub(super) member_edges: PartEdges,
    /// For each unit and lazy part the places of its edges.
    pub(super) lazy_edges: PartEdges,
    pub(super) live_lazy: BTreeSet<(u32, u32)>,
    pub(super) loaded: Option<Certainty>,
    pub(super) is_whole: bool,
    /// Somewhere in it the attribute of an object is taken by a computed name.
    pub(super) by_computed_name: bool,
    pub(super) affixes: Vec<(Box<str>, Box<str>, Thing, TextSize)>,
    /// Strings that count once that happens.
    pub(super) strings: Vec<(Symbol, Thing, TextSize)>,
    pub(super) live_frames: FxHashSet<usize>,
    /// What is taken through each `import *`.
    pub(super) starred: BTreeMap<u32, BTreeSet<Symbol>>,
    /// Those of them that stay as they are.
    pub(super) kept_stars: BTreeSet<u32>,
}

impl<'w> Module<'w> {
    pub(super) fn definitions(&self) -> &'w Definitions {
        &self.entry.definitions
    }

    /// Whether the place `at` in `unit` can never be reached.
    pub(super) fn is_in_dead_handler(&self, unit: &Unit, at: TextSize) -> bool {
        unit.handlers
            .iter()
            .any(|handler| handler.body.contains(at) && self.found.is_dead(handler.at))
    }
}

/// The modules at work, by their numbers.
pub(super) struct Modules<'w>(Vec<Option<Box<Module<'w>>>>);

impl<'w> Modules<'w> {
    pub(super) fn with_room(count: usize) -> Self {
        Self((0..count).map(|_| None).collect())
    }

    pub(super) fn get(&self, id: ModuleId) -> Option<&Module<'w>> {
        self.0[id.0 as usize].as_deref()
    }

    pub(super) fn get_mut(&mut self, id: ModuleId) -> Option<&mut Module<'w>> {
        self.0[id.0 as usize].as_deref_mut()
    }

    /// Those that are imported, in order.
    pub(super) fn loaded(&self) -> impl Iterator<Item = ModuleId> {
        (0..).zip(&self.0).filter_map(|(number, module)| {
            let is_loaded = module.as_ref()?.loaded.is_some();
            is_loaded.then_some(ModuleId(number))
        })
    }

    pub(super) fn insert(&mut self, id: ModuleId, module: Module<'w>) {
        self.0[id.0 as usize] = Some(Box::new(module));
    }
}

impl<'w> Index<ModuleId> for Modules<'w> {
    type Output = Module<'w>;

    fn index(&self, id: ModuleId) -> &Module<'w> {
        self.get(id).expect("the module was prepared")
    }
}

impl<'w> Reach<'w> {
    /// The module, prepared when it is first asked for; none if it has no source that can be read.
    pub(super) fn module(&mut self, id: ModuleId) -> Option<&mut Module<'w>> {
        if self.modules.get(id).is_none() {
            let module = self.prepare(id)?;
            self.modules.insert(id, module);
        }
        self.modules.get_mut(id)
    }

    fn prepare(&mut self, id: ModuleId) -> Option<Module<'w>> {
        let Presence::Source(entry) = self.presence(id) else {
            return None;
        };
        let facts = entry.facts.as_ref().ok()?;
        let definitions = &entry.definitions;
        let found = evaluate::run(self.world, self.statuses, self.name(id), &facts.steps);
        let symbols: Vec<Symbol> = definitions
            .texts()
            .map(|name| self.symbols.number(name))
            .collect();
        let mut by_name: FxHashMap<Symbol, UnitNumbers> = FxHashMap::default();
        let mut stars = UnitNumbers::new();
        for (number, unit) in (0..).zip(&definitions.units) {
            let is_replaced = definitions.replaced.iter().any(|one| one.unit == number);
            // Who reads its name gets what replaces it.
            for name in unit.defines.iter().filter(|_| !is_replaced) {
                by_name
                    .entry(symbols[name.0 as usize])
                    .or_default()
                    .push(number);
            }
            if unit.is_star() {
                stars.push(number);
            }
        }
        let Assigned {
            edges,
            member_edges,
            lazy_edges,
        } = assign_edges(definitions, &found.edges);
        Some(Module {
            entry,
            found,
            symbols,
            by_name,
            stars,
            edges,
            member_edges,
            lazy_edges,
            live_lazy: BTreeSet::new(),
            loaded: None,
            is_whole: false,
            by_computed_name: false,
            affixes: Vec::new(),
            strings: Vec::new(),
            live_frames: FxHashSet::default(),
            starred: BTreeMap::new(),
            kept_stars: BTreeSet::new(),
        })
    }
}
