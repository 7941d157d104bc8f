//! What code written in C does on its own, once the program gives it occasion.

use ruff_text_size::TextSize;

use super::super::Certainty;
use super::super::hidden_imports::{self, Occasion};
use super::symbols::Symbol;
use super::{Because, How, Item, ModuleId, Reach, Thing};

/// What C code does once somebody uses a name of a module that has no source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    /// It imports a module.
    Import(ModuleId),
    /// It takes a name from one that it imports anyway.
    Name(ModuleId, Symbol),
    /// It calls methods of this name.
    Methods(Symbol),
    /// It gives what a function of the library makes objects of this class of. Both modules are handed around so rarely that an
    /// attribute of that name is taken for one of something else, unless a module itself is used as a value.
    Class(ModuleId, Symbol),
}

/// What is known of objects that are taken apart and put together again.
#[derive(Debug, Default)]
pub(super) struct Pickling {
    /// Something is copied or pickled.
    pub(super) happens: bool,
    /// `copyreg.pickle(type, function)`, until somebody reads the table of these.
    pub(super) registrations: Vec<(ModuleId, u32)>,
    /// Somebody does.
    pub(super) reads_table: bool,
}

impl Reach<'_> {
    /// Something happens once `name` of the module `from` is used, which has no source, or `name` of something that is not known.
    pub(super) fn wait_for_use(&mut self, from: ModuleId, name: Symbol, awaited: Awaited) {
        let is_used = match awaited {
            Awaited::Class(module, _) => {
                self.is_named_of_native(from, name)
                    || [from, module].iter().any(|id| self.is_value(*id))
            }
            Awaited::Import(_) | Awaited::Name(..) | Awaited::Methods(_) => {
                self.is_used_of_native(from, name)
            }
        };
        if is_used {
            self.give_in(from, awaited);
        } else {
            self.awaited.entry(name).or_default().push((from, awaited));
        }
    }

    /// Whether `name` of the module `id`, which has no source, can be used by somebody.
    fn is_used_of_native(&self, id: ModuleId, name: Symbol) -> bool {
        self.attributes.contains_key(&name)
            || self.is_named_of_native(id, name)
            || self.fitting_affix(name).is_some()
    }

    fn is_named_of_native(&self, id: ModuleId, name: Symbol) -> bool {
        self.named.contains(&(id, name)) || self.native_whole.contains(&id)
    }

    /// `name` of the module `id` is used, which has no source, or `name` of something that is not known.
    pub(super) fn use_of_native(&mut self, id: Option<ModuleId>, name: Symbol) {
        let waiting = self.awaited.remove(&name).unwrap_or_default();
        let (now, later): (Vec<_>, Vec<_>) =
            waiting
                .into_iter()
                .partition(|(from, awaited)| match (id, awaited) {
                    (Some(id), _) => id == *from,
                    (None, Awaited::Class(..)) => false,
                    (None, _) => true,
                });
        if !later.is_empty() {
            self.awaited.insert(name, later);
        }
        for (from, awaited) in now {
            self.give_in(from, awaited);
        }
    }

    /// Whether somebody has the module `id` as a value.
    fn is_value(&self, id: ModuleId) -> bool {
        self.own.modules.is_some()
            || self.escaped.contains(&id)
            || self.modules.get(id).is_some_and(|module| module.is_whole)
    }

    /// Somebody has the module `id` as a value, from now on, or any of them.
    pub(super) fn notice_value(&mut self, id: Option<ModuleId>) {
        let mut made = Vec::new();
        for waiting in self.awaited.values_mut() {
            waiting.retain(|(from, awaited)| {
                let is_made = match awaited {
                    Awaited::Class(module, _) => id.is_none_or(|id| id == *from || id == *module),
                    Awaited::Import(_) | Awaited::Name(..) | Awaited::Methods(_) => false,
                };
                if is_made {
                    made.push((*from, *awaited));
                }
                !is_made
            });
        }
        for (from, awaited) in made {
            self.give_in(from, awaited);
        }
    }

    fn give_in(&mut self, from: ModuleId, awaited: Awaited) {
        let because = Because {
            from: Some(Thing::Module(from)),
            at: TextSize::default(),
            how: How::Native,
        };
        match awaited {
            Awaited::Import(to) => {
                let to = self.name(to);
                self.import_native(from, to, Certainty::InFunction, Certainty::InFunction);
            }
            Awaited::Name(module, name) | Awaited::Class(module, name) => {
                self.push(Item::Name(module, name), because);
            }
            Awaited::Methods(name) => self.call_methods(name, because),
        }
    }

    /// A module without source is used in ways that cannot be seen.
    pub(super) fn use_whole_native(&mut self, id: ModuleId) {
        if !self.native_whole.insert(id) {
            return;
        }
        let mut waiting: Vec<Symbol> = self.awaited.keys().copied().collect();
        waiting.sort_unstable();
        for name in waiting {
            self.use_of_native(Some(id), name);
        }
    }

    /// C code that imports the module `id` takes `name` from it, some names on occasion only.
    pub(super) fn reach_native_name(&mut self, id: ModuleId, name: Symbol, because: Because) {
        match hidden_imports::taken_once_used(self.name(id), self.symbols.text(name)) {
            Some((from, used)) => {
                let used = self.symbols.number(used);
                if let Some(from) = self.id(from) {
                    self.wait_for_use(from, used, Awaited::Name(id, name));
                }
            }
            None => self.push(Item::Name(id, name), because),
        }
    }

    /// Methods that C code calls on occasion only are not called by it until then.
    pub(super) fn hold_native_names_back(&mut self) {
        if self.options.whole_modules {
            return;
        }
        for (name, occasion) in hidden_imports::CALLED_ON_OCCASION {
            let name = self.symbols.number(name);
            self.native.remove(&name);
            if let Occasion::Used { module, name: used } = occasion
                && let Some(module) = self.id(module)
            {
                let used = self.symbols.number(used);
                self.awaited
                    .entry(used)
                    .or_default()
                    .push((module, Awaited::Methods(name)));
            }
        }
    }

    /// From now on C code may call methods of this name.
    fn call_methods(&mut self, name: Symbol, because: Because) {
        self.native.insert(name);
        for thing in self.waiting_members.remove(&name).unwrap_or_default() {
            if let Thing::Member(module, unit, member) = thing {
                self.push(Item::Member(module, unit, member), because);
            }
        }
    }

    /// An attribute of this name is used: by it objects are taken apart.
    pub(super) fn notice_pickling(&mut self, name: Symbol, because: Because) {
        if self.pickling.happens
            || !hidden_imports::TAKES_APART.contains(&self.symbols.text(name))
            || because
                .from
                .is_some_and(|from| self.only_compares(from.module()))
        {
            return;
        }
        self.pickle(because);
    }

    /// `enum` asks whether classes have such methods, and does not call them.
    fn only_compares(&self, id: ModuleId) -> bool {
        self.name(id) == "enum" && !self.is_own(id)
    }

    /// Objects are copied or pickled.
    pub(super) fn pickle(&mut self, because: Because) {
        if std::mem::replace(&mut self.pickling.happens, true) || self.options.whole_modules {
            return;
        }
        let because = Because {
            how: How::Native,
            ..because
        };
        for (name, occasion) in hidden_imports::CALLED_ON_OCCASION {
            if occasion == Occasion::Pickling {
                let name = self.symbols.number(name);
                self.call_methods(name, because);
            }
        }
        // `object.__reduce_ex__`
        if let Some(copyreg) = self.id("copyreg") {
            self.push(Item::Load(copyreg, Certainty::InFunction), because);
        }
    }
}
