//! What a module is made of, below the module: the pieces that can stay or go one by one, and what each of them uses.
//!
//! [`define`] splits the top level of a module into [`Unit`]s. A function, a class, an assignment or one name of an import
//! is a unit; so is any other statement as a whole, but `if`, whose arms hold units of their own. A class has [`Member`]s
//! besides: those of its methods that can go alone. Each piece has its [`Uses`]: the names, attributes and modules that its
//! code mentions. What follows from them is decided by [`super::reach`].

mod accelerated;
mod aliases;
mod builtin;
mod effects;
mod finder;
mod handed_on;
mod imported;
mod lazy;
mod names;
mod operators;
mod pure;
mod quiet;
mod scope;
mod units;
mod uses;

pub(super) use units::define;

use ruff_text_size::{TextRange, TextSize};
use smallvec::SmallVec;

use super::interner::Texts;
use super::steps::Request;

/// A name of a module's [`Definitions::names`], by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name(pub(super) u32);

/// The pieces of a module.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    /// The text of every [`Name`].
    names: Texts,
    /// The pieces of the top level, in order.
    pub(super) units: Vec<Unit>,
    /// The `if` statements around them, outer ones first.
    pub(super) frames: Vec<Frame>,
    /// Arms that never run on the target.
    pub(super) dead_arms: Vec<TextRange>,
    /// What functions bind names of the module to, by importing it.
    pub(super) global_imports: Vec<(Name, Root)>,
    /// Each `import *` inside a statement, which stays as it is. One that stands alone is a unit of its own.
    pub(super) inner_stars: Vec<InnerStar>,
    /// Whether annotations are texts, as `from __future__ import annotations` says.
    pub(super) text_annotations: bool,
    /// Units that are replaced before anything uses them, but for what reads their name above that place.
    pub(super) replaced: Vec<Replacement>,
}

/// An `import *` inside a statement.
#[derive(Debug)]
pub(super) struct InnerStar {
    /// The statement.
    pub(super) unit: u32,
    /// The module that it takes everything of.
    pub(super) from: String,
    pub(super) at: TextSize,
}

/// A unit that is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Replacement {
    pub(super) unit: u32,
    pub(super) name: Name,
    /// Where the statement begins that replaces it.
    pub(super) by: TextSize,
}

impl Definitions {
    /// The text of a name.
    pub(super) fn text(&self, name: Name) -> &str {
        self.names.get(name.0)
    }

    /// All names, in the order of their numbers.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.names.iter()
    }

    /// How many names there are.
    pub(super) fn name_count(&self) -> usize {
        self.names.len()
    }
}

/// Something at a module's top level that stays or goes.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) kind: UnitKind,
    /// The statement; for one name of an import, the name's part of it.
    pub(super) range: TextRange,
    /// The names it binds, and those whose objects it changes.
    pub(super) defines: Vec<Name>,
    /// Those of them that it does not bind: it only changes their objects.
    pub(super) changes: Box<[Name]>,
    pub(super) effect: Effect,
    /// It has an effect where one of these is.
    pub(super) noticed_by: Vec<Witness>,
    /// `copyreg.pickle(type, function)`
    pub(super) is_pickle_registration: bool,
    /// `Integral.register(int)`
    pub(super) registers_subclass: bool,
    pub(super) uses: Uses,
    /// The handlers of the `try` statements in it: they count only if they can run.
    pub(super) handlers: Vec<HandlerPart>,
    /// What a module's `__getattr__` does for some names only.
    pub(super) lazy: Vec<LazyPart>,
    /// The methods of a class that can go alone.
    pub(super) members: Vec<Member>,
    /// What a class is made from, to find out what defining it sets off.
    pub(super) bases: Vec<Base>,
    /// The methods of a class that are declared abstract.
    pub(super) abstracts: Vec<Name>,
    /// What the imports in it bind its names to, and where.
    pub(super) imports: Vec<(Name, Root, TextSize)>,
    /// The innermost `if` around it.
    pub(super) frame: Option<usize>,
}

impl Unit {
    /// What everything in it uses, whether it can go alone or not.
    pub(super) fn all_uses(&self) -> impl Iterator<Item = &Uses> {
        let handlers = self.handlers.iter().map(|handler| &handler.uses);
        let lazy = self.lazy.iter().map(|part| &part.uses);
        let members = self.members.iter().map(|member| &member.uses);
        std::iter::once(&self.uses)
            .chain(handlers)
            .chain(lazy)
            .chain(members)
    }
}

/// What the application can notice by of a piece that ran, although the piece does nothing to what others have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Witness {
    /// An object is told under which name a class has it.
    SetName,
    /// All loggers there are can be listed.
    Loggers,
    /// An object can tell when nobody has it any more.
    Lifetime,
}

impl Witness {
    pub(super) const ALL: [Self; 3] = [Self::SetName, Self::Loggers, Self::Lifetime];

    /// The names of which the application spells one if it does notice.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::SetName => &["__set_name__"],
            Self::Loggers => &["getChildren", "loggerDict"],
            Self::Lifetime => &["__del__", "weakref"],
        }
    }
}

/// What a class is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    /// What a name stands for.
    Named(Path),
    /// A class that does nothing about its subclasses.
    Plain,
    /// Whatever an expression gives.
    Computed,
}

/// What kind of statement a unit is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UnitKind {
    Function,
    Class {
        /// Defining a subclass can run code of this class: it has `__init_subclass__` or a metaclass of its own.
        hooks_subclasses: bool,
    },
    Assignment,
    /// One name of an import statement.
    Import {
        /// The whole statement.
        statement: TextRange,
        request: Request,
        /// `import a.b` binds `a`; with `as`, and in `from a import b`, the name stands for the whole.
        binds_whole: bool,
    },
    /// `del a, b`
    Delete,
    Other,
}

/// What running a unit does besides binding its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// Nothing.
    None,
    /// It changes something in its own module that cannot be told by name, or something of others that matters only to
    /// those who use the module: it runs whenever the module does.
    Module,
    /// It may change anything: importing the module matters even if nobody uses it.
    Anything,
}

/// A handler of a `try` statement, which stands outside of functions.
#[derive(Debug)]
pub(super) struct HandlerPart {
    /// Where the `except` begins; see [`super::steps::Handler::at`].
    pub(super) at: TextSize,
    pub(super) body: TextRange,
    pub(super) uses: Uses,
}

/// A part of a module's `__getattr__` that runs only for names that the text lists.
#[derive(Debug)]
pub(super) struct LazyPart {
    /// The parameter that has the name that is asked for.
    pub(super) asked: Name,
    /// These names.
    pub(super) names: Vec<Name>,
    pub(super) range: TextRange,
    pub(super) uses: Uses,
}

/// A method that can go while its class stays.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: Name,
    pub(super) range: TextRange,
    pub(super) uses: Uses,
}

/// An `if` statement whose arms hold units.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) range: TextRange,
    /// What its conditions use.
    pub(super) uses: Uses,
    pub(super) effect: Effect,
    pub(super) parent: Option<usize>,
    /// The bodies of its arms.
    pub(super) arms: Vec<TextRange>,
}

/// What a piece of code mentions. Each mention has the place where it is made first.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Globals whose value is taken.
    pub(super) names: Vec<(Name, TextSize)>,
    /// Chains of attributes that begin at a name.
    pub(super) paths: Vec<Path>,
    /// Attributes of values that are not known.
    pub(super) attributes: Vec<(Name, TextSize)>,
    /// Strings that could be names of attributes.
    pub(super) strings: Vec<(Name, TextSize)>,
    /// Beginnings and ends of names that are put together at run time.
    pub(super) affixes: Vec<Affix>,
    /// Names that are taken from modules by `from` imports.
    pub(super) imports: Vec<(Name, Name, TextSize)>,
    /// Names of the class around it.
    pub(super) siblings: Vec<Name>,
    /// What makes it impossible to tell which names are used.
    pub(super) opaque: Vec<Opaque>,
    /// Syntax for which the interpreter imports modules of its own.
    pub(super) syntax: Vec<(Syntax, TextSize)>,
    /// A module is taken from `sys.modules` by a name that is not in the text.
    pub(super) any_module: Option<TextSize>,
    /// Modules that are taken from there if they are there: `sys.modules.get("a")`.
    pub(super) peeked: Vec<(Name, TextSize)>,
    /// All of `sys.modules` is gone through.
    pub(super) every_module: Option<TextSize>,
    /// What longer texts of the application spell, which may be run.
    pub(super) words: Vec<(Name, TextSize)>,
    /// The attribute of an object is taken by a name that is not in the text.
    pub(super) by_name: Option<TextSize>,
}

/// `a.b.c`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) root: Root,
    pub(super) attributes: SmallVec<[Name; 4]>,
    pub(super) at: TextSize,
}

/// Where a chain of attributes begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Root {
    /// A global of the module.
    Global(Name),
    /// A module, by its absolute name.
    Module(Name),
    /// `name` of `module`, imported inside a function.
    From { module: Name, name: Name },
}

/// The beginning and the end of a name whose middle is not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Affix {
    pub(super) prefix: Box<str>,
    pub(super) suffix: Box<str>,
    pub(super) at: TextSize,
}

/// A place at which a module's names can be used without being mentioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opaque {
    pub(super) what: &'static str,
    pub(super) at: TextSize,
    /// Only text that is in the module's own strings is run.
    pub(super) own_text: bool,
}

/// Syntax that is more than it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Syntax {
    /// Type parameters and type aliases: the interpreter asks `typing`.
    TypeParameters,
    /// `X | "Y"`: it asks `annotationlib`.
    UnionWithText,
    /// `t"..."`.
    Template,
}
