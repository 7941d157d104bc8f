//! How runs end: by themselves, by a node that stops, or by one that fails.

use super::key::{ENDED, Key};
use super::node::{Outcome, Stage};
use super::{Executor, Status};
use crate::graph::NodeIndex;

impl Executor {
    /// Ends the task under way in this lane, and with it the node's input and the pipeline's: the node is flushed next.
    /// Without a task the same, for a node that was woken by something else than a packet.
    ///
    /// What the node's other lanes are at is dropped if it came after this; the node is flushed when they have ended too.
    pub fn stop(&mut self, node: NodeIndex, lane: usize) {
        if self.end_task(node, lane, Outcome::Stopped) {
            self.end_input(&Key::of_item(self.pushed));
            for node in self.graph.nodes() {
                let state = &mut self.nodes[node.get()];
                if state.is_source && !state.is_over() {
                    state.stage = Stage::Ended;
                    state.drop_rest();
                    self.tell(node);
                }
            }
        }
        self.settle();
    }

    /// Ends the task under way in this lane as failed: the node freezes where its next output would have been, and the run
    /// fails when everything that comes before was delivered. Without a task the same, for a node that was woken by
    /// something else than a packet.
    pub fn fail(&mut self, node: NodeIndex, lane: usize) {
        self.end_task(node, lane, Outcome::Failed);
        self.settle();
    }

    /// Whether what the task under way in this lane gives is dropped, since its node has stopped or failed before it. It
    /// still has to be [completed](Executor::complete), and may be broken off for that.
    pub fn is_dropped(&self, node: NodeIndex, lane: usize) -> bool {
        let running = self.nodes[node.get()].running(lane);
        running.is_some_and(|running| running.is_dropped)
    }

    /// Whether a node gets no more tasks, ever.
    pub fn has_ended(&self, node: NodeIndex) -> bool {
        let state = &self.nodes[node.get()];
        state.is_over() || !self.matters(&state.mark)
    }

    /// The lane whose task made a node fail.
    pub fn failed_lane(&self, node: NodeIndex) -> Option<usize> {
        match self.nodes[node.get()].stage {
            Stage::Failed(lane) => Some(lane),
            Stage::Open | Stage::Flushing(_) | Stage::Ended => None,
        }
    }

    /// How far the run has come.
    pub fn status(&self) -> Status {
        if self.left == 0 && self.results.is_empty() {
            return Status::Finished;
        }
        let failed = || self.failed_node(NodeIndex(self.results.awaits()?));
        self.limit
            .as_ref()
            .and_then(|_| failed())
            .map_or(Status::Running, Status::Failed)
    }

    /// The failed node for which a node waits; none if it, or one that feeds it, has something to do.
    fn failed_node(&self, mut node: NodeIndex) -> Option<NodeIndex> {
        loop {
            let state = &self.nodes[node.get()];
            match state.stage {
                Stage::Failed(_) => return Some(node),
                Stage::Open if state.is_idle() && !state.is_source => {
                    let place = state.input.awaits()?;
                    node = self.graph.incoming(node).get(place)?.from;
                }
                Stage::Open | Stage::Flushing(_) | Stage::Ended => return None,
            }
        }
    }

    /// Lets nothing happen any more that comes after a failure at this key.
    pub(super) fn limit_to(&mut self, key: Key) {
        if self.matters(&key) {
            self.limit = Some(key);
        }
        // The nodes that take items end unflushed, as if the end were infinitely far.
        self.end_input(&ENDED);
    }

    /// Ends the input, if it is open, with this as its last mark.
    pub(super) fn end_input(&mut self, end: &Key) {
        if self.is_closed {
            return;
        }
        self.is_closed = true;
        for node in &self.inputs {
            self.nodes[node.get()].input.finish(0, end);
            self.changed.note(*node);
        }
    }
}
