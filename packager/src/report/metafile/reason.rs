//! Why something is in a bundle.

use serde::{Deserialize, Serialize};

/// A module, or a definition of one, by number. As JSON `[module]` or `[module, definition]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<usize>", into = "Vec<usize>")]
pub struct Place {
    /// The number of the module in [`Metafile::modules`](super::Metafile::modules), from 0.
    pub module: usize,
    /// The number of the definition in [`Module::definitions`](super::Module::definitions), from 0; `None` is the module
    /// itself, that is, the code that runs when it is imported.
    pub definition: Option<usize>,
}

impl Place {
    /// The module of this number.
    pub fn module(module: usize) -> Self {
        Self {
            module,
            definition: None,
        }
    }

    /// A definition of a module.
    pub fn definition(module: usize, definition: usize) -> Self {
        Self {
            module,
            definition: Some(definition),
        }
    }
}

impl TryFrom<Vec<usize>> for Place {
    type Error = &'static str;

    fn try_from(numbers: Vec<usize>) -> Result<Self, Self::Error> {
        match *numbers {
            [module] => Ok(Self::module(module)),
            [module, definition] => Ok(Self::definition(module, definition)),
            _ => Err("a place is the number of a module, or those of a module and a definition"),
        }
    }
}

impl From<Place> for Vec<usize> {
    fn from(place: Place) -> Self {
        [place.module].into_iter().chain(place.definition).collect()
    }
}

/// What brought something into a bundle: another thing in it, or a root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Because {
    /// Something else that is in the bundle.
    Link(Link),
    /// The node type, as the manifest names it, whose class is there.
    Node(String),
    /// The interpreter cannot do without.
    Interpreter,
    /// A key of `[tool.rm-pack]`, such as `include`.
    Setting(String),
    /// A run of the program that was recorded, by the record's name.
    Trace(String),
}

/// One thing in a bundle leads to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What leads there.
    pub from: Place,
    /// The line where it does, in the file of its module, from 1; 0 where there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub line: u32,
    /// How.
    pub kind: LinkKind,
    /// Whether it happens whenever the code around it runs.
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub when: When,
}

/// How one thing leads to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    /// Imports the module, or a name from it.
    Import,
    /// Imports from inside the package.
    Package,
    /// Imports the module by a name that is computed.
    Computed,
    /// Names the text encoding that the module is for.
    Codec,
    /// Imports or calls it from C.
    Native,
    /// Calls it.
    Call,
    /// Mentions its name.
    Name,
    /// Takes an attribute of this name, of whatever object.
    Attribute,
    /// Has a string that is its name.
    String,
    /// Is decorated with it.
    Decorator,
    /// Is a class that is derived from it.
    Base,
    /// Contains it, and is kept as one: what a definition in a class or in a module that is whole is in for.
    Part,
    /// Runs it when it is imported.
    Effect,
}

impl LinkKind {
    /// Every kind, in the order of their declaration.
    pub const ALL: [Self; 13] = [
        Self::Import,
        Self::Package,
        Self::Computed,
        Self::Codec,
        Self::Native,
        Self::Call,
        Self::Name,
        Self::Attribute,
        Self::String,
        Self::Decorator,
        Self::Base,
        Self::Part,
        Self::Effect,
    ];

    /// The words between what leads and what it leads to.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Import => "imports",
            Self::Package => "imports from the package",
            Self::Computed => "imports, by a computed name,",
            Self::Codec => "names the encoding in",
            Self::Native => "uses, from C,",
            Self::Call => "calls",
            Self::Name => "mentions",
            Self::Attribute => "takes an attribute that may be",
            Self::String => "names, in a string,",
            Self::Decorator => "is decorated with",
            Self::Base => "is derived from",
            Self::Part => "contains",
            Self::Effect => "runs, when it is imported,",
        }
    }
}

/// Whether a link is followed whenever the code around it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Always.
    #[default]
    Always,
    /// In a branch that is not decided, or where its failure is caught.
    Guarded,
    /// In a function: when somebody calls it.
    Called,
}

impl When {
    /// Every one, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::Always, Self::Guarded, Self::Called];

    /// The words behind a link.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Always => "",
            Self::Guarded => ", guarded",
            Self::Called => ", in a function",
        }
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    fn is_always(&self) -> bool {
        *self == Self::Always
    }
}

impl Because {
    /// What leads there; `None` at a root.
    pub fn from(&self) -> Option<Place> {
        match self {
            Self::Link(link) => Some(link.from),
            Self::Node(_) | Self::Interpreter | Self::Setting(_) | Self::Trace(_) => None,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
