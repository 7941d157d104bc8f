//! One instance of a node, and what it is at.

use super::ahead::Ahead;
use super::failure::Moment;
use super::run::RustNode;
use crate::graph::NodeIndex;
use crate::python::operation::Operation;

/// One instance of a node.
pub(super) struct Lane {
    pub(super) node: NodeIndex,
    /// Which of the node's lanes, from 0.
    pub(super) number: usize,
    pub(super) worker: Worker,
    pub(super) doing: Doing,
    /// The number of the item that was worked on last, if there was one.
    pub(super) item: Option<u64>,
    /// How many milliseconds the node has been at its piece of work.
    pub(super) spent: f64,
    /// The same since it last gave something, and with what it slept.
    pub(super) silent: f64,
    /// What its interpreter was asked for last.
    pub(super) last: Operation,
    /// What it was asked for before its turn.
    pub(super) ahead: Ahead,
}

pub(super) enum Worker {
    Rust(RustNode),
    Python,
    /// What it was is lost.
    Gone,
}

#[derive(Debug)]
pub(super) enum Doing {
    /// Nothing, perhaps with a timer running.
    Idle {
        timer: Option<u64>,
    },
    /// Its timer has run out.
    Woken,
    Busy(Job, Awaits),
    Over,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Job {
    Start,
    /// A fresh node takes the place of one that is gone; `is_idle` if that was between two items.
    Restart {
        is_idle: bool,
    },
    Work(Moment),
    /// Whatever the node's timer was for.
    Timer,
    Cleanup,
}

#[derive(Debug)]
pub(super) enum Awaits {
    Answer(u64),
    /// What it is that made the last answer unreadable.
    Explanation(u64, String),
    Sleep(u64),
    Room,
}
