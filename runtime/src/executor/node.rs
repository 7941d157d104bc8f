//! What the executor knows about one node.

use std::collections::VecDeque;
use std::sync::Arc;

use super::join::Join;
use super::key::{ENDED, Key};
use super::merge::Merge;
use super::{NodeSetup, Work};
use crate::graph::{Graph, NodeIndex};
use crate::packet::{Emission, Packet};

/// One node: what waits before it, what it is at, and how far it has come.
#[derive(Clone, Debug)]
pub(super) struct NodeState {
    pub(super) input: Merge<Packet>,
    join: Option<Join>,
    level: usize,
    pub(super) is_source: bool,
    pub(super) stage: Stage,
    /// The key of the next output that it could give, which never goes back. Everything lower has come out.
    pub(super) mark: Key,
    lanes: Vec<Option<Running>>,
    /// The lanes at work, by when they got their tasks, without those whose tasks are dropped.
    order: VecDeque<usize>,
    /// How many lanes are at work.
    busy: usize,
    /// The lane that the next packet without a session goes to.
    turn: usize,
    /// The lane that the next packet goes to, where one is next.
    next_lane: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its input, or its own if it is a source, goes on.
    Open,
    /// Its input has ended; this lane is flushed next, or is at its flush.
    Flushing(usize),
    /// Nothing comes any more.
    Ended,
    /// The task in this lane failed, and nothing comes that the rest would ever get.
    Failed(usize),
}

/// A task under way, or waiting for older ones of its node.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) kind: Kind,
    /// The key of what it works on.
    pub(super) base: Key,
    pub(super) session: Option<Arc<str>>,
    pub(super) timestamp_us: Option<i64>,
    /// What it gave while an older task of its node was under way.
    pub(super) held: Vec<Emission>,
    /// How it ended; it waits for older ones.
    pub(super) outcome: Option<Outcome>,
    /// Whether what it gives is dropped, since its node was stopped or failed before it.
    pub(super) is_dropped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Process,
    Generate,
    Flush,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Failed,
    Stopped,
}

impl NodeState {
    pub(super) fn new(graph: &Graph, node: NodeIndex, setup: &NodeSetup) -> Self {
        let places = graph.incoming(node).len();
        let is_source = setup.is_source && places == 0;
        let lanes = if is_source { 1 } else { setup.lanes.max(1) };
        NodeState {
            // What nothing feeds has one place, that of the pipeline's input.
            input: Merge::new(places.max(1), setup.join),
            join: (setup.join && !is_source).then(|| Join::new(graph, node)),
            level: graph.level(node),
            is_source,
            stage: Stage::Open,
            mark: Key::default(),
            lanes: vec![None; lanes],
            order: VecDeque::new(),
            busy: 0,
            turn: 0,
            next_lane: None,
        }
    }

    pub(super) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Whether it will give nothing more and take nothing more.
    pub(super) fn is_over(&self) -> bool {
        match self.stage {
            Stage::Open | Stage::Flushing(_) => false,
            Stage::Ended | Stage::Failed(_) => true,
        }
    }

    /// Whether it takes packets, or drops them.
    pub(super) fn takes_packets(&self) -> bool {
        self.stage == Stage::Open
    }

    pub(super) fn running(&self, lane: usize) -> Option<&Running> {
        self.lanes[lane].as_ref()
    }

    pub(super) fn running_mut(&mut self, lane: usize) -> Option<&mut Running> {
        self.lanes[lane].as_mut()
    }

    /// The lane with the oldest task whose outputs count.
    pub(super) fn front(&self) -> Option<usize> {
        self.order.front().copied()
    }

    /// Whether no task is under way whose outputs count.
    pub(super) fn is_idle(&self) -> bool {
        self.order.is_empty()
    }

    /// The key of what a lane would work on, if it is the one that gets the next task.
    pub(super) fn due(&self, lane: usize) -> Option<&Key> {
        match self.stage {
            Stage::Open if self.is_source => (self.busy == 0).then_some(&self.mark),
            Stage::Open if self.next_lane == Some(lane) && self.lanes[lane].is_none() => {
                self.input.next().map(|(key, _)| key)
            }
            Stage::Flushing(next) => (self.busy == 0 && next == lane).then_some(&self.mark),
            Stage::Open | Stage::Ended | Stage::Failed(_) => None,
        }
    }

    /// What lane 0 will work on next, where it is the only one and nothing can come in between.
    pub(super) fn upcoming(&self, lane: usize) -> impl Iterator<Item = &(Key, Packet)> {
        let is_known = lane == 0 && self.lanes() == 1 && self.stage == Stage::Open;
        let queue = is_known.then(|| self.input.only_queue()).flatten();
        queue.into_iter().flatten()
    }

    /// Takes the task that is due in a lane.
    pub(super) fn begin(&mut self, lane: usize) -> Option<Work> {
        let (kind, base, work) = match self.stage {
            Stage::Open if self.is_source => (Kind::Generate, self.mark.clone(), Work::Generate),
            Stage::Open => {
                let (key, packet) = match &self.join {
                    Some(join) => join.pop(&mut self.input)?,
                    None => self.input.pop().map(|(_, key, packet)| (key, packet))?,
                };
                if packet.metadata.session.is_none() {
                    self.turn = (self.turn + 1) % self.lanes.len();
                }
                self.next_lane = None;
                (Kind::Process, key, Work::Process(packet))
            }
            Stage::Flushing(_) => (Kind::Flush, self.mark.clone(), Work::Flush),
            Stage::Ended | Stage::Failed(_) => return None,
        };
        let metadata = match &work {
            Work::Process(packet) => Some(&packet.metadata),
            Work::Generate | Work::Flush => None,
        };
        self.lanes[lane] = Some(Running {
            kind,
            base,
            session: metadata.and_then(|metadata| metadata.session.clone()),
            timestamp_us: metadata.and_then(|metadata| metadata.timestamp_us),
            held: Vec::new(),
            outcome: None,
            is_dropped: false,
        });
        self.order.push_back(lane);
        self.busy += 1;
        self.look();
        Some(work)
    }

    /// Frees the lane of a task that ended.
    pub(super) fn free(&mut self, lane: usize) -> Option<Running> {
        self.order.retain(|other| *other != lane);
        let running = self.lanes[lane].take();
        self.busy -= usize::from(running.is_some());
        running
    }

    /// Drops what waits and what the tasks under way will give.
    pub(super) fn drop_rest(&mut self) {
        self.input.clear();
        self.next_lane = None;
        for lane in self.order.drain(..) {
            let Some(running) = &mut self.lanes[lane] else {
                continue;
            };
            running.held = Vec::new();
            if running.outcome.is_some() {
                self.lanes[lane] = None;
                self.busy -= 1;
            } else {
                running.is_dropped = true;
            }
        }
    }

    /// Looks up which packet is next, and in which lane.
    fn look(&mut self) {
        self.input.update();
        if self.next_lane.is_some() {
            return;
        }
        let lanes = self.lanes.len();
        self.next_lane = self.input.next().map(|(_, packet)| {
            if lanes == 1 {
                return 0;
            }
            match &packet.metadata.session {
                Some(session) => lane_of(session, lanes),
                None => self.turn,
            }
        });
    }

    /// Brings the mark up to date after a change before the node or in it; whether that changed anything for others.
    pub(super) fn refresh(&mut self) -> bool {
        if self.is_source || self.stage != Stage::Open {
            return false;
        }
        self.look();
        if !self.is_idle() {
            return self.catch_up();
        }
        let mut base = self.input.mark();
        if *base == ENDED {
            base = self.input.end();
            self.stage = if *base == ENDED {
                Stage::Ended
            } else {
                Stage::Flushing(0)
            };
        }
        let is_ahead = *base > self.mark;
        if is_ahead {
            self.mark.clone_from(base);
        }
        is_ahead
    }

    /// Brings the mark up to what the oldest task works on; whether that changed it.
    pub(super) fn catch_up(&mut self) -> bool {
        let front = self.front().and_then(|lane| self.lanes[lane].as_ref());
        let base = front
            .map(|running| &running.base)
            .filter(|base| **base > self.mark);
        let is_ahead = base.is_some();
        if let Some(base) = base {
            self.mark.clone_from(base);
        }
        is_ahead
    }

    /// The key of the output that leaves now.
    pub(super) fn take_key(&mut self) -> Key {
        let key = self.mark.clone();
        if self.is_source {
            self.mark = Key::of_item(key.item() + 1);
        } else {
            self.mark.advance(self.level);
        }
        key
    }
}

/// The lane of a session, always the same: its FNV-1a hash, modulo the number of lanes.
fn lane_of(session: &str, lanes: usize) -> usize {
    let hash = session.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash % lanes as u64).expect("less than a `usize`")
}

#[cfg(test)]
mod tests {
    use super::lane_of;

    #[test]
    fn sessions_have_fixed_lanes() {
        // The hash's published values are 0xcbf29ce484222325 for nothing and 0xaf63dc4c8601ec8c for `a`.
        assert_eq!(lane_of("", 1 << 16), 0x2325);
        assert_eq!(lane_of("a", 1 << 16), 0xec8c);
        assert_eq!(lane_of("a", 3), 1);
    }
}
