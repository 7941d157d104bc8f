//! What a name in a module stands for, as far as its text tells.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::super::definitions::{Base, Name, Root, UnitKind};
use super::super::steps::{Bound, Request};
use super::super::world::{Attribute, Presence};
use super::symbols::Symbol;
use super::{ModuleId, Reach};

/// What a name can stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Binding {
    /// Modules.
    pub(super) modules: BTreeSet<ModuleId>,
    /// Something else, too.
    pub(super) is_value: bool,
}

/// Whether `import *` binds a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Given {
    Never,
    Maybe,
    Always,
}

impl Reach<'_> {
    /// What `name` stands for in the namespace of `module`.
    pub(super) fn binding(&mut self, module: ModuleId, name: Symbol) -> Rc<Binding> {
        if let Some(binding) = self.bindings.get(&(module, name)) {
            return Rc::clone(binding);
        }
        let mut binding = Binding::default();
        self.bind(module, name, &mut Vec::new(), &mut binding);
        let binding = Rc::new(binding);
        // The texts alone say it, so that it stays so.
        self.bindings.insert((module, name), Rc::clone(&binding));
        binding
    }

    fn bind(
        &mut self,
        module: ModuleId,
        name: Symbol,
        seen: &mut Vec<(ModuleId, Symbol)>,
        binding: &mut Binding,
    ) {
        if seen.contains(&(module, name)) {
            return;
        }
        seen.push((module, name));
        let mut roots = Vec::new();
        let mut is_bound = false;
        let mut stars = Vec::new();
        if let Some(here) = self.module(module) {
            let definitions = here.definitions();
            for unit in here.by_name.get(&name).into_iter().flatten() {
                let unit = &definitions.units[*unit as usize];
                let before = roots.len();
                for (bound, root, at) in &unit.imports {
                    if here.symbols[bound.0 as usize] == name && !here.is_in_dead_handler(unit, *at)
                    {
                        roots.push(root.clone());
                    }
                }
                is_bound = true;
                // `import a` with `except ImportError: a = None` has nothing on the other side that could be used.
                let unbinds = unit.kind == UnitKind::Delete;
                binding.is_value |= before == roots.len() && !unbinds;
            }
            for (bound, root) in &definitions.global_imports {
                if here.symbols[bound.0 as usize] == name {
                    roots.push(root.clone());
                    is_bound = true;
                }
            }
            for star in &definitions.inner_stars {
                let unit = &definitions.units[star.unit as usize];
                if !here.is_in_dead_handler(unit, star.at) {
                    stars.push(star.from.clone());
                }
            }
            for unit in &here.stars {
                if let UnitKind::Import {
                    request: Request::Star(from),
                    ..
                } = &definitions.units[*unit as usize].kind
                {
                    stars.push(from.clone());
                }
            }
        }
        for root in roots {
            self.bind_root(module, &root, seen, binding);
        }
        for star in stars {
            if let Some(from) = self.id(&star)
                && self.given(from, name) != Given::Never
            {
                self.bind(from, name, seen, binding);
                is_bound = true;
            }
        }
        let child = self.child(module, name);
        match child {
            Some(child) if !is_bound => {
                binding.modules.insert(child);
            }
            // A module without source has what it has.
            None if !is_bound => binding.is_value = true,
            Some(_) | None => {}
        }
    }

    fn bind_root(
        &mut self,
        module: ModuleId,
        root: &Root,
        seen: &mut Vec<(ModuleId, Symbol)>,
        binding: &mut Binding,
    ) {
        let Some(text) = self.modules.get(module).map(|here| here.entry) else {
            return;
        };
        let name_of = |name: &Name| text.definitions.text(*name);
        match root {
            Root::Global(name) => {
                let name = self.symbols.number(name_of(name));
                self.bind(module, name, seen, binding);
            }
            Root::Module(name) => match (self.provided(name_of(name)), self.id(name_of(name))) {
                (Some((package, attribute)), _) => self.bind(package, attribute, seen, binding),
                (None, Some(id)) => drop(binding.modules.insert(id)),
                (None, None) => binding.is_value = true,
            },
            Root::From { module: from, name } => {
                let (from, name) = (name_of(from), self.symbols.number(name_of(name)));
                match self.id(from) {
                    // A package that imports from itself imports its submodule.
                    Some(from) if from == module => match self.child(from, name) {
                        Some(child) => drop(binding.modules.insert(child)),
                        None => binding.is_value = true,
                    },
                    Some(from) => self.bind(from, name, seen, binding),
                    None => binding.is_value = true,
                }
            }
        }
    }

    /// The package and its attribute that `import a.b as c` binds where there is no module `a.b`.
    pub(super) fn provided(&mut self, name: &str) -> Option<(ModuleId, Symbol)> {
        let is_there = |id: ModuleId| !self.presence(id).is_absent();
        let (package, attribute) = name.rsplit_once('.')?;
        if self.id(name).is_some_and(is_there) {
            return None;
        }
        let package = self.id(package).filter(|id| is_there(*id))?;
        Some((package, self.symbols.number(attribute)))
    }

    /// The submodule `name` of `module`.
    pub(super) fn child(&self, module: ModuleId, name: Symbol) -> Option<ModuleId> {
        if !self.has_children[module.0 as usize] {
            return None;
        }
        let child = format!("{}.{}", self.name(module), self.symbols.text(name));
        self.id(&child).filter(|id| !self.presence(*id).is_absent())
    }

    /// Whether `from module import *` binds `name`.
    pub(super) fn given(&self, module: ModuleId, name: Symbol) -> Given {
        self.given_by(module, self.symbols.text(name), &mut BTreeSet::new())
    }

    fn given_by(&self, id: ModuleId, name: &str, seen: &mut BTreeSet<ModuleId>) -> Given {
        if !seen.insert(id) {
            return Given::Never;
        }
        let entry = match self.presence(id) {
            Presence::Source(entry) => entry,
            Presence::Native => {
                return match self.world.attribute(self.name(id), name) {
                    Attribute::Never => Given::Never,
                    Attribute::Always | Attribute::Maybe => Given::Maybe,
                };
            }
            Presence::Absent | Presence::Namespace => return Given::Never,
        };
        let Ok(facts) = &entry.facts else {
            return Given::Never;
        };
        let is_exported = facts.exports(name);
        if is_exported == Some(false) {
            return Given::Never;
        }
        let mut given = match facts.names.get(name) {
            Some(Bound::Always) => Given::Always,
            Some(Bound::Maybe) => Given::Maybe,
            None if facts.open_names => Given::Maybe,
            None => Given::Never,
        };
        for unit in &entry.definitions.units {
            if given != Given::Always
                && let UnitKind::Import {
                    request: Request::Star(from),
                    ..
                } = &unit.kind
                && let Some(from) = self.id(from)
            {
                let through = self.given_by(from, name, seen);
                given = given.max(if unit.frame.is_some() {
                    through.min(Given::Maybe)
                } else {
                    through
                });
            }
        }
        for star in &entry.definitions.inner_stars {
            let unit = &entry.definitions.units[star.unit as usize];
            if !self.is_in_dead_handler(id, unit, star.at)
                && let Some(from) = self.id(&star.from)
            {
                let through = self.given_by(from, name, seen);
                given = given.max(through.min(Given::Maybe));
            }
        }
        // A list that cannot be read may leave the name out; a module that stays as it is has what it has.
        if is_exported.is_none() || entry.held {
            given.min(Given::Maybe)
        } else {
            given
        }
    }

    /// What `from module import *` binds, or may bind.
    pub(in super::super) fn exports(&self, module: &str) -> BTreeMap<String, Given> {
        let mut names = BTreeSet::new();
        if let Some(id) = self.id(module) {
            self.add_exports(id, &mut names, &mut BTreeSet::new());
        }
        let id = self.id(module);
        let given = |name: &String| {
            id.map_or(Given::Never, |id| {
                self.given_by(id, name, &mut BTreeSet::new())
            })
        };
        names
            .into_iter()
            .map(|name| (given(&name), name))
            .filter(|(given, _)| *given != Given::Never)
            .map(|(given, name)| (name, given))
            .collect()
    }

    fn add_exports(
        &self,
        id: ModuleId,
        names: &mut BTreeSet<String>,
        seen: &mut BTreeSet<ModuleId>,
    ) {
        if !seen.insert(id) {
            return;
        }
        let Presence::Source(entry) = self.presence(id) else {
            let own = self.world.target.builtin_names.get(self.name(id));
            names.extend(own.into_iter().flatten().cloned());
            return;
        };
        let Ok(facts) = &entry.facts else { return };
        names.extend(facts.all.iter().chain(facts.names.keys()).cloned());
        for star in &facts.stars {
            if let Some(from) = self.id(star) {
                self.add_exports(from, names, seen);
            }
        }
    }

    /// Whether making a class of unit's bases runs code of one of them. A base of the application's of which it is not
    /// known what it is counts as one that does.
    pub(super) fn bases_hook(&mut self, module: ModuleId, bases: &[Base]) -> bool {
        let mut seen = BTreeSet::new();
        bases
            .iter()
            .any(|base| self.base_hooks(module, base, &mut seen))
    }

    fn base_hooks(
        &mut self,
        module: ModuleId,
        base: &Base,
        seen: &mut BTreeSet<(ModuleId, Symbol)>,
    ) -> bool {
        let path = match base {
            _ if !self.is_own(module) => return false,
            Base::Plain => return false,
            Base::Computed => return true,
            Base::Named(path) => path,
        };
        let Root::Global(first) = path.root else {
            return true;
        };
        let Some(here) = self.module(module) else {
            return true;
        };
        let first = here.symbols[first.0 as usize];
        let rest: Vec<Symbol> = path
            .attributes
            .iter()
            .map(|name| here.symbols[name.0 as usize])
            .collect();
        let mut holders = BTreeSet::from([module]);
        let mut name = first;
        for next in rest {
            let mut modules = BTreeSet::new();
            for holder in holders {
                let binding = self.binding(holder, name);
                // A class in a class, or an attribute of something else.
                if binding.is_value && self.is_own(holder) {
                    return true;
                }
                modules.extend(&binding.modules);
            }
            holders = modules;
            name = next;
        }
        holders
            .into_iter()
            .any(|holder| self.class_hooks(holder, name, seen))
    }

    /// Whether what `name` stands for in `module` does something about its subclasses. The library's own classes keep to
    /// themselves.
    fn class_hooks(
        &mut self,
        module: ModuleId,
        name: Symbol,
        seen: &mut BTreeSet<(ModuleId, Symbol)>,
    ) -> bool {
        if !seen.insert((module, name)) || !self.is_own(module) {
            return false;
        }
        let Some(here) = self.module(module) else {
            return false;
        };
        let definitions = here.definitions();
        let units = here.by_name.get(&name).cloned().unwrap_or_default();
        let stars = here.stars.clone();
        let mut elsewhere: Vec<(Box<str>, Box<str>)> = Vec::new();
        for unit in units {
            let unit = &definitions.units[unit as usize];
            if let UnitKind::Class { hooks_subclasses } = unit.kind {
                if hooks_subclasses
                    || unit
                        .bases
                        .iter()
                        .any(|base| self.base_hooks(module, base, seen))
                {
                    return true;
                }
                continue;
            }
            let mut is_imported = unit.kind == UnitKind::Delete;
            for (bound, root, _) in &unit.imports {
                if definitions.text(*bound) != self.symbols.text(name) {
                    continue;
                }
                is_imported = true;
                if let Root::From { module, name } = root {
                    let text = |name: &Name| Box::from(definitions.text(*name));
                    elsewhere.push((text(module), text(name)));
                }
            }
            if !is_imported {
                return true;
            }
        }
        for star in stars {
            if let UnitKind::Import {
                request: Request::Star(from),
                ..
            } = &definitions.units[star as usize].kind
            {
                elsewhere.push((from.clone().into(), self.symbols.text(name).into()));
            }
        }
        elsewhere.into_iter().any(|(from, name)| {
            let name = self.symbols.number(&name);
            self.id(&from)
                .is_some_and(|from| self.class_hooks(from, name, seen))
        })
    }
}
