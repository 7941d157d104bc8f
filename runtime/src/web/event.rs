//! What a run tells its host.

use std::time::Duration;

use super::failure::RunFailure;
use crate::graph::NodeIndex;
use crate::python::operation::Operation;
use crate::value::Value;

/// Something that the host has to do, or may want to know.
#[derive(Debug)]
pub enum Event {
    /// An interpreter has something to do; to be [replied](super::Run::reply) to.
    Request(Request),
    /// To be told when so much time has passed: [`Run::wake`](super::Run::wake).
    Sleep {
        /// What the host names then.
        ticket: u64,
        /// How much.
        duration: Duration,
        /// What a node is at that sleeps in the middle of it. A host with a limit for that lets it sleep so long and then
        /// says that the node is [lost](super::Reply::Lost). None for one that waits between two pieces of work.
        within: Option<Within>,
    },
    /// An error that does not end the run.
    Report {
        /// What comes of it.
        policy: Policy,
        /// The error.
        failure: RunFailure,
    },
    /// A node is done with a piece of work.
    Worked {
        /// The node.
        node: NodeIndex,
        /// How many milliseconds it was at work; not what it slept or waited for room.
        time: f64,
    },
}

/// Something that a node is at, for a host that gives it only so much time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Within {
    /// Which instance of a node.
    pub lane: usize,
    /// How many milliseconds it was at it before, asleep or not, since it last gave something.
    pub spent: f64,
}

/// Something for an interpreter to do.
#[derive(Debug, PartialEq)]
pub struct Request {
    /// What the host names when it answers.
    pub ticket: u64,
    /// Which interpreter; a lane has one, and a fresh one for each [`Operation::Create`].
    pub lane: usize,
    /// The node that is at work there.
    pub node: NodeIndex,
    /// What to do.
    pub operation: Operation,
    /// Whether it is to be done only if what this interpreter was asked for before came to a plain end: it answered with a
    /// list of outputs. It is to be [passed over](super::Reply::PassedOver) otherwise.
    pub is_ahead: bool,
    /// How many milliseconds the node was at what this goes on with, asleep or not, since it last gave something.
    pub spent: f64,
    /// With what; a tuple.
    pub arguments: Value,
}

/// What came of an error that did not end the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The node went on with the next item.
    Skipped,
    /// The stream ended there.
    Stopped,
    /// Another error had ended the run already.
    AsWell,
}

/// How a run has ended.
#[derive(Debug)]
pub enum Ending<'a> {
    /// Every result was delivered.
    Finished,
    /// A node failed; every result that comes before that was delivered.
    Failed(&'a RunFailure),
}
