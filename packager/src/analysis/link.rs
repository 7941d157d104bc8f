//! One step from an importer to what it imports.

use std::fmt;

/// How certain it is that an import runs when its module is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// At the top level, unguarded.
    Certain,
    /// In a branch that is not decided, or where its failure is caught.
    Guarded,
    /// In a function: when somebody calls it.
    InFunction,
}

/// What kind of link one module has to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkKind {
    /// A node's class is in the module.
    Node,
    /// `import a`.
    Import,
    /// `from a import name`.
    From,
    /// `from package import submodule`.
    Submodule,
    /// `from a import *`.
    Star,
    /// The package around an imported module.
    Package,
    /// `importlib.import_module("a")`.
    Call,
    /// A text encoding that is named in a call.
    Codec,
    /// A module of the standard library imports it by a name that it computes.
    Computed,
    /// A module written in C imports it.
    Native,
    /// The interpreter's own core needs it.
    Interpreter,
}

/// One link of an import chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The importing module; the node type for [`LinkKind::Node`]; empty for [`LinkKind::Interpreter`].
    pub from: String,
    /// The module that is imported.
    pub to: String,
    /// The importer's file, below its root; empty where there is none.
    pub file: String,
    /// The line in that file, from 1; 0 where there is none.
    pub line: u32,
    /// How the one leads to the other.
    pub kind: LinkKind,
    /// How certain this link is.
    pub certainty: Certainty,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            from,
            to,
            file,
            line,
            kind,
            certainty,
        } = self;
        match kind {
            LinkKind::Node => return write!(f, "node type `{from}` is in `{to}`"),
            LinkKind::Interpreter => return write!(f, "the interpreter needs `{to}`"),
            LinkKind::Computed => {
                return write!(f, "`{from}` ({file}) imports `{to}` by a computed name");
            }
            LinkKind::Native => return write!(f, "`{from}` (written in C) imports `{to}`"),
            LinkKind::Import
            | LinkKind::From
            | LinkKind::Submodule
            | LinkKind::Star
            | LinkKind::Call => {
                write!(f, "`{from}` ({file}:{line}) imports `{to}`")?;
            }
            LinkKind::Package => write!(
                f,
                "`{from}` ({file}:{line}) imports from the package `{to}`"
            )?,
            LinkKind::Codec => write!(f, "`{from}` ({file}:{line}) names the encoding in `{to}`")?,
        }
        match certainty {
            Certainty::Certain => Ok(()),
            Certainty::Guarded => write!(f, ", guarded"),
            Certainty::InFunction => write!(f, ", in a function"),
        }
    }
}
