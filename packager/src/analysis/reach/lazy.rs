//! A module's `__getattr__`, which is asked for names that the module lacks.

use std::collections::BTreeSet;

use super::modules::{Module, UnitNumbers};
use super::symbols::Symbol;
use super::{Because, Item, ModuleId, Reach, Thing};

impl Reach<'_> {
    /// The pieces that bind `__getattr__` in a module.
    fn hooks(&mut self, id: ModuleId) -> UnitNumbers {
        let hook = self.symbols.number("__getattr__");
        self.module(id)
            .and_then(|module| module.by_name.get(&hook).cloned())
            .unwrap_or_default()
    }

    /// A module's `__getattr__` may be called; what it is asked for is known, name by name.
    pub(super) fn reach_hook(&mut self, id: ModuleId, because: Because) {
        let hooks = self.hooks(id);
        let is_plain = hooks.iter().all(|unit| {
            let definitions = self.modules.get(id).map(Module::definitions);
            definitions.is_some_and(|all| !all.units[*unit as usize].lazy.is_empty())
        });
        if is_plain && !hooks.is_empty() {
            for unit in hooks {
                self.push(Item::Unit(id, unit), because);
            }
        } else {
            let hook = self.symbols.number("__getattr__");
            self.push(Item::Name(id, hook), because);
        }
    }

    /// A module is asked for a name that it may lack.
    pub(super) fn ask(&mut self, id: ModuleId, name: Symbol, because: Because) {
        self.reach_hook(id, because);
        for (unit, part) in self.lazy_parts(id, Some(name)) {
            self.push(Item::Lazy(id, unit, part), because);
        }
    }

    /// All that a module's `__getattr__` may be asked for.
    pub(super) fn ask_for_all(&mut self, id: ModuleId, because: Because) {
        for (unit, part) in self.lazy_parts(id, None) {
            self.push(Item::Lazy(id, unit, part), because);
        }
    }

    /// The parts that run for `name`, or for any.
    fn lazy_parts(&mut self, id: ModuleId, name: Option<Symbol>) -> Vec<(u32, u32)> {
        let hooks = self.hooks(id);
        let Some(module) = self.modules.get(id) else {
            return Vec::new();
        };
        let definitions = module.definitions();
        let mut parts = Vec::new();
        for unit in hooks {
            for (number, part) in (0..).zip(&definitions.units[unit as usize].lazy) {
                let mut names = part.names.iter();
                if name.is_none_or(|name| names.any(|one| module.symbols[one.0 as usize] == name)) {
                    parts.push((unit, number));
                }
            }
        }
        parts
    }

    /// The names for which a module's `__getattr__` does something of its own.
    pub(super) fn lazy_names(&mut self, id: ModuleId) -> BTreeSet<Symbol> {
        let hooks = self.hooks(id);
        let Some(module) = self.modules.get(id) else {
            return BTreeSet::new();
        };
        let units = &module.definitions().units;
        hooks
            .iter()
            .flat_map(|unit| &units[*unit as usize].lazy)
            .flat_map(|part| &part.names)
            .map(|name| module.symbols[name.0 as usize])
            .collect()
    }

    /// Whether somebody may ask for a name for which part `part` of the `__getattr__` that is unit `unit` runs.
    pub(in super::super) fn lazy_is_live(&self, id: ModuleId, unit: u32, part: u32) -> bool {
        self.modules
            .get(id)
            .is_some_and(|module| module.live_lazy.contains(&(unit, part)))
    }

    pub(super) fn reach_lazy(&mut self, id: ModuleId, unit: u32, part: u32, because: Because) {
        let Some(module) = self.module(id) else {
            return;
        };
        if !module.live_lazy.insert((unit, part)) {
            return;
        }
        let thing = Thing::Unit(id, unit);
        let uses = &module.definitions().units[unit as usize].lazy[part as usize].uses;
        self.push(Item::Unit(id, unit), because);
        self.follow_lazy_edges(id, unit, part);
        self.follow_uses(id, thing, uses, None);
    }
}
