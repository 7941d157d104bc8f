//! The definitions of the modules that were reached, and how each was reached.

use std::collections::BTreeMap;
use std::sync::Arc;

use ruff_text_size::TextRange;
use rustc_hash::{FxBuildHasher, FxHashMap};

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
    pub from: Option<(Arc<str>, Option<usize>)>,
    /// The line in that module, from 1.
    pub line: u32,
    /// How.
    pub how: How,
}

/// A module whose definitions are listed.
struct Listed<'w> {
    name: Arc<str>,
    entry: &'w Entry,
}

/// The definitions of every module that has source and was reached, in the order of their lines, then of their names.
pub(super) fn list(reach: &Reach<'_>) -> BTreeMap<String, Vec<Definition>> {
    let mut modules: FxHashMap<ModuleId, Listed<'_>> = FxHashMap::default();
    let mut count = 0;
    for name in reach.reached.keys() {
        if let Presence::Source(entry) = reach.world.get(name)
            && let Some(id) = reach.id(name)
        {
            let name = Arc::from(name.as_str());
            let units = &entry.definitions.units;
            count += units.len() + units.iter().map(|unit| unit.members.len()).sum::<usize>();
            modules.insert(id, Listed { name, entry });
        }
    }
    let mut lists = Vec::with_capacity(modules.len());
    let mut numbers = FxHashMap::with_capacity_and_hasher(count, FxBuildHasher);
    for (id, module) in &modules {
        let mut definitions = of_module(*id, module.entry);
        definitions
            .sort_by(|(_, a), (_, b)| (a.line, &a.name, a.kind).cmp(&(b.line, &b.name, b.kind)));
        for (number, (thing, _)) in definitions.iter().enumerate() {
            numbers.insert(*thing, number);
        }
        lists.push((&module.name, definitions));
    }
    let with_reasons = |definitions: Vec<(Thing, Definition)>| {
        definitions
            .into_iter()
            .map(|(thing, definition)| Definition {
                reached: reached(reach, &modules, &numbers, thing),
                ..definition
            })
            .collect()
    };
    lists
        .into_iter()
        .map(|(name, definitions)| (name.to_string(), with_reasons(definitions)))
        .collect()
}

fn reached(
    reach: &Reach<'_>,
    modules: &FxHashMap<ModuleId, Listed<'_>>,
    numbers: &FxHashMap<Thing, usize>,
    thing: Thing,
) -> Option<Reached> {
    let because = reach.because.get(&thing)?;
    let from = because.from.map(|from| {
        let module = from.module();
        (from, module, modules.get(&module))
    });
    let line = from.and_then(|(_, _, module)| Some(module?.entry.lines.line(because.at)));
    Some(Reached {
        from: from.map(|(from, id, module)| {
            let name = module.map_or_else(|| reach.name(id).into(), |module| module.name.clone());
            (name, numbers.get(&from).copied())
        }),
        line: line.unwrap_or(0),
        how: because.how,
    })
}

fn of_module(id: ModuleId, entry: &Entry) -> Vec<(Thing, Definition)> {
    let mut listed = Vec::with_capacity(entry.definitions.units.len());
    let text = |name: Name| entry.definitions.text(name);
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
        let class = unit.defines.first().map_or("", |name| text(*name));
        let name = match &*unit.defines {
            [] => "*".to_owned(),
            [name] => text(*name).to_owned(),
            several => {
                let several: Vec<&str> = several.iter().map(|name| text(*name)).collect();
                several.join(", ")
            }
        };
        let size = |range: TextRange| u64::from(u32::from(range.len()));
        let methods: u64 = unit.members.iter().map(|member| size(member.range)).sum();
        let own = size(unit.range).saturating_sub(methods);
        listed.push((
            Thing::Unit(id, number),
            definition(name, kind, unit.range, own),
        ));
        for (place, member) in (0..).zip(&unit.members) {
            let name = [class, ".", text(member.name)].concat();
            let bytes = size(member.range);
            listed.push((
                Thing::Member(id, number, place),
                definition(name, DefinitionKind::Method, member.range, bytes),
            ));
        }
    }
    listed
}
