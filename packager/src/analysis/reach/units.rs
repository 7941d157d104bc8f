//! Names of modules are reached, and with them what has them: statements, classes and their methods.

use std::collections::BTreeSet;

use super::super::Certainty;
use super::super::definitions::{Name, Path, Root, Unit, UnitKind};
use super::super::hidden_imports;
use super::super::steps::Request;
use super::super::world::Presence;
use super::bindings::Given;
use super::symbols::Symbol;
use super::{Because, How, Item, ModuleId, Reach, Thing};
use crate::source::Origin;

impl<'w> Reach<'w> {
    pub(super) fn reach_name(&mut self, id: ModuleId, name: Symbol, because: Because) {
        let user = because.from.map_or("", |from| self.name(from.module()));
        if hidden_imports::is_called_by_native(self.name(id), self.symbols.text(name), user) {
            let by_native = Because {
                how: How::Native,
                ..because
            };
            self.push(Item::Escape(id), by_native);
        }
        self.notice_reader(id, name, because);
        if !self.named.insert((id, name)) {
            return;
        }
        let child = self.child(id, name);
        if let Some(child) = child {
            self.push(Item::Submodule(child), because);
        }
        if self.module(id).is_none() {
            // C code that imports a module in C uses other names of it than these.
            if matches!(self.presence(id), Presence::Native)
                && because.how != How::Native
                && !hidden_imports::keeps_for_threads(user, self.symbols.text(name))
            {
                self.use_of_native(Some(id), name);
            }
            return;
        }
        let module = &self.modules[id];
        let held = module.is_held();
        let is_loaded = module.loaded.is_some();
        let is_stdlib = module.entry.source.origin == Origin::Stdlib;
        let definitions = module.definitions();
        let units = module.by_name.get(&name).cloned().unwrap_or_default();
        let starred_imports = module.stars.clone();
        let facts = module.entry.facts.as_ref();
        if !is_loaded {
            self.push(Item::Load(id, Certainty::InFunction), because);
        }
        let mut is_found = !units.is_empty() || child.is_some();
        let hook = self.symbols.number("__getattr__");
        for unit in units {
            self.push(Item::Unit(id, unit), because);
        }
        if name == hook {
            self.ask_for_all(id, because);
        } else if child.is_some() && self.lazy_names(id).contains(&name) {
            // The submodule may not be there yet.
            self.push(Item::Asked(id, name), because);
        }
        for star in starred_imports {
            let UnitKind::Import {
                request: Request::Star(from),
                ..
            } = &definitions.units[star as usize].kind
            else {
                continue;
            };
            let Some(from) = self.id(from) else { continue };
            let given = self.given(from, name);
            if given == Given::Never {
                continue;
            }
            is_found = true;
            if let Some(module) = self.module(id) {
                module.starred.entry(star).or_default().insert(name);
                if given == Given::Maybe {
                    module.kept_stars.insert(star);
                }
            }
            if given == Given::Maybe {
                self.reach_exports(from, because);
            }
            self.push(Item::Unit(id, star), because);
            self.push(Item::Name(from, name), because);
        }
        if self.symbols.text(name) == "__all__" {
            let by_itself = because.from.is_some_and(|from| from.module() == id);
            if !by_itself {
                self.reach_exports(id, because);
            }
            return;
        }
        if is_found || held || name == hook {
            return;
        }
        let text = self.symbols.text(name);
        let builtins = self.world.target.builtin_names.get("builtins");
        if builtins.is_some_and(|names| names.contains(text)) {
            return;
        }
        self.push(Item::Asked(id, name), because);
        // What the library puts into namespaces by other means, it does in statements that always run.
        if !is_stdlib
            && facts.is_ok_and(|facts| {
                facts.open_names && !facts.names.contains_key(self.symbols.text(name))
            })
        {
            self.push(Item::Whole(id), because);
        }
    }

    pub(super) fn use_frame(&mut self, id: ModuleId, frame: usize) {
        let Some(module) = self.module(id) else {
            return;
        };
        if !module.live_frames.insert(frame) {
            return;
        }
        let frame = &module.definitions().frames[frame];
        let parent = frame.parent;
        self.follow_uses(id, Thing::Module(id), &frame.uses, None);
        if let Some(parent) = parent {
            self.use_frame(id, parent);
        }
    }

    pub(super) fn reach_unit(&mut self, id: ModuleId, number: u32, because: Because) {
        let thing = Thing::Unit(id, number);
        if self.because.contains_key(&thing) {
            return;
        }
        let Some(module) = self.module(id) else {
            return;
        };
        let unit: &'w Unit = &module.definitions().units[number as usize];
        let is_loaded = module.loaded.is_some();
        self.because.insert(thing, because);
        if !is_loaded {
            self.push(Item::Load(id, Certainty::InFunction), because);
        }
        if let Some(frame) = unit.frame {
            self.use_frame(id, frame);
        }
        self.follow_edges(id, thing);
        self.follow_uses(id, thing, &unit.uses, Some(number));
        for handler in &unit.handlers {
            if self.options.whole_modules || !self.handler_is_dead(id, handler.at) {
                self.follow_uses(id, thing, &handler.uses, Some(number));
            }
        }
        for (_, root, at) in &unit.imports {
            if self.is_in_dead_handler(id, unit, *at) {
                continue;
            }
            match root {
                Root::From { module, name } => self.use_from(id, thing, (*module, *name, *at)),
                Root::Module(name) => {
                    let because = Because {
                        from: Some(thing),
                        at: *at,
                        how: How::Import,
                    };
                    self.use_provided(self.text_of(id, *name), because);
                }
                Root::Global(_) => {}
            }
        }
        self.take_all(id, number, unit, thing);
        let inner_stars = &self.modules[id].definitions().inner_stars;
        for star in inner_stars.iter().filter(|star| star.unit == number) {
            if !self.is_in_dead_handler(id, unit, star.at)
                && let Some(from) = self.id(&star.from)
            {
                let because = Because {
                    from: Some(thing),
                    at: star.at,
                    how: How::Import,
                };
                self.reach_exports(from, because);
            }
        }
        if self.modules[id].is_held() {
            self.ask_for_all(id, because);
        }
        self.reach_replaced(id, unit, thing);
        if let UnitKind::Class { .. } = unit.kind {
            self.reach_class(id, number, unit, thing);
        }
    }

    /// What stands above the place where a definition is replaced, and reads its name when it runs, gets what was there before.
    /// Functions run later.
    fn reach_replaced(&mut self, id: ModuleId, unit: &Unit, thing: Thing) {
        let Some(module) = self.modules.get(id) else {
            return;
        };
        let replaced = &module.definitions().replaced;
        if replaced.is_empty() || unit.kind == UnitKind::Function {
            return;
        }
        let parts = || {
            let handlers = unit.handlers.iter().map(|handler| &handler.uses);
            std::iter::once(&unit.uses).chain(handlers)
        };
        let reads = |name: Name| {
            let is_name = |path: &Path| path.root == Root::Global(name);
            parts().any(|uses| {
                uses.names.iter().any(|(read, _)| *read == name) || uses.paths.iter().any(is_name)
            })
        };
        let because = Because {
            from: Some(thing),
            at: unit.range.start(),
            how: How::Name,
        };
        for one in replaced {
            if unit.range.start() < one.by && reads(one.name) {
                self.push(Item::Unit(id, one.unit), because);
            }
        }
    }

    /// `import *` that is kept as it is takes everything.
    pub(super) fn take_all(&mut self, id: ModuleId, number: u32, unit: &Unit, thing: Thing) {
        let UnitKind::Import {
            request: Request::Star(from),
            ..
        } = &unit.kind
        else {
            return;
        };
        let Some(module) = self.modules.get(id) else {
            return;
        };
        let takes_some = module.starred.contains_key(&number)
            && !module.kept_stars.contains(&number)
            && !module.is_whole
            && !module.is_held();
        if !takes_some && let Some(from) = self.id(from) {
            let because = Because {
                from: Some(thing),
                at: unit.range.start(),
                how: How::Import,
            };
            self.reach_exports(from, because);
        }
    }

    /// All that `import *` would take from a module.
    fn reach_exports(&mut self, id: ModuleId, because: Because) {
        let Presence::Source(entry) = self.presence(id) else {
            return;
        };
        let Ok(facts) = &entry.facts else { return };
        if !self.exported.insert(id) {
            return;
        }
        let all = self.symbols.number("__all__");
        if facts.names.contains_key("__all__") {
            self.push(Item::Name(id, all), because);
        }
        let listed: BTreeSet<String> = facts.all.iter().cloned().collect();
        let has_list = facts.names.contains_key("__all__");
        let names: Vec<String> = if has_list && !facts.open_all {
            listed.into_iter().collect()
        } else {
            facts
                .names
                .keys()
                .filter(|name| !name.starts_with('_'))
                .cloned()
                .collect()
        };
        for name in names {
            let name = self.symbols.number(&name);
            self.push(Item::Name(id, name), because);
        }
        let stars = self
            .module(id)
            .map(|module| module.stars.clone())
            .unwrap_or_default();
        for star in stars {
            // Passed on as a whole.
            if let Some(module) = self.module(id) {
                module.kept_stars.insert(star);
            }
            self.push(Item::Unit(id, star), because);
            if let UnitKind::Import {
                request: Request::Star(from),
                ..
            } = &entry.definitions.units[star as usize].kind
                && let Some(from) = self.id(from)
            {
                self.reach_exports(from, because);
            }
        }
    }

    fn reach_class(&mut self, id: ModuleId, number: u32, unit: &Unit, thing: Thing) {
        let Some(module) = self.modules.get(id) else {
            return;
        };
        let is_own = module.is_own();
        let symbols: Vec<Symbol> = unit
            .members
            .iter()
            .map(|member| module.symbols[member.name.0 as usize])
            .collect();
        let abstracts: Vec<Symbol> = unit
            .abstracts
            .iter()
            .map(|name| module.symbols[name.0 as usize])
            .collect();
        let of_class = Because {
            from: Some(thing),
            at: unit.range.start(),
            how: How::Class,
        };
        for (member, name) in (0..).zip(symbols) {
            let item = Thing::Member(id, number, member);
            let mention = self
                .is_mentioned(name)
                .or_else(|| self.own.everything.filter(|_| is_own));
            match mention {
                Some(mention) if mention.from.is_none() => {
                    let because = Because {
                        from: Some(thing),
                        at: unit.range.start(),
                        ..mention
                    };
                    self.push(Item::Member(id, number, member), because);
                }
                Some(mention) => self.push(Item::Member(id, number, member), mention),
                None => {
                    self.waiting_members.entry(name).or_default().push(item);
                    if is_own {
                        self.own.members.push(item);
                    }
                }
            }
        }
        // Making a subclass looks up what is abstract in it.
        for name in abstracts {
            self.push(Item::Attribute(name), of_class);
        }
    }

    pub(super) fn reach_member(&mut self, id: ModuleId, unit: u32, member: u32, because: Because) {
        let thing = Thing::Member(id, unit, member);
        if self.because.contains_key(&thing) {
            return;
        }
        self.because.insert(thing, because);
        let Some(module) = self.module(id) else {
            return;
        };
        let definitions = module.definitions();
        let definition = &definitions.units[unit as usize].members[member as usize];
        // A property and its setter have one name.
        let others = &definitions.units[unit as usize].members;
        for (number, other) in (0..).zip(others) {
            if other.name == definition.name {
                self.push(Item::Member(id, unit, number), because);
            }
        }
        self.push(Item::Unit(id, unit), because);
        self.follow_edges(id, thing);
        self.follow_uses(id, thing, &definition.uses, Some(unit));
    }

    fn text_of(&self, id: ModuleId, name: Name) -> &'w str {
        self.modules[id].definitions().text(name)
    }

    pub(super) fn symbol(&self, id: ModuleId, name: Name) -> Symbol {
        self.modules[id].symbols[name.0 as usize]
    }
}
