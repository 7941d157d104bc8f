//! What a name in a module stands for, as far as its text tells.

use std::collections::BTreeSet;

use super::super::definitions::{Path, Root, UnitKind};
use super::super::steps::{Bound, Request};
use super::super::world::{Attribute, Presence};
use super::symbols::Symbol;
use super::{ModuleId, Reach};
use crate::source::Origin;

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
pub(super) enum Given {
    Never,
    Maybe,
    Always,
}

impl Reach<'_> {
    /// What `name` stands for in the namespace of `module`.
    pub(super) fn binding(&mut self, module: ModuleId, name: Symbol) -> Binding {
        let mut binding = Binding::default();
        self.bind(module, name, &mut BTreeSet::new(), &mut binding);
        binding
    }

    fn bind(
        &mut self,
        module: ModuleId,
        name: Symbol,
        seen: &mut BTreeSet<(ModuleId, Symbol)>,
        binding: &mut Binding,
    ) {
        if !seen.insert((module, name)) {
            return;
        }
        let mut roots = Vec::new();
        let mut is_bound = false;
        let mut stars = Vec::new();
        if let Some(here) = self.module(module) {
            let definitions = here.definitions();
            for unit in here.by_name.get(&name).into_iter().flatten() {
                let unit = &definitions.units[*unit as usize];
                let before = roots.len();
                let is_dead = |at| {
                    unit.handlers
                        .iter()
                        .any(|handler| handler.body.contains(at) && here.found.is_dead(handler.at))
                };
                for (bound, root, at) in &unit.imports {
                    if here.symbols[bound.0 as usize] == name && !is_dead(*at) {
                        roots.push(root.clone());
                    }
                }
                is_bound = true;
                // `import a` with `except ImportError: a = None` has nothing on the other side that could be used.
                let unbinds = unit.kind == UnitKind::Delete;
                binding.is_value |= before == roots.len() && !unbinds;
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
        seen: &mut BTreeSet<(ModuleId, Symbol)>,
        binding: &mut Binding,
    ) {
        let Some(text) = self.modules.get(&module).map(|here| here.entry) else {
            return;
        };
        let name_of =
            |name: &super::super::definitions::Name| &*text.definitions.names[name.0 as usize];
        match root {
            Root::Global(name) => {
                let name = self.symbols.number(name_of(name));
                self.bind(module, name, seen, binding);
            }
            Root::Module(name) => match self.id(name_of(name)) {
                Some(id) => drop(binding.modules.insert(id)),
                None => binding.is_value = true,
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

    /// The submodule `name` of `module`.
    pub(super) fn child(&self, module: ModuleId, name: Symbol) -> Option<ModuleId> {
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
        let is_exported = if facts.names.contains_key("__all__") {
            if facts.all.iter().any(|listed| listed == name) {
                Some(true)
            } else {
                (!facts.open_all).then_some(false)
            }
        } else {
            Some(!name.starts_with('_'))
        };
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
        // A list that cannot be read may leave the name out; a module that stays as it is has what it has.
        if is_exported.is_none() || entry.held {
            given.min(Given::Maybe)
        } else {
            given
        }
    }

    /// The class that `path` names in `module`: its module and the number of its unit.
    fn class_of(&mut self, module: ModuleId, path: &Path) -> Option<(ModuleId, u32)> {
        let Root::Global(first) = path.root else {
            return None;
        };
        let here = self.module(module)?;
        let symbols: Vec<Symbol> = std::iter::once(&first)
            .chain(&path.attributes)
            .map(|name| here.symbols[name.0 as usize])
            .collect();
        let (last, parents) = symbols.split_last()?;
        let mut at = module;
        for parent in parents {
            let binding = self.binding(at, *parent);
            at = *binding.modules.first()?;
        }
        self.class_named(at, *last, 0)
    }

    fn class_named(
        &mut self,
        module: ModuleId,
        name: Symbol,
        depth: usize,
    ) -> Option<(ModuleId, u32)> {
        if depth > 16 {
            return None;
        }
        let here = self.module(module)?;
        let definitions = here.definitions();
        let units = here.by_name.get(&name).cloned().unwrap_or_default();
        let mut next = Vec::new();
        for unit in units {
            let definition = &definitions.units[unit as usize];
            if let UnitKind::Class { .. } = definition.kind {
                return Some((module, unit));
            }
            for (bound, root, _) in &definition.imports {
                let bound_here = &definitions.names[bound.0 as usize];
                if **bound_here == *self.symbols.text(name)
                    && let Root::From { module, name } = root
                {
                    next.push((
                        definitions.names[module.0 as usize].clone(),
                        definitions.names[name.0 as usize].clone(),
                    ));
                }
            }
        }
        let stars: Vec<String> = self
            .modules
            .get(&module)?
            .stars
            .iter()
            .filter_map(|unit| match &definitions.units[*unit as usize].kind {
                UnitKind::Import {
                    request: Request::Star(from),
                    ..
                } => Some(from.clone()),
                _ => None,
            })
            .collect();
        let text = self.symbols.text(name).to_owned();
        next.extend(
            stars
                .into_iter()
                .map(|star| (star.into(), text.clone().into())),
        );
        for (from, name) in next {
            let name = self.symbols.number(&name);
            if let Some(from) = self.id(&from)
                && let Some(found) = self.class_named(from, name, depth + 1)
            {
                return Some(found);
            }
        }
        None
    }

    /// Whether making a subclass with these bases runs code of one of them.
    pub(super) fn bases_hook(&mut self, module: ModuleId, bases: &[Path], depth: usize) -> bool {
        if depth > 16 {
            return false;
        }
        for base in bases {
            let Some((from, unit)) = self.class_of(module, base) else {
                continue;
            };
            let Presence::Source(entry) = self.presence(from) else {
                continue;
            };
            // The library's own classes keep to themselves.
            if entry.source.origin == Origin::Stdlib {
                continue;
            }
            let unit = &entry.definitions.units[unit as usize];
            if matches!(
                unit.kind,
                UnitKind::Class {
                    hooks_subclasses: true
                }
            ) || self.bases_hook(from, &unit.bases, depth + 1)
            {
                return true;
            }
        }
        false
    }
}
