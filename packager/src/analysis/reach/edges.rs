//! The imports of a piece of code are followed with it.

use rustc_hash::FxHashMap;

use super::super::closure::DynamicImport;
use super::super::definitions::Definitions;
use super::super::evaluate::{Edge, Goal};
use super::super::{Certainty, Link};
use super::{Because, How, ModuleId, Reach, Thing};

impl Reach<'_> {
    pub(super) fn edges_of_unit(&self, id: ModuleId, unit: u32) -> Vec<Edge> {
        let Some(module) = self.modules.get(id) else {
            return Vec::new();
        };
        module.edges[unit as usize]
            .iter()
            .map(|edge| module.found.edges[*edge].clone())
            .collect()
    }

    /// Follows the imports of everything in a module that was reached so far.
    pub(super) fn follow_live_edges(&mut self, id: ModuleId) {
        let Some(module) = self.modules.get(id) else {
            return;
        };
        let units: Vec<u32> = (0..)
            .zip(&module.edges)
            .filter(|(_, edges)| !edges.is_empty())
            .map(|(unit, _)| unit)
            .collect();
        let mut members: Vec<(u32, u32)> = module.member_edges.keys().copied().collect();
        members.sort_unstable();
        let lazy: Vec<(u32, u32)> = module.live_lazy.iter().copied().collect();
        for unit in units {
            if self.is_live(Thing::Unit(id, unit)) {
                self.follow_edges(id, Thing::Unit(id, unit));
            }
        }
        for (unit, member) in members {
            if self.is_live(Thing::Member(id, unit, member)) {
                self.follow_edges(id, Thing::Member(id, unit, member));
            }
        }
        for (unit, part) in lazy {
            self.follow_lazy_edges(id, unit, part);
        }
    }

    /// Follows the imports of one part of a module's `__getattr__`.
    pub(super) fn follow_lazy_edges(&mut self, id: ModuleId, unit: u32, part: u32) {
        let places = self
            .modules
            .get(id)
            .and_then(|module| module.lazy_edges.get(&(unit, part)).cloned());
        self.follow_places(id, Thing::Unit(id, unit), places.unwrap_or_default());
    }

    /// Follows the imports of one piece of a module that is imported.
    pub(super) fn follow_edges(&mut self, id: ModuleId, thing: Thing) {
        let Some(module) = self.modules.get(id) else {
            return;
        };
        let places = match thing {
            Thing::Module(_) => return,
            Thing::Unit(_, unit) => module.edges[unit as usize].clone(),
            Thing::Member(_, unit, member) => module
                .member_edges
                .get(&(unit, member))
                .cloned()
                .unwrap_or_default(),
        };
        self.follow_places(id, thing, places);
    }

    fn follow_places(&mut self, id: ModuleId, thing: Thing, places: Vec<usize>) {
        let Some(module) = self.modules.get(id) else {
            return;
        };
        let Some(reached) = module.loaded else {
            return;
        };
        if places.is_empty() {
            return;
        }
        let edges: Vec<Edge> = places
            .into_iter()
            .map(|place| module.found.edges[place].clone())
            .collect();
        let (file, held) = (module.entry.source.display_path.clone(), module.entry.held);
        for edge in edges {
            self.follow_edge(id, thing, &file, held, reached, &edge);
        }
    }

    fn follow_edge(
        &mut self,
        id: ModuleId,
        thing: Thing,
        file: &str,
        held: bool,
        reached: Certainty,
        edge: &Edge,
    ) {
        let certainty = reached.max(edge.certainty);
        let because = Because {
            from: Some(thing),
            at: edge.at,
            how: How::Import,
        };
        let link = |to: &str| Link {
            from: self.name(id).to_owned(),
            to: to.to_owned(),
            file: file.to_owned(),
            line: edge.line,
            kind: edge.kind,
            certainty: edge.certainty,
        };
        match &edge.goal {
            Goal::Module(to) if self.only_shows_lines(thing, to) => {
                if let Some(to) = self.id(to) {
                    self.peek(to, because);
                }
            }
            Goal::Module(to) if edge.caught && self.fails(to) && !self.reached.contains_key(to) => {
                let link = link(to);
                self.excluded.entry(link.to.clone()).or_insert(link);
            }
            Goal::Module(to) => {
                let link = link(to);
                self.wait(certainty, link, because);
            }
            // The engine has imported this module, so that whatever it lacks did not matter.
            Goal::Missing { .. } if held && edge.certainty == Certainty::Certain => {}
            Goal::Missing { name, kind } => {
                let link = link(name);
                self.missing.push((certainty, link, kind.clone()));
            }
            Goal::Dynamic(expression) => {
                if self.is_own(id) {
                    self.take_any_module(because);
                }
                self.dynamic.insert(DynamicImport {
                    importer: self.name(id).to_owned(),
                    file: file.to_owned(),
                    line: edge.line,
                    expression: expression.clone(),
                });
            }
        }
    }
}

pub(super) type PartEdges = FxHashMap<(u32, u32), Vec<usize>>;

/// Which imports belong to which piece, by their places.
pub(super) struct Assigned {
    /// For each unit.
    pub(super) edges: Vec<Vec<usize>>,
    /// By unit and member.
    pub(super) member_edges: PartEdges,
    /// By unit and lazy part.
    pub(super) lazy_edges: PartEdges,
}

/// Which piece each import belongs to. An import in the condition of an `if` goes with the first piece behind it.
pub(super) fn assign_edges(definitions: &Definitions, edges: &[Edge]) -> Assigned {
    let units = &definitions.units;
    let mut assigned = Assigned {
        edges: vec![Vec::new(); units.len()],
        member_edges: PartEdges::default(),
        lazy_edges: PartEdges::default(),
    };
    let key = |unit: usize, part: usize| {
        let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        (number(unit), number(part))
    };
    for (place, edge) in edges.iter().enumerate() {
        let after = units.partition_point(|unit| unit.range.start() <= edge.at);
        let number = match after.checked_sub(1) {
            Some(number) if edge.at < units[number].range.end() => number,
            Some(_) | None if after < units.len() => after,
            Some(number) => number,
            None => continue,
        };
        let unit = &units[number];
        let mut members = unit.members.iter();
        let mut lazy = unit.lazy.iter();
        if let Some(member) = members.position(|member| member.range.contains(edge.at)) {
            let edges = assigned.member_edges.entry(key(number, member));
            edges.or_default().push(place);
        } else if let Some(part) = lazy.position(|part| part.range.contains(edge.at)) {
            let edges = assigned.lazy_edges.entry(key(number, part));
            edges.or_default().push(place);
        } else {
            assigned.edges[number].push(place);
        }
    }
    assigned
}
