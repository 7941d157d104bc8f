//! A value on its way through the graph, with what is known about it.

use std::sync::Arc;

use crate::value::Value;

/// What is known about a value beside the value itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The session that the value belongs to, where one stream carries several.
    pub session: Option<Arc<str>>,
    /// When the value belongs, in microseconds on the stream's own clock.
    pub timestamp_us: Option<i64>,
    /// The number of the item that it came from, from 0; the number after the last item for what came from a flush.
    pub sequence: u64,
}

/// A value that travels.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    /// What travels.
    pub value: Value,
    /// What is known about it.
    pub metadata: Metadata,
}

/// What a node gives: a value, and what about it differs from the packet that the node was working on.
#[derive(Clone, Debug, PartialEq)]
pub struct Emission {
    /// What is given.
    pub value: Value,
    /// The named output that it leaves on; `None` is the node's main output.
    pub output: Option<Arc<str>>,
    /// Another session than that of the packet worked on.
    pub session: Option<Arc<str>>,
    /// Another timestamp than that of the packet worked on.
    pub timestamp_us: Option<i64>,
}

impl Emission {
    /// A value on the main output, with the metadata of the packet worked on.
    pub fn new(value: impl Into<Value>) -> Self {
        Self {
            value: value.into(),
            output: None,
            session: None,
            timestamp_us: None,
        }
    }

    /// The same on a named output.
    #[must_use]
    pub fn on(mut self, output: impl Into<Arc<str>>) -> Self {
        self.output = Some(output.into());
        self
    }

    /// The same with another timestamp, in microseconds.
    #[must_use]
    pub fn at(mut self, timestamp_us: i64) -> Self {
        self.timestamp_us = Some(timestamp_us);
        self
    }

    /// The same in another session.
    #[must_use]
    pub fn in_session(mut self, session: impl Into<Arc<str>>) -> Self {
        self.session = Some(session.into());
        self
    }
}

impl<V: Into<Value>> From<V> for Emission {
    fn from(value: V) -> Self {
        Self::new(value)
    }
}
