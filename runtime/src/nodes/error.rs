//! What can go wrong with a node.

use std::error::Error;

use crate::suggest::{DidYouMean, nearest};
use crate::value::Value;

/// Why a node could not be made, or could not take a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// No node is registered under a name.
    #[error("no Rust node is called `{node_type}`{}", DidYouMean(nearest.as_ref()))]
    UnknownType {
        /// The name.
        node_type: String,
        /// The nearest registered name.
        nearest: Option<String>,
    },
    /// A param that must be there is not.
    #[error("param `{name}` is missing: expected {expected}")]
    MissingParam {
        /// The param.
        name: &'static str,
        /// What should be there.
        expected: &'static str,
    },
    /// A param of the wrong type.
    #[error("param `{name}`: expected {expected}, found {found}")]
    ParamType {
        /// The param.
        name: &'static str,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A param that the node does not have.
    #[error("unknown param `{name}`, known: {}{}", listed(known), DidYouMean(nearest.as_ref()))]
    UnknownParam {
        /// The param.
        name: String,
        /// The params that the node has.
        known: Box<[&'static str]>,
        /// The nearest of them.
        nearest: Option<String>,
    },
    /// A value to process that is of the wrong type.
    #[error("expected {expected}, got {found}")]
    Input {
        /// What the node takes.
        expected: &'static str,
        /// What came.
        found: String,
    },
    /// Anything else.
    #[error("{message}")]
    Failed {
        /// What failed.
        message: String,
        /// Why, if something else knows.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl NodeError {
    /// A value that the node does not take.
    pub fn input(expected: &'static str, found: &Value) -> Self {
        NodeError::Input {
            expected,
            found: found.describe(),
        }
    }

    /// A failure in words.
    pub fn failed(message: impl Into<String>) -> Self {
        NodeError::Failed {
            message: message.into(),
            source: None,
        }
    }

    /// A name that is none of a node's operations; `what` says what it was given as.
    pub(super) fn unknown_name(what: &str, found: &Value, known: &[&str]) -> Self {
        let guess = found
            .as_str()
            .and_then(|name| nearest(name, known.iter().copied()));
        Self::failed(format!(
            "{what} {}, known: {}{}",
            found.describe(),
            known.join(", "),
            DidYouMean(guess)
        ))
    }

    /// A failure in words, caused by another error.
    pub fn caused(
        message: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        NodeError::Failed {
            message: message.into(),
            source: Some(source.into()),
        }
    }
}

/// A manifest's node whose type nobody knows; for whoever looks types up, among Rust nodes or Python classes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{place}: node `{id}` has the unknown type `{node_type}`, searched in {}{}",
    searched.join(", "),
    DidYouMean(nearest.as_ref())
)]
pub struct UnknownNodeType {
    /// The place in the manifest, for example `nodes[2].node_type`.
    pub place: String,
    /// The node's id.
    pub id: String,
    /// The type.
    pub node_type: String,
    /// What was searched, in words; at least one.
    pub searched: Vec<String>,
    /// The nearest type that was found there.
    pub nearest: Option<String>,
}

fn listed(known: &[&str]) -> String {
    if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_everything_once() {
        let mut error = UnknownNodeType {
            place: "nodes[2].node_type".into(),
            id: "clean".into(),
            node_type: "TextNod".into(),
            searched: vec!["the built-in Rust nodes".into(), "./nodes".into()],
            nearest: Some("TextNode".into()),
        };
        assert_eq!(
            error.to_string(),
            "nodes[2].node_type: node `clean` has the unknown type `TextNod`, \
             searched in the built-in Rust nodes, ./nodes; did you mean `TextNode`?"
        );
        error.nearest = None;
        assert!(error.to_string().ends_with("./nodes"));
        let failed = NodeError::caused("cannot decode", "bad byte");
        assert_eq!(failed.to_string(), "cannot decode");
        assert_eq!(failed.source().unwrap().to_string(), "bad byte");
    }
}
