//! What is taken out of a module, in pieces that can be run one by one when somebody asks for them.
//!
//! A piece is a statement of the top level, one name of an import, or a method, in a class without anything else. An `if`
//! around statements is run with them, so that it is one piece with all that was taken out of it.

use ruff_text_size::{TextRange, TextSize};

use super::cut::import_keyword;
use super::definitions::{Effect, Frame, Member, Name, Root, Unit, UnitKind, Uses};
use super::lines::newlines;
use super::reach::{ModuleId, Reach, Thing};
use super::world::Entry;

/// What stands for the metaclass in the head of a class of which only one method is run; the engine knows it.
const METACLASS: &str = "__removed_class__";

/// Something that was taken out of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The globals that it binds, or whose objects it changes; for a method `Class.method`.
    pub names: Vec<String>,
    /// What it needs to have been run before, if it was taken out too: globals, and methods as above.
    pub mentions: Vec<String>,
    /// The line that its text begins on, from 1.
    pub line: usize,
    /// Statements.
    pub text: String,
}

/// The pieces of module `id`, in the order of its text.
pub(super) fn pieces(reach: &Reach<'_>, id: ModuleId, entry: &Entry) -> Vec<Piece> {
    let splitter = Splitter {
        reach,
        id,
        entry,
        text: &entry.source.text,
    };
    splitter.all()
}

struct Splitter<'c> {
    reach: &'c Reach<'c>,
    id: ModuleId,
    entry: &'c Entry,
    text: &'c str,
}

impl Splitter<'_> {
    fn all(&self) -> Vec<Piece> {
        let definitions = &self.entry.definitions;
        let mut pieces: Vec<(TextSize, Piece)> = Vec::new();
        for (number, unit) in definitions.units.iter().enumerate() {
            if self.is_live(number) {
                pieces.extend(self.methods(number, unit));
            } else if unit.frame.is_none() {
                pieces.push((unit.range.start(), self.statement(number, unit)));
            }
        }
        for (number, frame) in definitions.frames.iter().enumerate() {
            if frame.parent.is_none() {
                pieces.extend(
                    self.conditional(number, frame)
                        .map(|piece| (frame.range.start(), piece)),
                );
            }
        }
        pieces.sort_by_key(|(at, _)| *at);
        pieces
            .into_iter()
            .map(|(_, piece)| piece)
            // What binds nothing is asked for by nobody.
            .filter(|piece| !piece.names.is_empty())
            .collect()
    }

    fn is_live(&self, unit: usize) -> bool {
        let number = u32::try_from(unit).unwrap_or(u32::MAX);
        self.reach.is_live(Thing::Unit(self.id, number))
    }

    fn name(&self, name: Name) -> String {
        self.entry.definitions.text(name).to_owned()
    }

    fn line(&self, at: TextSize) -> usize {
        self.entry.lines.line(at) as usize
    }

    /// The globals that something mentions.
    fn globals(&self, uses: &Uses) -> impl Iterator<Item = String> {
        let names = uses.names.iter().map(|(name, _)| *name);
        let paths = uses.paths.iter().filter_map(|path| match path.root {
            Root::Global(name) => Some(name),
            Root::Module(_) | Root::From { .. } => None,
        });
        names.chain(paths).map(|name| self.name(name))
    }

    /// The globals that a statement mentions, all that is in it included.
    fn mentions(&self, unit: &Unit) -> Vec<String> {
        unit.all_uses()
            .flat_map(|uses| self.globals(uses))
            .collect()
    }

    fn names(&self, unit: &Unit) -> Vec<String> {
        unit.defines.iter().map(|name| self.name(*name)).collect()
    }

    /// A statement that is gone.
    fn statement(&self, number: usize, unit: &Unit) -> Piece {
        let (at, text) = match unit.kind {
            UnitKind::Import { statement, .. } => {
                (statement.start(), self.import(statement, &[number]))
            }
            UnitKind::Function
            | UnitKind::Class { .. }
            | UnitKind::Assignment
            | UnitKind::Delete
            | UnitKind::Other => (
                unit.range.start(),
                self.text[unit.range.to_std_range()].to_owned(),
            ),
        };
        piece(self.names(unit), self.mentions(unit), self.line(at), text)
    }

    /// An import statement with some of its names.
    fn import(&self, statement: TextRange, numbers: &[usize]) -> String {
        let units = &self.entry.definitions.units;
        let first = units
            .iter()
            .find(|unit| matches!(unit.kind, UnitKind::Import { statement: other, .. } if other == statement))
            .map_or(statement.end(), |unit| unit.range.start());
        let before = TextRange::new(statement.start(), first);
        let head = import_keyword(&self.text[before.to_std_range()]);
        let head = &self.text[TextRange::at(statement.start(), head).to_std_range()];
        let names: Vec<&str> = numbers
            .iter()
            .map(|number| &self.text[units[*number].range.to_std_range()])
            .collect();
        format!("{head} {}", names.join(", "))
    }

    /// The methods that are gone of a class that is there.
    fn methods(&self, number: usize, unit: &Unit) -> Vec<(TextSize, Piece)> {
        let [class] = unit.defines[..] else {
            return Vec::new();
        };
        let units = &self.entry.definitions.units;
        let namesakes = units.iter().filter(|unit| unit.defines.contains(&class));
        if unit.members.is_empty() || namesakes.count() > 1 {
            // With two classes of a name it cannot be told whose methods these are.
            return Vec::new();
        }
        let unit_number = u32::try_from(number).unwrap_or(u32::MAX);
        let gone = (0..).zip(&unit.members).filter(|(place, _)| {
            !self
                .reach
                .is_live(Thing::Member(self.id, unit_number, *place))
        });
        let class = self.name(class);
        gone.filter_map(|(_, member)| Some((member.range.start(), self.method(&class, member)?)))
            .collect()
    }

    fn method(&self, class: &str, member: &Member) -> Option<Piece> {
        let at = member.range.start();
        let before = &self.text[..at.to_usize()];
        let indentation = &before[before.rfind('\n')? + 1..];
        if indentation.is_empty() || !indentation.trim().is_empty() {
            return None;
        }
        let of_class = |name: Name| format!("{class}.{}", self.name(name));
        let siblings = member.uses.siblings.iter().map(|name| of_class(*name));
        Some(piece(
            vec![of_class(member.name)],
            self.globals(&member.uses).chain(siblings).collect(),
            // The head of the class is on a line before it.
            self.line(at) - 1,
            format!(
                "class {class}(metaclass={METACLASS}):\n{indentation}{}",
                &self.text[member.range.to_std_range()]
            ),
        ))
    }

    /// An outermost `if` with what is gone of it; none if that is nothing, or its conditions must not be asked twice.
    fn conditional(&self, number: usize, outer: &Frame) -> Option<Piece> {
        let definitions = &self.entry.definitions;
        let inside = |range: TextRange| outer.range.contains_range(range);
        let frames = definitions
            .frames
            .iter()
            .enumerate()
            .skip(number)
            .filter(|(_, frame)| inside(frame.range));
        let frames: Vec<(usize, &Frame)> = frames.collect();
        let asks_twice = frames.iter().any(|(number, frame)| {
            frame.effect != Effect::None && self.reach.frame_is_live(self.id, *number)
        });
        let units: Vec<(usize, &Unit)> = definitions
            .units
            .iter()
            .enumerate()
            .filter(|(_, unit)| inside(unit.range))
            .collect();
        let (live, gone): (Vec<_>, Vec<_>) = units
            .into_iter()
            .partition(|(number, _)| self.is_live(*number));
        if gone.is_empty() || asks_twice {
            return None;
        }
        let has_any = |range: TextRange| {
            gone.iter()
                .any(|(_, unit)| range.contains_range(unit.range))
        };
        let mut edits: Vec<(TextRange, String)> = Vec::new();
        let emptied = |range: TextRange| {
            let lines = newlines(&self.text[range.to_std_range()]);
            (range, format!("({})", "\n".repeat(lines)))
        };
        let dead = definitions.dead_arms.iter().filter(|arm| inside(**arm));
        edits.extend(dead.map(|arm| emptied(*arm)));
        for (_, frame) in &frames {
            let arms = frame.arms.iter().filter(|arm| !has_any(**arm));
            edits.extend(arms.map(|arm| emptied(*arm)));
            if !has_any(frame.range) {
                edits.push(emptied(frame.range));
            }
        }
        for (_, unit) in &live {
            let UnitKind::Import { statement, .. } = unit.kind else {
                edits.push(emptied(unit.range));
                continue;
            };
            let others: Vec<usize> = gone
                .iter()
                .filter(|(_, unit)| statement.contains_range(unit.range))
                .map(|(number, _)| *number)
                .collect();
            let (range, lines) = emptied(statement);
            let left = if others.is_empty() {
                lines
            } else {
                format!("{};{lines}", self.import(statement, &others))
            };
            edits.push((range, left));
        }
        Some(piece(
            gone.iter().flat_map(|(_, unit)| self.names(unit)).collect(),
            gone.iter()
                .flat_map(|(_, unit)| self.mentions(unit))
                .chain(
                    frames
                        .iter()
                        .flat_map(|(_, frame)| self.globals(&frame.uses)),
                )
                .collect(),
            self.line(outer.range.start()),
            super::cut::apply(self.text, outer.range, edits),
        ))
    }
}

fn piece(mut names: Vec<String>, mut mentions: Vec<String>, line: usize, text: String) -> Piece {
    names.sort_unstable();
    names.dedup();
    mentions.sort_unstable();
    mentions.dedup();
    Piece {
        names,
        mentions,
        line,
        text,
    }
}
