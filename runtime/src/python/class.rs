//! Where a node's class is, and what shape it has.

use serde::{Deserialize, Serialize};

/// The class behind a type of node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PythonNode {
    /// The module, by its dotted name.
    pub module: String,
    /// The class in it.
    pub class: String,
    /// Whether `process` is a coroutine or an asynchronous generator.
    pub is_async: bool,
    /// Whether `process` takes the whole stream instead of an item.
    pub is_streaming: bool,
    /// Whether `process` takes nothing: the node is a source.
    #[serde(default)]
    pub is_source: bool,
}
