//! Built-in functions that are treated apart.

/// A built-in function that makes it hard to tell what is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Builtin {
    /// Takes the name of an attribute.
    Attribute,
    /// Gives a namespace.
    Namespace(&'static str),
    /// Runs text.
    RunsText(&'static str),
}

impl Builtin {
    /// What the built-in function `name` is, if it is one of these.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "getattr" | "hasattr" | "setattr" | "delattr" => Self::Attribute,
            "globals" => Self::Namespace("globals"),
            "locals" => Self::Namespace("locals"),
            "vars" => Self::Namespace("vars"),
            "dir" => Self::Namespace("dir"),
            "eval" => Self::RunsText("eval"),
            "exec" => Self::RunsText("exec"),
            _ => return None,
        })
    }
}
