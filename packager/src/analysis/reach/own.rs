//! What is kept of the application, its packages included, because it may find it by names that are not in its text.

use std::collections::BTreeSet;

use super::super::definitions::UnitKind;
use super::super::world::Presence;
use super::{Because, Item, ModuleId, Reach, Thing};
use crate::source::Origin;

impl Reach<'_> {
    /// Whether a module is the application's, its packages included.
    pub(super) fn is_own(&self, id: ModuleId) -> bool {
        matches!(self.presence(id), Presence::Source(entry) if entry.source.origin != Origin::Stdlib)
    }

    /// The application's modules that are imported.
    fn own_modules(&self) -> Vec<ModuleId> {
        let loaded = self
            .modules
            .iter()
            .filter(|(_, module)| module.loaded.is_some());
        let mut own: Vec<ModuleId> = loaded
            .map(|(id, _)| *id)
            .filter(|id| self.is_own(*id))
            .collect();
        own.sort_unstable();
        own
    }

    /// The application takes modules by names that are not in its text: any of its own may be meant.
    pub(super) fn escape_own(&mut self, because: Because) {
        if self.every_own_module.is_some() {
            return;
        }
        self.every_own_module = Some(because);
        for module in self.own_modules() {
            self.push(Item::Escape(module), because);
        }
    }

    /// The application takes attributes by names that are not in its text: its own classes stay whole, and those of its
    /// modules that are handed around.
    pub(super) fn keep_own_members(&mut self, because: Because) {
        if self.everything_own.is_some() {
            return;
        }
        self.everything_own = Some(because);
        for thing in std::mem::take(&mut self.own_members) {
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
        if self.every_own_class.is_some() {
            return;
        }
        self.every_own_class = Some(because);
        for module in self.own_modules() {
            self.reach_classes(module, because);
        }
    }

    pub(super) fn reach_classes(&mut self, id: ModuleId, because: Because) {
        let Some(module) = self.modules.get(&id) else {
            return;
        };
        for (number, unit) in (0..).zip(&module.definitions().units) {
            if let UnitKind::Class { .. } = unit.kind {
                self.push(Item::Unit(id, number), because);
            }
        }
    }
}
