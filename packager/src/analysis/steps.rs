//! What importing a module does, reduced to its imports: the program that [`super::evaluate`] runs.
//!
//! Whether a `try` around an import keeps its handler depends on what other modules do, so collecting keeps the
//! structure and decides only what the target alone decides.

use std::collections::BTreeMap;

use ruff_text_size::TextSize;

use super::flow::Flow;

/// One thing that happens while a module's code runs, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// An import.
    Import(Import),
    /// Exactly one of these runs; which one is not known.
    Either(Vec<Vec<Step>>),
    /// Runs any number of times.
    Loop(Vec<Step>),
    /// A `try` statement, or a `with contextlib.suppress(...)`.
    Try(Box<Try>),
    /// A function's body: runs when somebody calls it.
    Later(Vec<Step>),
    /// Nothing behind this is reached.
    Stop(Stop),
}

/// Why nothing behind a step is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// `raise ImportError`.
    ImportError,
    /// `raise ModuleNotFoundError`.
    ModuleNotFound,
    /// `raise` alone: whatever the handler around it caught.
    Reraise,
    /// A built-in exception of another kind, `sys.exit()` too.
    Exception,
    /// An exception whose class is not known.
    Unknown,
    /// `return`, `break` and `continue`.
    Leave,
}

/// A `try` statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Try {
    pub(super) body: Vec<Step>,
    /// Whether the body calls something: then it can raise whatever the callee raises, `ImportError` too.
    pub(super) body_calls: bool,
    /// Whether the body does more than import, define and assign names: then it can raise exceptions of other kinds.
    pub(super) body_raises: bool,
    pub(super) handlers: Vec<Handler>,
    pub(super) orelse: Vec<Step>,
    pub(super) finally: Vec<Step>,
}

/// An `except` clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Handler {
    /// Where the `except` begins.
    pub(super) at: TextSize,
    pub(super) catches: Catches,
    pub(super) steps: Vec<Step>,
}

/// What an `except` clause catches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Catches {
    /// What it catches for sure.
    pub(super) sure: Flow,
    /// What it may catch.
    pub(super) perhaps: Flow,
}

impl Catches {
    /// What `except:` catches.
    pub(super) const EVERYTHING: Self = Self {
        sure: Flow::RAISES,
        perhaps: Flow::NEVER,
    };
    /// What `except ():` catches.
    pub(super) const NOTHING: Self = Self {
        sure: Flow::NEVER,
        perhaps: Flow::NEVER,
    };

    /// What it catches or may catch.
    pub(super) fn any(self) -> Flow {
        self.sure | self.perhaps
    }
}

/// One import with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Import {
    /// Where it stands in the text.
    pub(super) at: TextSize,
    /// The line, from 1.
    pub(super) line: u32,
    pub(super) request: Request,
}

/// What an import asks for; names are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    /// `import a.b`.
    Module(String),
    /// `from a.b import c`.
    Name { module: String, name: String },
    /// `from a.b import *`.
    Star(String),
    /// `importlib.import_module("a.b")`.
    Call(String),
    /// `importlib.util.find_spec("a.b")`, which finds a module or does not, and imports the packages around it.
    Find(String),
    /// `importlib.import_module(name)`: the argument's source text.
    Dynamic(String),
    /// A relative import that leaves the top-level package: its source text.
    Beyond(String),
    /// A text encoding that is named in a call: its name as written.
    Codec(String),
}

/// How certain it is that a module's top level binds a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bound {
    /// Somewhere in a branch, a loop, a `try`, or by a function that declares it `global`.
    Maybe,
    /// Always, once the module has run.
    Always,
}

/// What analysis keeps of a module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ModuleFacts {
    /// What importing it does.
    pub(super) steps: Vec<Step>,
    /// The names its top level binds.
    pub(super) names: BTreeMap<String, Bound>,
    /// The modules whose names it takes over with `import *`.
    pub(super) stars: Vec<String>,
    /// Attributes that it gives to what an import binds, which may be a module; not told of the library.
    pub(super) sets: Vec<String>,
    /// Whether it can bind names that cannot be seen: `globals()`, `exec`, a module `__getattr__`.
    pub(super) open_names: bool,
    /// The string literals of its `__all__`.
    pub(super) all: Vec<String>,
    /// Whether its `__all__` can hold more than these.
    pub(super) open_all: bool,
    /// Modules it puts into `sys.modules` under a literal name, as `os` does with `os.path`.
    pub(super) provides: Vec<String>,
    /// Whether it changes where its submodules come from: its `__path__`, `sys.meta_path`, computed keys of `sys.modules`.
    pub(super) open_children: bool,
}

impl ModuleFacts {
    /// Whether `import *` takes `name`, should the module have it: what `__all__` lists or, where there is none, what has no
    /// underscore in front. `None` when only running the program tells.
    pub(super) fn exports(&self, name: &str) -> Option<bool> {
        if !self.names.contains_key("__all__") {
            Some(!name.starts_with('_'))
        } else if self.all.iter().any(|listed| listed == name) {
            Some(true)
        } else {
            (!self.open_all).then_some(false)
        }
    }
}
