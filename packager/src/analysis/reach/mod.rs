//! Which modules and definitions can be used, starting from the nodes.
//!
//! Everything that is reached goes through one queue of [`Item`]s. Definitions are followed at once; modules wait until no
//! definition is left, those that are certain to be imported first, so that the reason kept for a module is the strongest
//! there is. Sound before small:
//!
//! - An attribute of a value that is not known keeps every method of that name in every class that is reached, and every
//!   definition of that name in every module that is handed around as a value.
//! - A string that could be a name counts as such an attribute.
//! - A name that the interpreter's C code knows keeps the methods of that name.
//! - What looks at all names of a module keeps the module whole.
//! - Nothing that has an effect when a module is imported is left out.
//!
//! `load` imports modules, `units` reaches names and what has them, `uses` goes through what a piece of code mentions, `edges`
//! follows its imports, `bindings` finds out what a name stands for, `effects` which imports matter though nobody uses what
//! they bind, and `own` keeps what the application may find by names that are not in its text.

mod bindings;
mod edges;
mod effects;
mod lazy;
mod load;
mod modules;
mod native;
mod own;
mod roots;
mod symbols;
mod units;
mod uses;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use ruff_text_size::TextSize;
use rustc_hash::{FxHashMap, FxHashSet};

use super::closure::DynamicImport;
use super::definitions::{Unit, UnitKind};
use super::hidden_imports;
use super::world::{Presence, Statuses, World};
use super::{Certainty, Link, MissingKind};
use crate::source::prefixes;
use bindings::Binding;
pub(super) use bindings::Given;
use effects::Effects;
use modules::Modules;
use native::{Awaited, Pickling};
use own::Own;
use symbols::{Symbol, Symbols};

/// Attributes that give the namespace of somebody's module.
const TAKES_GLOBALS: [&str; 2] = ["__globals__", "f_globals"];

/// A module, by its place among all that were found, in the order of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ModuleId(u32);

/// Something that can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Thing {
    /// The module runs.
    Module(ModuleId),
    /// A piece of its top level.
    Unit(ModuleId, u32),
    /// A method of a class.
    Member(ModuleId, u32, u32),
}

/// Why something was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Because {
    /// What reached it; nothing where the chain begins.
    pub(super) from: Option<Thing>,
    /// Where, in the module of `from`.
    pub(super) at: TextSize,
    pub(super) how: How,
}

/// How one thing reaches another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// A node's class is in it.
    Node,
    /// The project's settings name it.
    Setting,
    /// It ran while the pipeline was traced.
    Trace,
    /// The engine's own code uses it.
    Engine,
    /// Code written in C uses it.
    Native,
    /// It is imported.
    Import,
    /// A global of this name is used.
    Name,
    /// An attribute of this name is used.
    Attribute,
    /// A string spells its name.
    Text,
    /// A name is put together that it fits.
    Affix,
    /// It runs whenever its module does.
    Effect,
    /// Its module or class is kept whole.
    Whole,
    /// It is a method that cannot go alone, or an overridden abstract one.
    Class,
}

/// Something to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Item {
    /// A name in the namespace of a module is used.
    Name(ModuleId, Symbol),
    Unit(ModuleId, u32),
    Member(ModuleId, u32, u32),
    /// An attribute of a value that is not known is used.
    Attribute(Symbol),
    /// A module is asked for a name that it may lack.
    Asked(ModuleId, Symbol),
    /// A part of a module's `__getattr__`.
    Lazy(ModuleId, u32, u32),
    /// A module is used as a value.
    Escape(ModuleId),
    /// A module is used as an attribute of its package.
    Submodule(ModuleId),
    /// A module is used in ways that cannot be seen.
    Whole(ModuleId),
    /// A module is imported, in a way that reading its package does not show.
    Load(ModuleId, Certainty),
}

/// What to start from, and how far to go.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Keep every module whole: only modules that nothing imports are left out.
    pub whole_modules: bool,
    /// Tell what is left out in pieces that can be run later.
    pub cold: bool,
    /// Definitions to keep, as the project's settings name them: `json.load`, `json.decoder.JSONDecoder.decode`, `json.*`.
    pub keep: Vec<String>,
    /// Identifiers that the interpreter's C code knows.
    pub native_names: BTreeSet<String>,
    /// Places that ran while the pipeline was traced: module and line.
    pub traced: BTreeSet<(String, u32)>,
}

impl Options {
    /// Modules to look for beside those that the nodes lead to.
    pub(super) fn roots(&self) -> impl Iterator<Item = String> {
        let kept = self.keep.iter().flat_map(|kept| {
            let kept = kept.replace(':', ".");
            let names: Vec<String> = prefixes(&kept).map(str::to_owned).collect();
            names
        });
        let traced = self.traced.iter().map(|(module, _)| module.clone());
        kept.chain(traced)
    }
}

/// A place that keeps a module whole, or from being understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OpaquePlace {
    pub(super) module: ModuleId,
    pub(super) at: TextSize,
    pub(super) what: &'static str,
    /// Whether the module is kept whole for it.
    pub(super) keeps_whole: bool,
}

/// The walk, and what it found.
pub(super) struct Reach<'w> {
    pub(super) world: &'w World<'w>,
    pub(super) statuses: &'w Statuses<'w>,
    options: &'w Options,
    ids: FxHashMap<&'w str, ModuleId>,
    /// The names of the modules, sorted.
    names: Vec<&'w str>,
    /// Whether a module has submodules that are there.
    has_children: Vec<bool>,
    presences: Vec<&'w Presence>,
    /// Modules whose import fails.
    failing: FxHashSet<ModuleId>,
    modules: Modules<'w>,
    symbols: Symbols,
    native: FxHashSet<Symbol>,
    effects: Effects,

    queue: VecDeque<(Item, Because)>,
    /// What is used of modules that would fail, until they are imported.
    held_back: FxHashMap<ModuleId, Vec<(Item, Because)>>,
    /// Who takes a module as a value if it is there, until it is.
    peeked: FxHashMap<ModuleId, Vec<Because>>,
    /// Links found so far whose goal was not reached by a stronger way, by the certainty of the whole way.
    waiting: BTreeMap<Certainty, VecDeque<(Link, Because)>>,

    pub(super) because: FxHashMap<Thing, Because>,
    named: FxHashSet<(ModuleId, Symbol)>,
    /// What names were found to stand for.
    bindings: FxHashMap<(ModuleId, Symbol), Rc<Binding>>,
    /// Modules that wait to be imported because somebody uses them whom nobody was seen to import.
    unseen: FxHashSet<(ModuleId, Certainty)>,
    attributes: FxHashMap<Symbol, Because>,
    /// Methods and names that wait for an attribute to be used.
    waiting_members: FxHashMap<Symbol, Vec<Thing>>,
    waiting_names: FxHashMap<Symbol, Vec<ModuleId>>,
    /// What C code does once somebody uses a name of a module that has no source.
    awaited: FxHashMap<Symbol, Vec<(ModuleId, Awaited)>>,
    pickling: Pickling,
    /// Modules without source that are used in ways that cannot be seen.
    native_whole: FxHashSet<ModuleId>,
    affixes: Vec<(Box<str>, Box<str>, Because)>,
    /// What the engine's own code takes from modules, if they are there.
    guest_names: FxHashMap<ModuleId, Vec<Symbol>>,
    escaped: FxHashSet<ModuleId>,
    native_escaped: FxHashSet<ModuleId>,
    own: Own,
    /// Imports that bind a submodule to its package, until somebody uses that.
    submodule_imports: FxHashMap<ModuleId, Vec<(ModuleId, u32)>>,
    submodules: FxHashSet<ModuleId>,
    /// Modules of which everything is taken that `import *` would take.
    exported: FxHashSet<ModuleId>,

    pub(super) reasons: BTreeMap<String, Link>,
    pub(super) reached: BTreeMap<String, Certainty>,
    pub(super) missing: Vec<(Certainty, Link, MissingKind)>,
    pub(super) excluded: BTreeMap<String, Link>,
    pub(super) dynamic: BTreeSet<DynamicImport>,
    pub(super) opaque: BTreeSet<OpaquePlace>,
    /// What the project's settings keep and nothing is called.
    pub(super) idle_keeps: BTreeSet<String>,
}

impl<'w> Reach<'w> {
    pub(super) fn new(
        world: &'w World<'w>,
        statuses: &'w Statuses<'w>,
        options: &'w Options,
    ) -> Self {
        let mut ids = FxHashMap::default();
        let mut names = Vec::new();
        let mut presences = Vec::new();
        for (number, (name, presence)) in world.iter().enumerate() {
            ids.insert(name, ModuleId(u32::try_from(number).unwrap_or(u32::MAX)));
            names.push(name);
            presences.push(presence);
        }
        let failing = statuses
            .iter()
            .filter(|(_, flow)| flow.fails())
            .filter_map(|(name, _)| ids.get(name).copied())
            .collect();
        let mut has_children = vec![false; names.len()];
        for (name, presence) in names.iter().zip(&presences) {
            if let Some((parent, _)) = name.rsplit_once('.')
                && let Some(ModuleId(parent)) = ids.get(parent)
            {
                has_children[*parent as usize] |= !Presence::is_absent(presence);
            }
        }
        let mut symbols = Symbols::default();
        let native = options
            .native_names
            .iter()
            .map(|name| symbols.number(name))
            .collect();
        let mut reach = Self {
            world,
            statuses,
            options,
            ids,
            names,
            has_children,
            modules: Modules::with_room(presences.len()),
            presences,
            failing,
            symbols,
            native,
            effects: Effects::default(),
            queue: VecDeque::new(),
            held_back: FxHashMap::default(),
            peeked: FxHashMap::default(),
            waiting: BTreeMap::new(),
            because: FxHashMap::default(),
            named: FxHashSet::default(),
            bindings: FxHashMap::default(),
            unseen: FxHashSet::default(),
            attributes: FxHashMap::default(),
            waiting_members: FxHashMap::default(),
            waiting_names: FxHashMap::default(),
            awaited: FxHashMap::default(),
            pickling: Pickling::default(),
            native_whole: FxHashSet::default(),
            affixes: Vec::new(),
            guest_names: FxHashMap::default(),
            escaped: FxHashSet::default(),
            native_escaped: FxHashSet::default(),
            own: Own::default(),
            submodule_imports: FxHashMap::default(),
            submodules: FxHashSet::default(),
            exported: FxHashSet::default(),
            reasons: BTreeMap::new(),
            reached: BTreeMap::new(),
            missing: Vec::new(),
            excluded: BTreeMap::new(),
            dynamic: BTreeSet::new(),
            opaque: BTreeSet::new(),
            idle_keeps: BTreeSet::new(),
        };
        reach.hold_native_names_back();
        reach.find_effects();
        reach
    }

    /// Goes on until nothing new is reached.
    pub(super) fn follow(&mut self) {
        loop {
            if let Some((item, because)) = self.queue.pop_front() {
                self.item(item, because);
                continue;
            }
            let Some(mut first) = self.waiting.first_entry() else {
                break;
            };
            let certainty = *first.key();
            match first.get_mut().pop_front() {
                Some((link, because)) => self.load(certainty, link, because),
                None => drop(first.remove()),
            }
        }
    }

    /// Whether modules are kept whole.
    pub(super) fn keeps_all(&self) -> bool {
        self.options.whole_modules
    }

    /// Whether what is left out is to be told in pieces.
    pub(super) fn wants_cold(&self) -> bool {
        self.options.cold
    }

    pub(super) fn id(&self, name: &str) -> Option<ModuleId> {
        self.ids.get(name).copied()
    }

    pub(super) fn name(&self, id: ModuleId) -> &'w str {
        self.names[id.0 as usize]
    }

    fn presence(&self, id: ModuleId) -> &'w Presence {
        self.presences[id.0 as usize]
    }

    fn push(&mut self, item: Item, because: Because) {
        self.queue.push_back((item, because));
    }

    /// Whether `thing` was reached.
    pub(super) fn is_live(&self, thing: Thing) -> bool {
        self.because.contains_key(&thing)
    }

    pub(super) fn frame_is_live(&self, module: ModuleId, frame: usize) -> bool {
        self.modules
            .get(module)
            .is_some_and(|module| module.live_frames.contains(&frame))
    }

    /// Whether the handler that begins at `at` can never run.
    pub(super) fn handler_is_dead(&self, module: ModuleId, at: TextSize) -> bool {
        self.modules
            .get(module)
            .is_some_and(|module| module.found.is_dead(at))
    }

    /// Whether the place `at` in `unit` can never be reached.
    fn is_in_dead_handler(&self, module: ModuleId, unit: &Unit, at: TextSize) -> bool {
        self.modules
            .get(module)
            .is_some_and(|module| module.is_in_dead_handler(unit, at))
    }

    /// The names that are taken through the `import *` that is unit `unit`, sorted; none if all are.
    pub(super) fn starred(&self, module: ModuleId, unit: u32) -> Option<Vec<&str>> {
        let module = self.modules.get(module)?;
        if module.is_whole || module.kept_stars.contains(&unit) {
            return None;
        }
        let mut names: Vec<&str> = module
            .starred
            .get(&unit)?
            .iter()
            .map(|symbol| self.symbols.text(*symbol))
            .collect();
        names.sort_unstable();
        Some(names)
    }

    /// Whether importing a module would fail, and nothing was seen so far that imports it all the same: what is in it is used
    /// by nobody then.
    fn is_refused(&self, id: ModuleId) -> bool {
        self.failing.contains(&id) && !self.reached.contains_key(self.name(id))
    }

    fn item(&mut self, item: Item, because: Because) {
        if let Item::Name(module, _)
        | Item::Unit(module, _)
        | Item::Member(module, _, _)
        | Item::Asked(module, _)
        | Item::Lazy(module, _, _)
        | Item::Escape(module)
        | Item::Whole(module) = item
            && self.is_refused(module)
        {
            // Where definitions are left out, what makes it fail may be among them: should it be imported, this counts.
            if !self.options.whole_modules {
                self.held_back
                    .entry(module)
                    .or_default()
                    .push((item, because));
            }
            return;
        }
        match item {
            Item::Name(module, name) => self.reach_name(module, name, because),
            Item::Unit(module, unit) => self.reach_unit(module, unit, because),
            Item::Member(module, unit, member) => {
                self.reach_member(module, unit, member, because);
            }
            Item::Attribute(name) => self.reach_attribute(name, because),
            Item::Asked(module, name) => self.ask(module, name, because),
            Item::Lazy(module, unit, part) => self.reach_lazy(module, unit, part, because),
            Item::Escape(module) => self.escape(module, because),
            Item::Submodule(module) => self.reach_submodule(module, because),
            Item::Whole(module) => self.reach_whole(module, because),
            Item::Load(module, certainty) => self.load_unseen(module, certainty, because),
        }
    }

    /// Whether a method of this name can be used by somebody who is not seen.
    fn is_mentioned(&self, name: Symbol) -> Option<Because> {
        if self.native.contains(&name) {
            return Some(Because {
                from: None,
                at: TextSize::default(),
                how: How::Native,
            });
        }
        self.attributes
            .get(&name)
            .copied()
            .or_else(|| self.fitting_affix(name))
    }

    fn reach_attribute(&mut self, name: Symbol, because: Because) {
        self.notice_pickling(name, because);
        if self.symbols.text(name) == "__subclasses__"
            && because.from.is_some_and(|from| self.is_own(from.module()))
        {
            self.keep_own_classes(because);
        }
        if TAKES_GLOBALS.contains(&self.symbols.text(name))
            && because.from.is_some_and(|from| self.is_own(from.module()))
        {
            self.keep_own_globals(because);
        }
        if self.attributes.contains_key(&name) {
            return;
        }
        self.attributes.insert(name, because);
        for thing in self.waiting_members.remove(&name).unwrap_or_default() {
            if let Thing::Member(module, unit, member) = thing {
                self.push(Item::Member(module, unit, member), because);
            }
        }
        for module in self.waiting_names.remove(&name).unwrap_or_default() {
            self.push(Item::Name(module, name), because);
        }
        self.use_of_native(None, name);
    }

    /// From now on every attribute that is used may be one of this module.
    fn escape(&mut self, id: ModuleId, because: Because) {
        // C code looks up names that its texts spell, and hands the module to nobody.
        let native_names = because.how == How::Native;
        if (native_names && !self.native_escaped.insert(id))
            || (!native_names && !self.escaped.insert(id))
        {
            return;
        }
        if !native_names {
            self.notice_value(Some(id));
        }
        let prefix = format!("{}.", self.name(id));
        let first = self.names.partition_point(|name| **name < *prefix);
        let children: Vec<Symbol> = self.names[first..]
            .iter()
            .copied()
            .take_while(|name| name.starts_with(&prefix))
            .filter(|name| !name[prefix.len()..].contains('.'))
            .map(|name| self.symbols.number(&name[prefix.len()..]))
            .collect();
        let mut names: BTreeSet<Symbol> = children.into_iter().collect();
        if let Some(module) = self.module(id) {
            names.extend(module.by_name.keys());
        }
        names.extend(self.lazy_names(id));
        if let Some(because) = self.own.everything
            && !native_names
            && self.is_own(id)
        {
            self.push(Item::Whole(id), because);
        }
        // It is asked for what is not there, which C code does not do by names of its own.
        let hook = self.symbols.number("__getattr__");
        if names.remove(&hook) && !native_names {
            self.reach_hook(id, because);
        }
        // Whoever reads it takes what it names one by one.
        names.remove(&self.symbols.number("__all__"));
        let of_native = hidden_imports::names_for_native(self.name(id));
        let by_native = |name: &str| of_native.is_none_or(|names| names.contains(&name));
        for name in names {
            if native_names {
                if self.native.contains(&name) && by_native(self.symbols.text(name)) {
                    self.reach_native_name(id, name, because);
                }
                continue;
            }
            let mention = self.attributes.get(&name).copied();
            if let Some(mention) = mention.or_else(|| self.fitting_affix(name)) {
                self.push(Item::Name(id, name), mention);
            } else {
                self.waiting_names.entry(name).or_default().push(id);
            }
        }
    }
}

impl Unit {
    pub(super) fn is_star(&self) -> bool {
        matches!(
            &self.kind,
            UnitKind::Import {
                request: super::steps::Request::Star(_),
                ..
            }
        )
    }
}
