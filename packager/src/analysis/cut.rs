//! Takes out of a module's text what was not reached.
//!
//! Lines stay where they are, so that tracebacks of what remains show the user's own line numbers: what goes leaves its line
//! ends behind. A method leaves `name=__removed__()`, a marker that the engine knows and that tells whoever asks for it.

use std::collections::{BTreeMap, BTreeSet};

use ruff_text_size::{TextRange, TextSize};

use super::definitions::{Name, Unit, UnitKind};
use super::lines::newlines;
use super::reach::{Given, ModuleId, Reach, Thing};
use super::steps::{Bound, ModuleFacts, Request};
use super::world::Entry;

/// What stands for a method that was left out.
const MARKER: &str = "__removed__()";

/// What tells whoever asks a module for what its `__getattr__` would have given.
const ASKED: &str = "__removed__.asked";

/// A module without what was not reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cut {
    pub(super) text: String,
    /// The globals that the whole module has and this one lacks, sorted.
    pub(super) removed: Vec<String>,
    /// Globals that the whole module may have and this one lacks, sorted.
    pub(super) doubtful: Vec<String>,
}

/// Cuts module `id`.
pub(super) fn cut(reach: &Reach<'_>, id: ModuleId, entry: &Entry, facts: &ModuleFacts) -> Cut {
    let mut cutter = Cutter {
        reach,
        id,
        entry,
        text: &entry.source.text,
        edits: Vec::new(),
    };
    cutter.frames();
    cutter.arms();
    cutter.units();
    let (removed, doubtful) = cutter.removed(facts);
    Cut {
        text: {
            let all = TextRange::up_to(TextSize::of(cutter.text));
            apply(cutter.text, all, cutter.edits)
        },
        removed,
        doubtful,
    }
}

struct Cutter<'c> {
    reach: &'c Reach<'c>,
    id: ModuleId,
    entry: &'c Entry,
    text: &'c str,
    /// Outer ones come before those inside them.
    edits: Vec<(TextRange, String)>,
}

impl Cutter<'_> {
    fn is_live(&self, unit: usize) -> bool {
        let number = u32::try_from(unit).unwrap_or(u32::MAX);
        self.reach.is_live(Thing::Unit(self.id, number))
    }

    fn newlines(&self, range: TextRange) -> usize {
        newlines(&self.text[range.to_std_range()])
    }

    fn is_followed_by_semicolon(&self, range: TextRange) -> bool {
        self.text[range.end().to_usize()..]
            .trim_start_matches([' ', '\t'])
            .starts_with(';')
    }

    /// Leaves nothing of a statement but its line ends.
    fn remove(&mut self, range: TextRange) {
        let lines = self.newlines(range);
        let left = if self.is_followed_by_semicolon(range) {
            format!("({})", "\n".repeat(lines))
        } else {
            "\n".repeat(lines)
        };
        self.edits.push((range, left));
    }

    /// `if` statements of which nothing is left.
    fn frames(&mut self) {
        for (number, frame) in self.entry.definitions.frames.iter().enumerate() {
            if !self.reach.frame_is_live(self.id, number) {
                self.remove(frame.range);
            }
        }
    }

    fn units(&mut self) {
        let units = &self.entry.definitions.units;
        let mut at = 0;
        while let Some(unit) = units.get(at) {
            if let UnitKind::Import { statement, .. } = unit.kind {
                let count = units[at..]
                    .iter()
                    .take_while(|unit| matches!(unit.kind, UnitKind::Import { statement: other, .. } if other == statement))
                    .count();
                self.import(statement, at, count);
                at += count;
                continue;
            }
            if self.is_live(at) {
                self.members(at, unit);
                self.handlers(unit);
                self.lazy(at, unit);
            } else {
                self.remove(unit.range);
            }
            at += 1;
        }
    }

    fn members(&mut self, number: usize, unit: &Unit) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        for (place, member) in (0..).zip(&unit.members) {
            if self.reach.is_live(Thing::Member(self.id, number, place)) {
                continue;
            }
            let lines = "\n".repeat(self.newlines(member.range));
            let name = self.name(member.name);
            let left = if self.is_followed_by_semicolon(member.range) {
                format!("{name}=({lines}{MARKER})")
            } else {
                format!("{name}={MARKER}{lines}")
            };
            self.edits.push((member.range, left));
        }
    }

    /// A handler that can never run raises again what it should never have caught.
    fn handlers(&mut self, unit: &Unit) {
        for handler in &unit.handlers {
            if self.reach.handler_is_dead(self.id, handler.at) {
                let lines = "\n".repeat(self.newlines(handler.body));
                self.edits.push((handler.body, format!("raise{lines}")));
            }
        }
    }

    /// What a module's `__getattr__` does for names that nobody asks for. Where it is at hand, the text can do it.
    fn lazy(&mut self, number: usize, unit: &Unit) {
        if self.reach.wants_cold() {
            return;
        }
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        for (place, part) in (0..).zip(&unit.lazy) {
            if !self.reach.lazy_is_live(self.id, number, place) {
                let lines = "\n".repeat(self.newlines(part.range));
                let asked = self.name(part.asked);
                let left = format!("raise {ASKED}(__name__, {asked}){lines}");
                self.edits.push((part.range, left));
            }
        }
    }

    fn name(&self, name: Name) -> &str {
        self.entry.definitions.text(name)
    }

    /// An import statement whose names are `count` units from `first` on.
    fn import(&mut self, statement: TextRange, first: usize, count: usize) {
        let live: Vec<usize> = (first..first + count)
            .filter(|unit| self.is_live(*unit))
            .collect();
        if live.is_empty() {
            self.remove(statement);
            return;
        }
        let units = &self.entry.definitions.units;
        let starred = self
            .reach
            .starred(self.id, u32::try_from(first).unwrap_or(u32::MAX));
        let names = match (&units[first].kind, starred) {
            (
                UnitKind::Import {
                    request: Request::Star(_),
                    ..
                },
                Some(names),
            ) => names.join(", "),
            (_, _) if live.len() == count => return,
            (_, _) => {
                let slices: Vec<&str> = live
                    .iter()
                    .map(|unit| &self.text[units[*unit].range.to_std_range()])
                    .collect();
                slices.join(", ")
            }
        };
        let before = TextRange::new(statement.start(), units[first].range.start());
        let keyword = import_keyword(&self.text[before.to_std_range()]);
        let head = TextRange::at(statement.start(), keyword);
        let lines = "\n".repeat(self.newlines(statement) - self.newlines(head));
        let head = &self.text[head.to_std_range()];
        let left = if lines.is_empty() {
            format!("{head} {names}")
        } else if matches!(
            units[first].kind,
            UnitKind::Import {
                request: Request::Module(_),
                ..
            }
        ) {
            format!("{head} {names}{}", " \\\n".repeat(lines.len()))
        } else {
            format!("{head} ({names}{lines})")
        };
        self.edits.push((statement, left));
    }

    /// Arms that never run, and arms that nothing is left in.
    fn arms(&mut self) {
        let definitions = &self.entry.definitions;
        for arm in &definitions.dead_arms {
            let lines = "\n".repeat(self.newlines(*arm));
            self.edits.push((*arm, format!("({lines})")));
        }
        for (number, frame) in definitions.frames.iter().enumerate() {
            if !self.reach.frame_is_live(self.id, number) {
                continue;
            }
            for arm in &frame.arms {
                let inside = |range: TextRange| arm.contains_range(range);
                let has_unit = definitions
                    .units
                    .iter()
                    .enumerate()
                    .any(|(unit, definition)| inside(definition.range) && self.is_live(unit));
                let has_frame = definitions.frames.iter().enumerate().any(|(other, frame)| {
                    inside(frame.range) && self.reach.frame_is_live(self.id, other)
                });
                if !has_unit && !has_frame {
                    let lines = "\n".repeat(self.newlines(*arm));
                    self.edits.push((*arm, format!("({lines})")));
                }
            }
        }
    }

    /// The globals that are gone: those that the module always has, and those that it may have.
    fn removed(&self, facts: &ModuleFacts) -> (Vec<String>, Vec<String>) {
        let definitions = &self.entry.definitions;
        let mut kept = vec![false; definitions.name_count()];
        let mut gone = vec![false; definitions.name_count()];
        let replaced = |number: usize| {
            let mut all = definitions.replaced.iter();
            all.any(|one| one.unit as usize == number)
        };
        for (number, unit) in definitions.units.iter().enumerate() {
            let list = if self.is_live(number) || unit.kind == UnitKind::Delete {
                &mut kept
            } else if replaced(number) {
                // It has gone for what stands below.
                continue;
            } else {
                &mut gone
            };
            for name in unit
                .defines
                .iter()
                .filter(|name| !unit.changes.contains(name))
            {
                list[name.0 as usize] = true;
            }
        }
        let mut removed = Vec::new();
        let mut doubtful = Vec::new();
        for (number, name) in definitions.texts().enumerate() {
            if !gone[number] || kept[number] {
                continue;
            }
            match facts.names.get(name) {
                Some(Bound::Always) => removed.push(name.to_string()),
                Some(Bound::Maybe) => doubtful.push(name.to_string()),
                None => {}
            }
        }
        for (name, given) in self.lost_of_stars() {
            let of_its_own = definitions.texts().position(|text| text == name);
            if of_its_own.is_some_and(|number| kept[number] || gone[number]) {
                continue;
            }
            match given {
                Given::Always => removed.push(name),
                Given::Maybe => doubtful.push(name),
                Given::Never => {}
            }
        }
        removed.sort_unstable();
        doubtful.sort_unstable();
        (removed, doubtful)
    }

    /// What the module's `import *` would bind and do not bind any more.
    fn lost_of_stars(&self) -> BTreeMap<String, Given> {
        let definitions = &self.entry.definitions;
        let mut lost: BTreeMap<String, Given> = BTreeMap::new();
        let mut taken: BTreeSet<&str> = BTreeSet::new();
        for (number, unit) in definitions.units.iter().enumerate() {
            let UnitKind::Import {
                request: Request::Star(from),
                ..
            } = &unit.kind
            else {
                continue;
            };
            let is_live = self.is_live(number);
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let some = match self.reach.starred(self.id, number) {
                None if is_live => continue,
                Some(names) if is_live => names,
                Some(_) | None => Vec::new(),
            };
            taken.extend(some);
            for (name, given) in self.reach.exports(from) {
                // Below an `if` it may bind nothing.
                let given = if unit.frame.is_some() {
                    given.min(Given::Maybe)
                } else {
                    given
                };
                let known = lost.entry(name).or_insert(given);
                *known = given.max(*known);
            }
        }
        lost.retain(|name, _| !taken.contains(name.as_str()));
        lost
    }
}

/// The part `all` of `text` after edits, all of which are in it.
pub(super) fn apply(text: &str, all: TextRange, mut edits: Vec<(TextRange, String)>) -> String {
    // What is inside something else that goes, goes with it.
    edits.sort_by_key(|(range, _)| (range.start(), std::cmp::Reverse(range.end())));
    let mut edited = String::with_capacity(all.len().to_usize());
    let mut at = all.start();
    for (range, left) in &edits {
        if range.start() < at || range.is_empty() {
            continue;
        }
        edited.push_str(&text[TextRange::new(at, range.start()).to_std_range()]);
        edited.push_str(left);
        at = range.end();
    }
    edited.push_str(&text[TextRange::new(at, all.end()).to_std_range()]);
    edited
}

/// The length of the text up to the end of the word `import`.
pub(super) fn import_keyword(text: &str) -> TextSize {
    let is_part = |c: char| c == '_' || c.is_alphanumeric();
    let end = text
        .match_indices("import")
        .find(|(at, word)| {
            !text[..*at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part)
        })
        .map_or(text.len(), |(at, word)| at + word.len());
    TextSize::try_from(end).unwrap_or_default()
}
