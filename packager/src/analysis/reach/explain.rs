//! The way from a node to something that was reached.

use std::collections::{BTreeMap, HashMap};

use super::super::world::Presence;
use super::{How, ModuleId, Reach, Thing};

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
                    [] => {
                        let before = &entry.source.text[..unit.range.start().to_usize()];
                        format!("{module}:{}", before.matches('\n').count() + 1)
                    }
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

    /// How everything was reached, by its full name.
    pub(in super::super) fn steps(&self) -> BTreeMap<String, Step> {
        let mut lines: HashMap<ModuleId, Vec<u32>> = HashMap::new();
        let mut steps = BTreeMap::new();
        for (thing, because) in &self.because {
            let line = because.from.map_or(0, |from| {
                let starts = lines
                    .entry(from.module())
                    .or_insert_with(|| self.line_starts(from.module()));
                starts.partition_point(|start| *start <= because.at.to_u32())
            });
            let file = because.from.map_or("", |from| self.file(from.module()));
            let step = Step {
                name: self.full_name(*thing),
                from: because
                    .from
                    .map(|from| self.full_name(from))
                    .unwrap_or_default(),
                file: file.to_owned(),
                line: u32::try_from(line).unwrap_or(u32::MAX),
                how: because.how,
            };
            steps.insert(step.name.clone(), step);
        }
        steps
    }

    fn file(&self, id: ModuleId) -> &str {
        match self.presence(id) {
            Presence::Source(entry) => &entry.source.display_path,
            Presence::Absent | Presence::Native | Presence::Namespace => "",
        }
    }

    /// Where each line of a module begins.
    fn line_starts(&self, id: ModuleId) -> Vec<u32> {
        let Presence::Source(entry) = self.presence(id) else {
            return Vec::new();
        };
        let ends = entry.source.text.match_indices('\n');
        std::iter::once(0)
            .chain(ends.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX)))
            .collect()
    }
}
