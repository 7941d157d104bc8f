//! Which modules a pipeline's Python nodes need, and why.
//!
//! [`find_nodes`] finds the class behind each node type; [`analyse`] follows the imports of the modules those classes
//! are in. A module goes through four steps, each in a file of its own: [`parse`](ParsedModule) makes the tree, `collect`
//! keeps of it what importing the module does, `world` finds everything any of that can lead to, and `evaluate` decides
//! which of it happens on the [`Target`]. Files are read, parsed and split into `definitions` in parallel, each once;
//! everything after that is sequential and sorted, so that the outcome does not depend on the number of threads.
//!
//! What is decided, and what is not:
//! - Conditions that the target alone decides are decided; their dead branches import nothing.
//! - `try` around imports is decided by whether the imports work on the target, transitively; in doubt both ways stay.
//! - Imports in functions are followed as if the function were called.
//! - A module that is there but certain to raise `ImportError` on the target is left out, unless a node depends on it.
//! - A module of the application that is not Python is an error, also where only a function imports it.
//! - An import of something that does not exist is an error only if every link from a node to it is certain to run.

mod closure;
mod cold;
mod collect;
mod condition;
mod cut;
mod definitions;
mod evaluate;
mod exceptions;
mod expressions;
mod flow;
mod hidden_imports;
mod interner;
mod lines;
mod link;
mod listing;
mod names;
mod nodes;
mod parse;
mod problem;
mod reach;
mod steps;
mod target;
mod world;

pub use closure::{
    Closure, DynamicImport, NodeModule, OpaquePlace, ReachedModule, Shaken, analyse,
};
pub use cold::Piece;
pub use link::{Certainty, Link, LinkKind};
pub use listing::{Definition, DefinitionKind, Reached};
pub(crate) use nodes::with_bases;
pub use nodes::{ClassSite, NodeClass, NodeError, ProcessKind, find_nodes};
pub use parse::{ParsedModule, SyntaxError};
pub use problem::{AnalysisError, ImportProblems, MissingImport, MissingKind};
pub use reach::{How, Options};
pub use target::Target;

#[cfg(test)]
mod tests;
