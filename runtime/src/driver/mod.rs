//! What the two drivers of the executor have in common: [threads](crate::pipeline) natively, and [a host that
//! asks](crate::web).

mod rust_node;

use std::fmt;

pub(crate) use self::rust_node::{Calls, RustNode};
use crate::executor::Work;

/// How many packets of earlier items may wait on one connection. Enough to keep neighbours busy; more would only cost
/// memory.
pub(crate) const QUEUE_CAPACITY: usize = 16;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Nodes are being made; no item is worked on before all are there.
    Starting,
    Running,
    /// Everything is done, or a failure has decided the run: nodes finish what they are at, and clean up.
    Ending,
    /// Nobody is interested any more: nodes are interrupted.
    Cancelled,
}

/// What a node was at when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It was being made.
    Start,
    /// It worked on the item with this number, from 0.
    Item(u64),
    /// It had no item, as a node over the whole stream may be at something meanwhile. The number of the last one that it got,
    /// from 0; none before the first.
    Between(Option<u64>),
    /// It made items.
    Source,
    /// Its input had ended.
    End,
    /// Everything was over.
    Cleanup,
}

impl Moment {
    pub(crate) fn of(work: &Work) -> Self {
        match work {
            Work::Process(packet) => Self::Item(packet.metadata.sequence),
            Work::Generate => Self::Source,
            Work::Flush => Self::End,
        }
    }
}

/// What is said of the node; items count from 1.
impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => formatter.write_str("could not be started"),
            Self::Item(number) => write!(formatter, "failed on item {}", number + 1),
            Self::Between(None) => formatter.write_str("failed before its first item"),
            Self::Between(Some(number)) => {
                write!(formatter, "failed between items, after item {}", number + 1)
            }
            Self::Source => formatter.write_str("failed"),
            Self::End => formatter.write_str("failed at the end of the stream"),
            Self::Cleanup => formatter.write_str("failed while it cleaned up"),
        }
    }
}
