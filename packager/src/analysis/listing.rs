//! The definitions of the modules that were reached, and how each was reached.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use rustpython_ruff_text_size::TextRange;

use super::How;
use super::definitions::{Name, UnitKind};
use super::reach::{ModuleId, Reach, Thing};
use super::world::{Entry, Presence};

/// What a definition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DefinitionKind {
    /// A function of the module.
    Function,
    /// A class.
    Class,
    /// A function of a class.
    Method,
    /// Names that a statement gives values to.
    Assignment,
    /// A name that an import binds.
    Import,
}

/// A definition of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The name inside the module, such as `JSONDecoder.decode`. The same name may be defined more than once.
    pub name: String,
    /// What it is.
    pub kind: DefinitionKind,
    /// The first line, decorators included, from 1.
    pub line: u32,
    /// The last line.
    pub end_line: u32,
    /// Bytes of its text, without those of methods that are listed themselves.
    pub bytes: u64,
    /// How it was reached; none if it was left out.
    pub reached: Option<Reached>,
}

/// How something was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// What reached it: a module, and the number of a definition in its list; none where the way begins.
    pub from: Option<(String, Option<usize>)>,
    /// The line in that module, from 1.
    pub line: u32,
    /// How.
    pub how: How,
}

/// The definitions of every module that has source and was reached, in the order of their lines, then of their names.
pub(super) fn list(reach: &Reach<'_>) -> BTreeMap<String, Vec<Definition>> {
    let mut modules: BTreeMap<ModuleId, &Entry> = BTreeMap::new();
    for name in reach.reached.keys() {
        if let Presence::Source(entry) = reach.world.get(name)
            && let Some(id) = reach.id(name)
        {
            modules.insert(id, &**entry);
        }
    }
    let mut lists = BTreeMap::new();
    let mut numbers = FxHashMap::default();
    for (id, entry) in &modules {
        let mut definitions = of_module(*id, entry);
        definitions
            .sort_by(|(_, a), (_, b)| (a.line, &a.name, a.kind).cmp(&(b.line, &b.name, b.kind)));
        for (number, (thing, _)) in definitions.iter().enumerate() {
            numbers.insert(*thing, number);
        }
        lists.insert(*id, definitions);
    }
    let mut listed = BTreeMap::new();
    for (id, definitions) in lists {
        let definitions = definitions
            .into_iter()
            .map(|(thing, definition)| Definition {
                reached: reached(reach, &modules, &numbers, thing),
                ..definition
            })
            .collect();
        listed.insert(reach.name(id).to_owned(), definitions);
    }
    listed
}

fn reached(
    reach: &Reach<'_>,
    modules: &BTreeMap<ModuleId, &Entry>,
    numbers: &FxHashMap<Thing, usize>,
    thing: Thing,
) -> Option<Reached> {
    let because = reach.because.get(&thing)?;
    let line = because
        .from
        .and_then(|from| modules.get(&from.module()))
        .map_or(0, |entry| entry.lines.line(because.at));
    Some(Reached {
        from: because.from.map(|from| {
            let module = reach.name(from.module()).to_owned();
            (module, numbers.get(&from).copied())
        }),
        line,
        how: because.how,
    })
}

fn of_module(id: ModuleId, entry: &Entry) -> Vec<(Thing, Definition)> {
    let mut listed = Vec::new();
    let text = |name: Name| entry.definitions.text(name).to_owned();
    let definition = |name: String, kind, range: TextRange, bytes| Definition {
        name,
        kind,
        line: entry.lines.line(range.start()),
        end_line: entry.lines.line(range.end()),
        bytes,
        reached: None,
    };
    for (number, unit) in (0..).zip(&entry.definitions.units) {
        let kind = match unit.kind {
            UnitKind::Function => DefinitionKind::Function,
            UnitKind::Class { .. } => DefinitionKind::Class,
            UnitKind::Assignment => DefinitionKind::Assignment,
            UnitKind::Import { .. } => DefinitionKind::Import,
            UnitKind::Delete | UnitKind::Other => continue,
        };
        let names: Vec<String> = unit.defines.iter().map(|name| text(*name)).collect();
        let class = names.first().cloned().unwrap_or_default();
        let name = if names.is_empty() {
            "*".to_owned()
        } else {
            names.join(", ")
        };
        let size = |range: TextRange| u64::from(u32::from(range.len()));
        let methods: u64 = unit.members.iter().map(|member| size(member.range)).sum();
        let own = size(unit.range).saturating_sub(methods);
        listed.push((
            Thing::Unit(id, number),
            definition(name, kind, unit.range, own),
        ));
        for (place, member) in (0..).zip(&unit.members) {
            let name = format!("{class}.{}", text(member.name));
            let bytes = size(member.range);
            listed.push((
                Thing::Member(id, number, place),
                definition(name, DefinitionKind::Method, member.range, bytes),
            ));
        }
    }
    listed
}
