//! The way from a node to something that was reached.

use super::super::world::Presence;
use super::{Because, How, Reach, Thing};

/// One step of a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is reached, as `json.decoder.JSONDecoder.decode`.
    pub name: String,
    /// What reaches it; empty where the way begins.
    pub from: String,
    /// The file of what reaches it, as it is shown to the user; empty where there is none.
    pub file: String,
    /// The line in that file, from 1; 0 where there is none.
    pub line: u32,
    /// How.
    pub how: How,
}

impl Reach<'_> {
    /// The dotted name of `thing`.
    pub(in super::super) fn full_name(&self, thing: Thing) -> String {
        let module = self.name(thing.module());
        let Presence::Source(entry) = self.presence(thing.module()) else {
            return module.to_owned();
        };
        let definitions = &entry.definitions;
        let text = |name: &super::super::definitions::Name| &*definitions.names[name.0 as usize];
        match thing {
            Thing::Module(_) => module.to_owned(),
            Thing::Unit(_, unit) => {
                let unit = &definitions.units[unit as usize];
                match unit.defines.as_slice() {
                    [] => module.to_owned(),
                    [first, ..] => format!("{module}.{}", text(first)),
                }
            }
            Thing::Member(_, unit, member) => {
                let unit = &definitions.units[unit as usize];
                let class = unit.defines.first().map(text).unwrap_or_default();
                let member = text(&unit.members[member as usize].name);
                format!("{module}.{class}.{member}")
            }
        }
    }

    /// The way to `thing`, from where it begins; empty if it was not reached.
    pub(in super::super) fn way(&self, thing: Thing) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = Some(thing);
        while let Some(thing) = at
            && let Some(because) = self.because.get(&thing)
            // A way that comes back to itself says no more.
            && steps.len() < 1000
        {
            steps.push(self.step(thing, *because));
            at = because.from;
        }
        steps.reverse();
        steps
    }

    pub(in super::super) fn ways(&self) -> std::collections::BTreeMap<String, Vec<Step>> {
        let modules = self.ids.values().map(|id| Thing::Module(*id));
        let units = self.because.keys().copied();
        modules
            .chain(units)
            .map(|thing| (self.full_name(thing), self.way(thing)))
            .filter(|(_, way)| !way.is_empty())
            .collect()
    }

    fn step(&self, thing: Thing, because: Because) -> Step {
        let (_, file, line) = self.place(because);
        Step {
            name: self.full_name(thing),
            from: because.from.map(|from| self.full_name(from)).unwrap_or_default(),
            file,
            line,
            how: because.how,
        }
    }
}
