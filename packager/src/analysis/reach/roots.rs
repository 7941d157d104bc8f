//! Where it begins: what is reached without anybody using it.

use ruff_text_size::TextSize;

use super::super::closure::NodeModule;
use super::super::definitions::{Root, Unit, UnitKind};
use super::super::hidden_imports::{self, Trigger};
use super::super::{Certainty, Link, LinkKind};
use super::modules::UnitNumbers;
use super::native::Awaited;
use super::symbols::Symbol;
use super::{Because, How, Item, ModuleId, Reach};
use crate::source::prefixes;

impl Reach<'_> {
    /// Puts everything into the queue that is reached without anybody using it.
    pub(in super::super) fn start(&mut self, entries: &[NodeModule]) {
        let root = |from: &str, to: &str, kind, certainty| Link {
            from: from.to_owned(),
            to: to.to_owned(),
            file: String::new(),
            line: 0,
            kind,
            certainty,
        };
        let begins = |how| Because {
            from: None,
            at: TextSize::default(),
            how,
        };
        let mut sorted: Vec<&NodeModule> = entries.iter().collect();
        sorted.sort();
        sorted.dedup();
        for entry in sorted {
            for module in prefixes(&entry.module) {
                let link = root(&entry.node_type, module, LinkKind::Node, Certainty::Certain);
                self.wait(Certainty::Certain, link, begins(How::Node));
            }
            let Some(module) = self.id(&entry.module) else {
                continue;
            };
            match &entry.class {
                Some(class) => {
                    let class = self.symbols.number(class);
                    self.push(Item::Name(module, class), begins(How::Node));
                }
                None => self.push(Item::Whole(module), begins(How::Setting)),
            }
        }
        let target = self.world.target;
        for module in &target.boot_modules {
            let link = root("", module, LinkKind::Interpreter, Certainty::Certain);
            self.wait(Certainty::Certain, link, begins(How::Engine));
        }
        let core = hidden_imports::CORE
            .iter()
            .filter(|(_, _, trigger)| self.options.whole_modules || *trigger == Trigger::Always);
        for (module, certainty, _) in core {
            for prefix in prefixes(module) {
                let link = root("", prefix, LinkKind::Interpreter, *certainty);
                self.wait(*certainty, link, begins(How::Engine));
            }
            if let Some(id) = self.id(module) {
                self.push(Item::Escape(id), begins(How::Native));
            }
        }
        self.await_imports_of_core();
        self.use_guest(begins(How::Engine));
        self.keep(begins(How::Setting));
        self.trace(begins(How::Trace));
    }

    /// What the interpreter's own core imports once a name of a built-in module is used.
    fn await_imports_of_core(&mut self) {
        for (to, _, trigger) in hidden_imports::CORE {
            let Trigger::Name { module, names } = trigger else {
                continue;
            };
            let (Some(from), Some(to)) = (self.id(module), self.id(to)) else {
                continue;
            };
            for name in *names {
                let name = self.symbols.number(name);
                self.wait_for_use(from, name, Awaited::Import(to));
            }
        }
    }

    /// What the engine's own code does with nodes and values counts as used.
    fn use_guest(&mut self, because: Because) {
        let guest: Vec<ModuleId> = self
            .world
            .target
            .guest_modules()
            .filter_map(|name| self.id(name))
            .collect();
        for id in guest {
            let Some(module) = self.module(id) else {
                continue;
            };
            let units = &module.definitions().units;
            let mut names = Vec::new();
            let mut paths = Vec::new();
            for unit in units {
                for uses in unit.all_uses() {
                    names.extend(
                        uses.attributes
                            .iter()
                            .chain(&uses.strings)
                            .map(|(name, _)| *name),
                    );
                    names.extend(
                        uses.paths
                            .iter()
                            .flat_map(|path| path.attributes.iter().copied()),
                    );
                    paths.extend(uses.paths.iter().filter_map(|path| match path.root {
                        Root::Module(name) => Some((name, path.attributes.first().copied()?)),
                        Root::Global(_) | Root::From { .. } => None,
                    }));
                }
            }
            let symbols: Vec<_> = names
                .into_iter()
                .map(|name| module.symbols[name.0 as usize])
                .collect();
            let paths: Vec<_> = paths
                .into_iter()
                .map(|(root, name)| {
                    let definitions = module.definitions();
                    (definitions.text(root), module.symbols[name.0 as usize])
                })
                .collect();
            for symbol in symbols {
                self.push(Item::Attribute(symbol), because);
            }
            for (module, name) in paths {
                if let Some(module) = self.id(module) {
                    self.guest_names.entry(module).or_default().push(name);
                }
            }
        }
    }

    /// The definitions that the project's settings name.
    fn keep(&mut self, because: Because) {
        for kept in &self.options.keep {
            let kept = kept.replace(':', ".");
            let Some(module) = prefixes(&kept)
                .filter_map(|prefix| Some((prefix.len(), self.id(prefix)?)))
                .filter(|(_, id)| !self.presence(*id).is_absent())
                .last()
            else {
                self.idle_keeps.insert(kept);
                continue;
            };
            let (length, id) = module;
            self.push(Item::Load(id, Certainty::InFunction), because);
            let mut rest = kept[length..].split('.').filter(|part| !part.is_empty());
            match (rest.next(), rest.next()) {
                (None | Some("*"), _) => self.push(Item::Whole(id), because),
                (Some(name), member) => {
                    let name = self.symbols.number(name);
                    if !self.may_have(id, name, member) {
                        self.idle_keeps.insert(kept.clone());
                    }
                    self.push(Item::Name(id, name), because);
                    let units = match (member, self.module(id)) {
                        (Some(_), Some(module)) => {
                            module.by_name.get(&name).cloned().unwrap_or_default()
                        }
                        (_, _) => UnitNumbers::new(),
                    };
                    for unit in units {
                        self.keep_members(id, unit, member, because);
                    }
                }
            }
        }
    }

    /// Whether a module may have a definition `name`, and that one `member`.
    fn may_have(&mut self, id: ModuleId, name: Symbol, member: Option<&str>) -> bool {
        if self.child(id, name).is_some() {
            return true;
        }
        let Some(module) = self.module(id) else {
            // What a module without source has is not looked into.
            return true;
        };
        let is_open = !module.stars.is_empty()
            || module
                .entry
                .facts
                .as_ref()
                .is_ok_and(|facts| facts.open_names);
        let definitions = module.definitions();
        let Some(units) = module.by_name.get(&name) else {
            return is_open;
        };
        let text = &module.entry.source.text;
        let has_member = |unit: &Unit| match (member, &unit.kind) {
            (None | Some("*"), _) => true,
            (Some(member), UnitKind::Class { .. }) => {
                text[unit.range.to_std_range()].contains(member)
            }
            // What is behind the name is not known here.
            (Some(_), _) => true,
        };
        units
            .iter()
            .any(|unit| has_member(&definitions.units[*unit as usize]))
    }

    fn keep_members(&mut self, id: ModuleId, unit: u32, wanted: Option<&str>, because: Because) {
        let Some(module) = self.module(id) else {
            return;
        };
        let definitions = module.definitions();
        for (number, member) in (0..).zip(&definitions.units[unit as usize].members) {
            let name = definitions.text(member.name);
            if wanted.is_some_and(|wanted| wanted == "*" || wanted == name) {
                self.push(Item::Member(id, unit, number), because);
            }
        }
    }

    /// What ran while the pipeline was traced.
    fn trace(&mut self, because: Because) {
        for (name, line) in &self.options.traced {
            let Some(id) = self.id(name) else { continue };
            let Some(module) = self.module(id) else {
                continue;
            };
            let text = &module.entry.source.text;
            let start = text
                .split_inclusive('\n')
                .take(line.saturating_sub(1) as usize)
                .map(str::len)
                .sum::<usize>();
            let end = text[start..]
                .find('\n')
                .map_or(text.len(), |end| start + end);
            let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end)) else {
                continue;
            };
            let on_line = |range: ruff_text_size::TextRange| {
                range.start() <= TextSize::new(end) && TextSize::new(start) <= range.end()
            };
            let units = &module.definitions().units;
            let mut things = Vec::new();
            for (number, unit) in (0..).zip(units).filter(|(_, unit)| on_line(unit.range)) {
                if !matches!(unit.kind, UnitKind::Function | UnitKind::Class { .. }) {
                    continue;
                }
                things.push(Item::Unit(id, number));
                let members = (0..)
                    .zip(&unit.members)
                    .filter(|(_, member)| on_line(member.range));
                things.extend(members.map(|(member, _)| Item::Member(id, number, member)));
                let lazy = (0..)
                    .zip(&unit.lazy)
                    .filter(|(_, part)| on_line(part.range));
                things.extend(lazy.map(|(part, _)| Item::Lazy(id, number, part)));
            }
            self.push(Item::Load(id, Certainty::InFunction), because);
            for thing in things {
                self.push(thing, because);
            }
        }
    }
}
