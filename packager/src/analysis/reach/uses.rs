//! What a piece of code mentions is reached with it.

use std::collections::BTreeSet;

use ruff_text_size::TextSize;

use super::super::Certainty;
use super::super::definitions::{Name, Path, Root, Syntax, Uses};
use super::super::hidden_imports;
use super::bindings::Binding;
use super::native::Awaited;
use super::symbols::Symbol;
use super::{Because, How, Item, ModuleId, OpaquePlace, Reach, Thing};
use crate::source::Origin;

/// Modules of the library that look at their own namespace and take no definition from it that its name does not show: they
/// put names in, look whether names are there, or read back what they have put in.
const HARMLESS_NAMESPACES: [&str; 8] = [
    "hashlib", "inspect", "locale", "os", "signal", "types", "typing", "zoneinfo",
];

impl Reach<'_> {
    /// Reaches what `uses`, a part of `thing`, mentions; `class` is the class around it.
    pub(super) fn follow_uses(
        &mut self,
        id: ModuleId,
        thing: Thing,
        uses: &Uses,
        class: Option<u32>,
    ) {
        let because = |at: TextSize, how: How| Because {
            from: Some(thing),
            at,
            how,
        };
        let makes = self.makes_once_used(thing);
        for (name, at) in &uses.names {
            let name = self.symbol(id, *name);
            if let Some((class, module, of_module)) = makes
                && self.symbols.text(name) == class
            {
                let of_module = self.symbols.number(of_module);
                self.wait_for_use(module, of_module, Awaited::Class(id, name));
                continue;
            }
            let because = because(*at, How::Name);
            self.push(Item::Name(id, name), because);
            for module in &self.binding(id, name).modules {
                let module = *module;
                self.push(Item::Escape(module), because);
            }
        }
        for path in &uses.paths {
            self.follow_path(id, thing, path);
        }
        for (name, at) in &uses.attributes {
            let name = self.symbol(id, *name);
            self.push(Item::Attribute(name), because(*at, How::Attribute));
        }
        self.follow_strings(id, thing, uses);
        for import in &uses.imports {
            self.use_from(id, thing, *import);
        }
        for (module, at) in &uses.peeked {
            let here = self.modules.get(id);
            if let Some(module) = here.and_then(|here| self.id(here.definitions().text(*module))) {
                self.peek(module, because(*at, How::Attribute));
            }
        }
        if let Some(class) = class {
            self.follow_siblings(id, class, uses, because(TextSize::default(), How::Name));
        }
        self.follow_syntax(uses, &because);
        self.follow_opaque(id, uses, &because);
        self.follow_affixes(id, thing, uses);
        self.follow_words(id, thing, uses);
    }

    /// Strings that could be names count as attributes; those of the standard library, which does not hand them on, only
    /// where attributes are taken by names that are not in the text.
    fn follow_strings(&mut self, id: ModuleId, thing: Thing, uses: &Uses) {
        if uses.strings.is_empty() && uses.by_name.is_none() {
            return;
        }
        let Some(module) = self.module(id) else {
            return;
        };
        let is_own = module.is_own();
        let mut strings: Vec<(Symbol, Thing, TextSize)> = uses
            .strings
            .iter()
            .map(|(name, at)| (module.symbols[name.0 as usize], thing, *at))
            .collect();
        module.by_computed_name |= uses.by_name.is_some();
        if !is_own && !module.by_computed_name {
            module.strings.extend(strings);
            return;
        }
        strings.append(&mut module.strings);
        for (name, thing, at) in strings {
            let because = Because {
                from: Some(thing),
                at,
                how: How::Text,
            };
            self.push(Item::Attribute(name), because);
        }
    }

    /// A module is used as a value if somebody else imports it.
    pub(super) fn peek(&mut self, module: ModuleId, because: Because) {
        if self.reached.contains_key(self.name(module)) {
            self.take_peeked(module, because);
        } else {
            self.peeked.entry(module).or_default().push(because);
        }
    }

    pub(super) fn take_peeked(&mut self, module: ModuleId, because: Because) {
        let names = because.from.and_then(|from| {
            let user = from.module();
            let names = hidden_imports::names_for_peek(self.name(user), self.name(module))?;
            (!self.is_own(user)).then_some(names)
        });
        let Some(names) = names else {
            return self.push(Item::Escape(module), because);
        };
        for name in names {
            let name = self.symbols.number(name);
            self.push(Item::Name(module, name), because);
        }
    }

    fn follow_siblings(&mut self, id: ModuleId, class: u32, uses: &Uses, because: Because) {
        if uses.siblings.is_empty() {
            return;
        }
        let Some(module) = self.modules.get(id) else {
            return;
        };
        let members = &module.definitions().units[class as usize].members;
        let mentioned: Vec<u32> = (0..)
            .zip(members)
            .filter(|(_, member)| uses.siblings.binary_search(&member.name).is_ok())
            .map(|(number, _)| number)
            .collect();
        for member in mentioned {
            self.push(Item::Member(id, class, member), because);
        }
    }

    pub(super) fn use_from(&mut self, id: ModuleId, thing: Thing, import: (Name, Name, TextSize)) {
        let (module, name, at) = import;
        let Some(here) = self.modules.get(id) else {
            return;
        };
        let from = here.definitions().text(module);
        let name = self.symbol(id, name);
        if let Some(from) = self.id(from) {
            let because = Because {
                from: Some(thing),
                at,
                how: How::Import,
            };
            self.push(Item::Name(from, name), because);
        }
    }

    /// Should `name` be no module but what a package gives that it has put into `sys.modules`, as `collections` does with
    /// `collections.abc`: the package's attribute is used.
    pub(super) fn use_provided(&mut self, name: &str, because: Because) {
        if let Some((package, attribute)) = self.provided(name) {
            self.push(Item::Name(package, attribute), because);
        }
    }

    fn follow_path(&mut self, id: ModuleId, thing: Thing, path: &Path) {
        let because = Because {
            from: Some(thing),
            at: path.at,
            how: How::Attribute,
        };
        let Some(here) = self.modules.get(id) else {
            return;
        };
        let definitions = here.definitions();
        if let Root::Module(name) = &path.root
            && self.only_shows_lines(thing, definitions.text(*name))
        {
            return;
        }
        let mut binding = match &path.root {
            Root::Global(name) => {
                let name = self.symbol(id, *name);
                let because = Because {
                    how: How::Name,
                    ..because
                };
                self.push(Item::Name(id, name), because);
                Binding::clone(&self.binding(id, name))
            }
            Root::Module(name) => {
                let name = definitions.text(*name);
                self.use_provided(name, because);
                match self.provided(name) {
                    Some((package, attribute)) => Binding::clone(&self.binding(package, attribute)),
                    None => Binding {
                        modules: self.id(name).into_iter().collect(),
                        is_value: false,
                    },
                }
            }
            Root::From { module, name } => {
                let from = self.id(definitions.text(*module));
                let name = self.symbol(id, *name);
                match from {
                    Some(from) => Binding::clone(&self.binding(from, name)),
                    None => Binding {
                        modules: BTreeSet::new(),
                        is_value: true,
                    },
                }
            }
        };
        for attribute in &path.attributes {
            let text = definitions.text(*attribute);
            let name = self.symbol(id, *attribute);
            if binding.is_value || binding.modules.is_empty() {
                self.push(Item::Attribute(name), because);
            }
            let mut next = Binding {
                modules: BTreeSet::new(),
                is_value: binding.is_value || binding.modules.is_empty(),
            };
            for module in binding.modules {
                if text == "__dict__" {
                    self.note_opaque(id, path.at, "the namespace of a module", false);
                    self.push(Item::Whole(module), because);
                    continue;
                }
                self.push(Item::Name(module, name), because);
                let of_module = self.binding(module, name);
                next.modules.extend(&of_module.modules);
                next.is_value |= of_module.is_value;
            }
            binding = next;
        }
        for module in binding.modules {
            self.push(Item::Escape(module), because);
        }
    }

    fn follow_syntax(&mut self, uses: &Uses, because: &dyn Fn(TextSize, How) -> Because) {
        for (syntax, at) in &uses.syntax {
            let modules: &[&str] = match syntax {
                Syntax::TypeParameters => &["typing"],
                Syntax::UnionWithText => &["annotationlib", "typing"],
                Syntax::Template => &["string.templatelib"],
            };
            for module in modules {
                if let Some(module) = self.id(module) {
                    let because = because(*at, How::Native);
                    self.push(Item::Load(module, Certainty::InFunction), because);
                    self.push(Item::Escape(module), because);
                }
            }
        }
    }

    fn follow_opaque(
        &mut self,
        id: ModuleId,
        uses: &Uses,
        because: &dyn Fn(TextSize, How) -> Because,
    ) {
        let Some(module) = self.modules.get(id) else {
            return;
        };
        let is_stdlib = module.entry.source.origin == Origin::Stdlib;
        let is_held = module.is_held();
        // The library does so to evaluate annotations and to pickle, with names that come from the module's own text.
        if let Some(at) = uses.any_module
            && !is_stdlib
        {
            self.note_opaque(id, at, "sys.modules", false);
            self.take_any_module(because(at, How::Attribute));
        }
        if let Some(at) = uses.every_module
            && !is_stdlib
        {
            self.note_opaque(id, at, "all of sys.modules", true);
            self.take_any_module(because(at, How::Attribute));
            self.keep_every_module(because(at, How::Attribute));
        }
        for place in &uses.opaque {
            if !is_stdlib && matches!(place.what, "eval" | "exec") {
                self.run_text(because(place.at, How::Text));
            }
            // The library runs only text that it makes itself, from strings that count as names.
            let is_known =
                is_stdlib && (place.own_text || HARMLESS_NAMESPACES.contains(&self.name(id)));
            self.note_opaque(id, place.at, place.what, !is_known && !is_held);
            if is_known {
                for (name, at) in &uses.strings {
                    let name = self.symbol(id, *name);
                    self.push(Item::Name(id, name), because(*at, How::Text));
                }
            } else if is_held {
                // All of it is there; what strings name in it counts as used.
                self.push(Item::Escape(id), because(place.at, How::Text));
            } else {
                self.push(Item::Whole(id), because(place.at, How::Whole));
            }
        }
    }

    fn note_opaque(
        &mut self,
        module: ModuleId,
        at: TextSize,
        what: &'static str,
        keeps_whole: bool,
    ) {
        if !self.options.whole_modules {
            self.opaque.insert(OpaquePlace {
                module,
                at,
                what,
                keeps_whole,
            });
        }
    }

    /// Attributes whose names are put together: what the parts fit counts as used.
    fn follow_affixes(&mut self, id: ModuleId, thing: Thing, uses: &Uses) {
        if uses.affixes.is_empty() && uses.by_name.is_none() {
            return;
        }
        let Some(module) = self.module(id) else {
            return;
        };
        let is_own = module.is_own();
        for affix in &uses.affixes {
            module
                .affixes
                .push((affix.prefix.clone(), affix.suffix.clone(), thing, affix.at));
        }
        let is_here = uses.by_name.is_some();
        if is_here {
            for affix in &uses.affixes {
                let because = Because {
                    from: Some(thing),
                    at: affix.at,
                    how: How::Affix,
                };
                self.reach_affix(&affix.prefix, &affix.suffix, because);
            }
        }
        let Some(module) = self.module(id) else {
            return;
        };
        module.by_computed_name |= is_here;
        if let Some(at) = uses.by_name
            && is_own
        {
            self.keep_own_members(Because {
                from: Some(thing),
                at,
                how: How::Affix,
            });
            self.note_opaque(id, at, "an attribute of a computed name", false);
        }
        let Some(module) = self.module(id) else {
            return;
        };
        if module.by_computed_name {
            for (prefix, suffix, thing, at) in std::mem::take(&mut module.affixes) {
                // Too little to be the beginning of a name that is put together somewhere else.
                let letters = |part: &str| part.chars().filter(|c| c.is_alphanumeric()).count();
                if letters(&prefix).max(letters(&suffix)) < 3 {
                    continue;
                }
                let because = Because {
                    from: Some(thing),
                    at,
                    how: How::Affix,
                };
                self.reach_affix(&prefix, &suffix, because);
            }
        }
    }

    /// Every name that fits counts as used: those known by now, and those that come up later.
    pub(super) fn reach_affix(&mut self, prefix: &str, suffix: &str, because: Because) {
        let fits = |text: &str| {
            text.len() > prefix.len() + suffix.len()
                && text.starts_with(prefix)
                && text.ends_with(suffix)
        };
        let waiting: BTreeSet<Symbol> = self
            .waiting_members
            .keys()
            .chain(self.waiting_names.keys())
            .chain(self.awaited.keys())
            .copied()
            .filter(|symbol| fits(self.symbols.text(*symbol)))
            .collect();
        for symbol in waiting {
            self.push(Item::Attribute(symbol), because);
        }
        if hidden_imports::TAKES_APART.into_iter().any(fits) {
            self.pickle(because);
        }
        self.affixes.push((prefix.into(), suffix.into(), because));
    }

    /// The affix that a name fits.
    pub(super) fn fitting_affix(&self, name: Symbol) -> Option<Because> {
        let text = self.symbols.text(name);
        self.affixes
            .iter()
            .find(|(prefix, suffix, _)| {
                text.len() > prefix.len() + suffix.len()
                    && text.starts_with(&**prefix)
                    && text.ends_with(&**suffix)
            })
            .map(|(_, _, because)| *because)
    }
}
