//! The scheduling core: which node works on which packet next.
//!
//! An [`Executor`] does no work itself and knows no threads, clocks or interpreters. A *driver* feeds it items, asks
//! it for [`Task`]s, has the nodes do them in any way it likes, hands over what they give, and says when they are
//! done. The same core therefore serves a plain loop, a pool of threads and a browser.
//!
//! # Order
//! What a pipeline gives does not depend on which task happens to finish first.
//!
//! - Items are numbered from 0 as they are pushed, and those of a *source*, a node that makes its own, as they are
//!   given. What comes of an item has a *key*: the item's number and the way that it took from there, which is, for
//!   each node on it, the place of the output that it came of among all that the node gave for the same key. Keys
//!   compare by item, then along the way. The numbers on a way are kept by the node's *level*, the length of the
//!   longest path to it, so that ways of different length compare: the first output for an input has the input's key,
//!   on every branch, and branches meet again in the order in which their common ancestor gave things.
//! - A node receives its packets by key; for the same key, by the order of its connections. A node that *joins* gets
//!   one packet for each key instead, a dictionary of what its predecessors gave with exactly that key.
//! - A node is flushed once, after its last packet and after all its predecessors were flushed. What comes out of that
//!   has a key above all that the predecessors gave. Its item number is that after the node's last item.
//! - A node may have several *lanes*, each with a task at a time. Packets are dealt to them as the node receives them:
//!   those of a session always to the same lane, others in turn. If the next packet's lane is at work, the node waits.
//!   What the tasks give leaves in the order of the tasks, and what is given before its turn is held. Lanes are
//!   flushed one by one.
//! - What a node gives on an output that no connection takes is a result of the pipeline: all that a sink gives, and
//!   outputs by names that the manifest does not use. Results leave by key, then by the nodes' order in the manifest.
//!   Where branches meet, a result for the first branch's packet therefore waits until the others are done with the
//!   same key, for any of them may still give a result that goes before it.
//! - What a node gives on its own account, without a task, has the lowest key that the node could still give.
//!
//! # Back-pressure
//! A node may give nothing while `capacity` packets with *lower keys* than that of its next output wait, from it, at
//! one of its targets or in the results; it gets no task then, and [`Executor::can_emit`] says so about tasks under
//! way. Of a task behind an older one of its node, `capacity` outputs are held. A new item is refused while that many
//! wait at a node that takes it. So on a connection no more packets wait than the capacity times the lanes of the node
//! that gives, also if an item becomes any number of them, as long as the driver heeds this; a driver that cannot stop
//! a node half-way may emit nevertheless. A driver that does one thing at a time begins nearest to the sinks, so that
//! the first result leaves before the last item enters.
//!
//! Nothing waits for ever. Let a node's *mark* be the key of the next output that it could give: that for the task
//! under way (the oldest, if it has lanes) or for the next packet, else the lowest key that it may still receive. Of
//! all nodes with something to do, the one with the lowest mark, and of those the first in topological order, can
//! move:
//! - It does not wait for another packet to come before its next. That would have to come from a node with a mark at
//!   most as high, earlier in the order, or, if no such node has anything to do, from the input, which is open to it.
//! - It does not wait for room. Packets with keys below its mark would wait at a later node, whose own mark would be
//!   lower: their way is shorter than that node's level, so that what comes of them compares with this mark as they
//!   do. Results with keys below all marks can be taken.
//! - If it has lanes, the oldest task's outputs are not held.
//!
//! # Ends and errors
//! What an error in a node means is up to the driver.
//! - To *skip*, it [completes](Executor::complete) the task: what the task gave stands, and the node goes on.
//! - To *[stop](Executor::stop)*, it ends the node's input there: the node is flushed and gets nothing else, what
//!   waits for it is dropped, and the pipeline's input is closed. Sources end at once. Downstream that looks as any
//!   end does.
//! - To *[fail](Executor::fail)*, the node freezes. No items are accepted any more; everything goes on that may come
//!   before the next output that the node would have given, and nothing else does, flushes included. The run has
//!   failed when the next result would have to come from the failed node, directly or through idle ones. So what is
//!   delivered, and which of several failures is reported, does not depend on timing. (There is one exception: where
//!   some items are pushed and others made by sources, a failure among the latter's closes the input at an item that
//!   nobody can foresee.)
//!
//! # Example
//! ```
//! use std::path::Path;
//!
//! use rm_runtime::executor::{Executor, NodeSetup, Status, Work};
//! use rm_runtime::graph::Graph;
//! use rm_runtime::manifest::Manifest;
//! use rm_runtime::nodes::{Outputs, Registry};
//! use rm_runtime::value::Value;
//!
//! let text = "
//! version: v1
//! metadata: {name: calculator}
//! nodes:
//!   - {id: double, node_type: MultiplyNode, params: {factor: 2}}
//!   - {id: shift, node_type: AddNode, params: {addend: 10}}
//! connections: [{from: double, to: shift}]
//! ";
//! let manifest = Manifest::parse(text, Path::new("calculator.yaml"))?.manifest;
//! let registry = Registry::builtin();
//! let mut nodes = Vec::new();
//! for spec in &manifest.nodes {
//!     nodes.push(registry.create(&spec.node_type, &spec.params)?);
//! }
//!
//! let setups = vec![NodeSetup::default(); nodes.len()];
//! let mut executor = Executor::new(Graph::new(&manifest)?, &setups, 16);
//! let sinks_first: Vec<_> = executor.graph().topological_order().iter().rev().copied().collect();
//! let mut input = [5, 7, 3].into_iter();
//! let mut results = Vec::new();
//! while executor.status() == Status::Running {
//!     if let Some(output) = executor.take_output() {
//!         results.push(output.packet.value);
//!     } else if let Some(task) = sinks_first.iter().find_map(|node| executor.next_task_for(*node, 0)) {
//!         let mut outputs = Outputs::new();
//!         let node = &mut nodes[task.node.get()];
//!         match task.work {
//!             Work::Process(packet) => node.process(packet.value, &mut outputs)?,
//!             Work::Flush => node.flush(&mut outputs)?,
//!             Work::Generate => unreachable!("no node is set up as a source"),
//!         }
//!         for value in outputs.into_values() {
//!             executor.emit(task.node, task.lane, value.into());
//!         }
//!         executor.complete(task.node, task.lane);
//!     } else {
//!         // With nothing to do there is always room for an item.
//!         match input.next() {
//!             Some(item) => drop(executor.push(item.into(), None, None)?),
//!             None => executor.close_input(),
//!         }
//!     }
//! }
//! assert_eq!(results, [20, 24, 16].map(Value::from));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ending;
mod giving;
mod join;
mod key;
mod marks;
mod merge;
mod node;
mod routes;
#[cfg(test)]
mod tests;

use std::iter::repeat_n;
use std::sync::Arc;

use self::key::Key;
use self::marks::Changed;
use self::merge::Merge;
use self::node::NodeState;
use self::routes::Routes;
use crate::graph::{Graph, NodeIndex};
use crate::packet::{Metadata, Packet};
use crate::value::Value;

/// How the executor is to treat a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeSetup {
    /// Whether the node makes items of its own; means nothing for a node that others feed.
    pub is_source: bool,
    /// How many tasks it may work on at once, at least one; a source has one.
    pub lanes: usize,
    /// Whether it gets what its predecessors gave with the same key as one dictionary.
    pub join: bool,
}

impl Default for NodeSetup {
    fn default() -> Self {
        Self {
            is_source: false,
            lanes: 1,
            join: false,
        }
    }
}

/// Something for a node to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The node.
    pub node: NodeIndex,
    /// Which of its lanes; it gets no other task until this one has [ended](Executor::complete).
    pub lane: usize,
    /// What to do.
    pub work: Work,
}

/// What a node is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Process a packet.
    Process(Packet),
    /// Make items, each an emission, until there are no more. The only task of a source.
    Generate,
    /// Give what it held back: its input has ended. The last task of a lane.
    Flush,
}

/// A result of the pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The node that gave it.
    pub node: NodeIndex,
    /// The named output that it left on; `None` is the node's main output.
    pub output: Option<Arc<str>>,
    /// What was given.
    pub packet: Packet,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Tasks or results are left, or items may come.
    Running,
    /// Everything has ended, and every result was taken.
    Finished,
    /// A node failed, and every result that comes before that was taken. [`Executor::failed_lane`] tells in which lane.
    Failed(NodeIndex),
}

/// Why an item was not accepted; it is given back.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PushError {
    /// Too many items wait; there is room again when tasks were done and outputs taken.
    #[error("too many items wait at the pipeline's first nodes")]
    Full(Value),
    /// The input was closed, or no node takes items.
    #[error("the pipeline's input is closed")]
    Closed(Value),
}

/// Decides what runs next; see the [module](self) for the rules.
#[derive(Clone, Debug)]
pub struct Executor {
    graph: Graph,
    nodes: Vec<NodeState>,
    routes: Vec<Routes>,
    /// The nodes that take the pipeline's items.
    inputs: Vec<NodeIndex>,
    /// A place for each node, by number.
    results: Merge<(Option<Arc<str>>, Packet)>,
    changed: Changed,
    capacity: usize,
    /// How many items were pushed.
    pushed: u64,
    is_closed: bool,
    /// How many nodes have not ended.
    left: usize,
    /// The lowest key at which a node has failed; nothing beyond it matters.
    limit: Option<Key>,
}

impl Executor {
    /// An executor for a graph whose nodes are set up like this, by number (as the default for those without), in which up
    /// to `capacity` packets (at least one) may wait on a connection.
    ///
    /// # Panics
    /// If a path in the graph has more than 16 million connections.
    pub fn new(graph: Graph, setups: &[NodeSetup], capacity: usize) -> Self {
        let levels = graph.nodes().map(|node| graph.level(node)).max();
        assert!(
            levels < Some(Key::LEVELS),
            "a graph with more levels than keys have"
        );
        let state = |node: NodeIndex| {
            let setup = setups.get(node.get()).copied().unwrap_or_default();
            NodeState::new(&graph, node, &setup)
        };
        let nodes: Vec<_> = graph.nodes().map(state).collect();
        let inputs: Vec<_> = graph
            .sources()
            .filter(|node| !nodes[node.get()].is_source)
            .collect();
        Executor {
            routes: graph
                .nodes()
                .map(|node| Routes::new(&graph, node))
                .collect(),
            results: Merge::new(graph.len(), false),
            changed: Changed::new(&graph),
            capacity: capacity.max(1),
            pushed: 0,
            is_closed: inputs.is_empty(),
            left: nodes.len(),
            limit: None,
            graph,
            nodes,
            inputs,
        }
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Gives an item to every node that nothing feeds, sources aside, and returns its number.
    ///
    /// # Errors
    /// [`PushError`] with the item.
    pub fn push(
        &mut self,
        value: Value,
        session: Option<Arc<str>>,
        timestamp_us: Option<i64>,
    ) -> Result<u64, PushError> {
        if self.is_closed {
            return Err(PushError::Closed(value));
        }
        if !self.can_push() {
            return Err(PushError::Full(value));
        }
        let sequence = self.pushed;
        self.pushed += 1;
        let metadata = Metadata {
            session,
            timestamp_us,
            sequence,
        };
        let (key, mark) = (Key::of_item(sequence), Key::of_item(self.pushed));
        // Every node but the last gets a clone.
        let packets = repeat_n(Packet { value, metadata }, self.inputs.len());
        for (node, packet) in self.inputs.iter().zip(packets) {
            let state = &mut self.nodes[node.get()];
            if state.takes_packets() {
                state.input.push(0, key.clone(), packet);
            }
            state.input.advance(0, &mark);
            self.changed.note(*node);
        }
        self.settle();
        Ok(sequence)
    }

    /// Whether an item would be accepted now.
    pub fn can_push(&self) -> bool {
        let key = Key::of_item(self.pushed);
        let is_full =
            |node: &NodeIndex| self.nodes[node.get()].input.is_full(0, &key, self.capacity);
        !self.is_closed && !self.inputs.iter().any(is_full)
    }

    /// Whether there is a node that takes the pipeline's items.
    pub fn takes_input(&self) -> bool {
        !self.inputs.is_empty()
    }

    /// Whether the input is open. It is never if there is no node that takes items, and a node that stops or fails closes it.
    pub fn is_open(&self) -> bool {
        !self.is_closed
    }

    /// Says that no item will follow, which lets the nodes be flushed; saying it again changes nothing.
    pub fn close_input(&mut self) {
        self.end_input(&Key::of_item(self.pushed));
        self.settle();
    }

    /// The next thing to do in this lane of this node, if there is one before a task under way goes on, an output is
    /// taken or an item pushed.
    pub fn next_task_for(&mut self, node: NodeIndex, lane: usize) -> Option<Task> {
        if self.ready(node, lane) {
            self.begin(node, lane)
        } else {
            None
        }
    }

    /// The packets of the next tasks of this lane, as far as they are known, in order; they are its tasks unless a node
    /// stops or fails. None are known where packets come from several places, or are dealt to several lanes.
    pub fn upcoming(&self, node: NodeIndex, lane: usize) -> impl Iterator<Item = &Packet> {
        let upcoming = self.nodes[node.get()].upcoming(lane);
        upcoming
            .take_while(|(key, _)| self.matters(key))
            .map(|(_, packet)| packet)
    }

    /// Whether [`Executor::next_task_for`] would give a task.
    pub fn ready(&self, node: NodeIndex, lane: usize) -> bool {
        let state = &self.nodes[node.get()];
        let Some(due) = state.due(lane) else {
            return false;
        };
        // What it gives may come after what it gave already for the same key.
        let key = due.max(&state.mark);
        self.matters(key) && self.has_room(node, key)
    }

    fn begin(&mut self, node: NodeIndex, lane: usize) -> Option<Task> {
        // The mark stays: it is what the first output for the packet will have, or that of an older task.
        let work = self.nodes[node.get()].begin(lane)?;
        Some(Task { node, lane, work })
    }

    /// Whether what has this key comes before every failure.
    fn matters(&self, key: &Key) -> bool {
        self.limit.as_ref().is_none_or(|limit| key <= limit)
    }

    /// Takes the next result, if it is there.
    pub fn take_output(&mut self) -> Option<Output> {
        let (place, _, (output, packet)) = self.results.pop()?;
        self.results.update();
        Some(Output {
            node: NodeIndex(place),
            output,
            packet,
        })
    }

    /// Whether there is a result to take.
    pub fn has_output(&self) -> bool {
        self.results.next().is_some()
    }
}
