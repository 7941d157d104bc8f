//! What a node gives.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;

use super::NodeError;
use crate::packet::{Emission, Metadata};
use crate::value::Value;

/// What comes one after the other: of a source, or of an item that becomes many. Pulled as fast as the graph takes it.
pub type Source = Box<dyn Iterator<Item = Result<Emission, NodeError>> + Send>;

/// What comes later; nothing, or one more output.
pub type Later = Pin<Box<dyn Future<Output = Result<Option<Emission>, NodeError>> + Send>>;

/// One thing that a node gave.
pub enum Given {
    /// An output.
    Now(Emission),
    /// Outputs to be pulled while there is room for them.
    Lazily(Source),
    /// An output to be awaited.
    Later(Later),
}

/// Where a node puts what it gives; outputs leave in this order.
#[derive(Debug, Default)]
pub struct Outputs {
    metadata: Metadata,
    given: VecDeque<Given>,
}

impl Outputs {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing yet, for a packet with this metadata.
    pub fn of(metadata: Metadata) -> Self {
        Self {
            metadata,
            given: VecDeque::new(),
        }
    }

    /// The metadata of the packet that the node works on; what the node gives inherits it.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Gives a value, or an [`Emission`] for more than the value.
    pub fn push(&mut self, output: impl Into<Emission>) {
        self.given.push_back(Given::Now(output.into()));
    }

    /// Gives many outputs that are made only as the graph has room for them, so that an item may become any number.
    pub fn extend_lazily<I>(&mut self, outputs: I)
    where
        I: IntoIterator<Item = Result<Emission, NodeError>>,
        I::IntoIter: Send + 'static,
    {
        self.given
            .push_back(Given::Lazily(Box::new(outputs.into_iter())));
    }

    /// Gives what a future comes to. The node gets nothing else to do before that, and no other node waits for it.
    pub fn push_later<F>(&mut self, output: F)
    where
        F: Future<Output = Result<Option<Emission>, NodeError>> + Send + 'static,
    {
        self.given.push_back(Given::Later(Box::pin(output)));
    }

    /// The values that were given at once, in order, without what comes lazily or later; for tests of a node.
    pub fn into_values(self) -> Vec<Value> {
        let now = |given| match given {
            Given::Now(emission) => Some(emission.value),
            Given::Lazily(_) | Given::Later(_) => None,
        };
        self.given.into_iter().filter_map(now).collect()
    }

    /// All that was given, in order, for whoever drives nodes.
    pub fn into_given(self) -> impl Iterator<Item = Given> {
        self.given.into_iter()
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(emission) => formatter.debug_tuple("Now").field(emission).finish(),
            Self::Lazily(_) => formatter.write_str("Lazily"),
            Self::Later(_) => formatter.write_str("Later"),
        }
    }
}
