//! What an interpreter is asked for before its turn.
//!
//! A request takes longer to reach an interpreter in another thread than most nodes work on it. So while a node is at an
//! item, those that certainly follow are sent after it, each to be processed only if the one before it came to a plain
//! end; after anything else the interpreter passes over them, and they are asked for again when it is their turn. What
//! was answered before its turn waits for it: a node's outputs leave when there is room for them, and an error counts
//! when what comes before it was delivered, as if nothing had been sent ahead.

use std::collections::VecDeque;

use crate::python::answer::AnswerError;
use crate::value::Value;

/// How many items are sent ahead at most.
const MOST: u8 = 16;

/// How many milliseconds of work are sent ahead: what a node is at is not called back when a run ends.
const WORK: f64 = 5.0;

/// What an interpreter said to a request.
#[derive(Debug)]
pub enum Reply {
    /// Its answer, and how many milliseconds that took.
    Answer(Result<Value, AnswerError>, f64),
    /// None will come: it is gone, for this reason.
    Lost(String),
    /// It was not at it, as the request before had no plain end.
    PassedOver,
}

/// The requests that were sent ahead in one lane, in the order of its items.
#[derive(Debug)]
pub(super) struct Ahead {
    requests: VecDeque<(u64, Option<Reply>)>,
    /// How many milliseconds the interpreter was at the last item.
    pace: f64,
}

impl Default for Ahead {
    fn default() -> Self {
        Self {
            requests: VecDeque::new(),
            pace: f64::INFINITY,
        }
    }
}

impl Ahead {
    /// How many requests there are.
    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether another one is worth it.
    pub(super) fn wants(&self) -> bool {
        // The one that is at work counts as well.
        let is_worth_it = |count| count < MOST && f64::from(count + 2) * self.pace <= WORK;
        u8::try_from(self.requests.len()).is_ok_and(is_worth_it)
    }

    /// Note how many milliseconds an item took.
    pub(super) fn pace(&mut self, milliseconds: f64) {
        self.pace = milliseconds;
    }

    /// Note that a request was sent.
    pub(super) fn sent(&mut self, ticket: u64) {
        self.requests.push_back((ticket, None));
    }

    /// Whether a request is among these.
    pub(super) fn has(&self, ticket: u64) -> bool {
        self.requests.iter().any(|(own, _)| *own == ticket)
    }

    /// Keep what was said to a request until its turn.
    pub(super) fn keep(&mut self, ticket: u64, reply: Reply) {
        let Some(place) = self.requests.iter().position(|(own, _)| *own == ticket) else {
            return;
        };
        match reply {
            // Those behind it are passed over as well.
            Reply::PassedOver => self.requests.truncate(place),
            Reply::Lost(_) => {
                self.requests.truncate(place + 1);
                self.requests[place].1 = Some(reply);
            }
            Reply::Answer(_, milliseconds) => {
                self.pace = milliseconds;
                self.requests[place].1 = Some(reply);
            }
        }
    }

    /// Whether it is not known yet what became of the next item.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.requests.front(), Some((_, None)))
    }

    /// What was said about the item whose turn it is now.
    pub(super) fn take(&mut self) -> Option<Reply> {
        self.requests.pop_front().and_then(|(_, reply)| reply)
    }

    /// Whether the interpreter is gone.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.requests.back(), Some((_, Some(Reply::Lost(_)))))
    }

    /// Forget them: it will never be their turn.
    pub(super) fn clear(&mut self) {
        self.requests.clear();
    }
}
