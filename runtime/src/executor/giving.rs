//! How outputs leave nodes.

use std::iter::repeat_n;

use super::Executor;
use super::key::Key;
use super::node::{Kind, Outcome, Stage};
use crate::graph::NodeIndex;
use crate::packet::{Emission, Metadata, Packet};

impl Executor {
    /// Whether there is room for one more output of the task under way in this lane, or of the node itself if there is none.
    ///
    /// What a [dropped](Executor::is_dropped) task gives finds room, as it goes nowhere; what comes behind a failure never
    /// does.
    pub fn can_emit(&self, node: NodeIndex, lane: usize) -> bool {
        let state = &self.nodes[node.get()];
        if let Stage::Failed(_) = state.stage {
            return false;
        }
        let is_front = state.front() == Some(lane);
        match state.running(lane) {
            Some(running) if running.is_dropped => true,
            Some(running) if !is_front => {
                running.held.len() < self.capacity && self.matters(&running.base)
            }
            None if state.stage == Stage::Ended => false,
            Some(_) | None => self.matters(&state.mark) && self.has_room(node, &state.mark),
        }
    }

    /// Whether what has this key finds room wherever it could go from a node.
    pub(super) fn has_room(&self, node: NodeIndex, key: &Key) -> bool {
        let mut targets = self.routes[node.get()].all().iter();
        let is_full = targets.any(|target| {
            let input = &self.nodes[target.node.get()].input;
            input.is_full(target.place, key, self.capacity)
        });
        !is_full && !self.results.is_full(node.get(), key, self.capacity)
    }

    /// Hands over one output of the task under way in this lane; without one, of the node on its own account, by a node that
    /// was woken by something else than a packet. After the node's end it is dropped.
    ///
    /// It is never refused: heed [`Executor::can_emit`] to keep queues bounded.
    pub fn emit(&mut self, node: NodeIndex, lane: usize, emission: Emission) {
        let state = &mut self.nodes[node.get()];
        let is_front = state.front() == Some(lane);
        let is_over = state.is_over();
        match state.running_mut(lane) {
            Some(running) if running.is_dropped => return,
            Some(running) if !is_front => {
                running.held.push(emission);
                return;
            }
            None if is_over => return,
            Some(_) | None => {}
        }
        self.send(node, lane, emission);
        self.tell(node);
        self.settle();
    }

    /// Sends an output on its way with the node's next key.
    fn send(&mut self, node: NodeIndex, lane: usize, emission: Emission) {
        let state = &mut self.nodes[node.get()];
        let key = state.take_key();
        let running = state.running(lane);
        let inherited = running.and_then(|running| running.session.clone());
        let metadata = Metadata {
            session: emission.session.or(inherited),
            timestamp_us: emission
                .timestamp_us
                .or(running.and_then(|running| running.timestamp_us)),
            sequence: key.item(),
        };
        let value = emission.value;
        let packet = Packet { value, metadata };
        let targets = self.routes[node.get()].of(emission.output.as_deref());
        if targets.is_empty() {
            let result = (emission.output, packet);
            self.results.push(node.get(), key, result);
            return;
        }
        // Every target but the last gets a clone.
        let packets = repeat_n((key, packet), targets.len());
        for (target, (key, packet)) in targets.iter().zip(packets) {
            let state = &mut self.nodes[target.node.get()];
            if state.takes_packets() {
                state.input.push(target.place, key, packet);
            }
        }
    }

    /// Ends the task under way in this lane. To skip what could not be processed is the same.
    ///
    /// # Panics
    /// If no task is under way there.
    pub fn complete(&mut self, node: NodeIndex, lane: usize) {
        self.end_task(node, lane, Outcome::Done);
        self.settle();
    }

    /// Notes how a task ended, and lets what comes of that happen; whether the task counted.
    pub(super) fn end_task(&mut self, node: NodeIndex, lane: usize, outcome: Outcome) -> bool {
        let state = &mut self.nodes[node.get()];
        if state.running(lane).is_none() && outcome != Outcome::Done {
            return self.end_between_tasks(node, lane, outcome);
        }
        let running = state.running_mut(lane);
        let Some(running) = running.filter(|running| running.outcome.is_none()) else {
            let id = self.graph.id(node);
            panic!("node `{id}` has no task under way in lane {lane}");
        };
        if running.is_dropped {
            state.free(lane);
            return false;
        }
        running.outcome = Some(outcome);
        self.advance(node);
        true
    }

    /// Notes that a node ended on its own account, without a task; whether that counted.
    fn end_between_tasks(&mut self, node: NodeIndex, lane: usize, outcome: Outcome) -> bool {
        let state = &mut self.nodes[node.get()];
        if state.is_over() {
            return false;
        }
        match outcome {
            Outcome::Done => {}
            Outcome::Failed => self.freeze(node, lane),
            Outcome::Stopped => {
                if state.is_source {
                    state.stage = Stage::Ended;
                } else if state.stage == Stage::Open {
                    state.stage = Stage::Flushing(0);
                }
                state.drop_rest();
            }
        }
        self.tell(node);
        self.changed.note(node);
        true
    }

    /// Lets a node give nothing any more, where its next output would have been.
    fn freeze(&mut self, node: NodeIndex, lane: usize) {
        let state = &mut self.nodes[node.get()];
        state.stage = Stage::Failed(lane);
        state.drop_rest();
        let at = state.mark.clone();
        self.limit_to(at);
    }

    /// Ends tasks at the front, and lets those behind them give what was held.
    fn advance(&mut self, node: NodeIndex) {
        let index = node.get();
        let mut has_moved = false;
        while let Some(lane) = self.nodes[index].front() {
            has_moved |= self.nodes[index].catch_up();
            let Some(running) = self.nodes[index].running_mut(lane) else {
                break;
            };
            let (kind, outcome) = (running.kind, running.outcome);
            for emission in std::mem::take(&mut running.held) {
                has_moved = true;
                self.send(node, lane, emission);
            }
            let Some(outcome) = outcome else {
                break;
            };
            let state = &mut self.nodes[index];
            state.free(lane);
            match (outcome, kind) {
                (Outcome::Failed, _) => self.freeze(node, lane),
                (Outcome::Done, Kind::Process) => {}
                (Outcome::Stopped, Kind::Process) => {
                    state.stage = Stage::Flushing(0);
                    state.drop_rest();
                }
                (Outcome::Done | Outcome::Stopped, Kind::Generate) => state.stage = Stage::Ended,
                (Outcome::Done | Outcome::Stopped, Kind::Flush) => {
                    state.stage = if lane + 1 < state.lanes() {
                        Stage::Flushing(lane + 1)
                    } else {
                        Stage::Ended
                    };
                }
            }
        }
        if has_moved || self.nodes[index].is_over() {
            self.tell(node);
        }
        self.changed.note(node);
    }
}
