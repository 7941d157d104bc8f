//! The scheduling core: which node works on which item next.
//!
//! An [`Executor`] does no work itself and knows no threads, clocks or interpreters. A *driver* feeds it items, asks it for
//! [`Task`]s, has the nodes do them in any way it likes, and reports what came out. The same core therefore serves a plain
//! loop, a pool of threads and a browser.
//!
//! # Order
//! What a pipeline gives does not depend on which task happens to finish first.
//!
//! - Items are numbered from 0 as they are pushed; everything that comes out of a node for an item, none, one or many
//!   values, carries that item's number, its *sequence*. What comes out of a flush carries the number after the last.
//! - A node works on one task at a time and receives its packets by sequence; for the same sequence, from its
//!   predecessors in the order of the connections; from one predecessor, in the order they came out.
//! - A node is flushed once, after its last packet and after all its predecessors were flushed.
//! - The results leave by sequence, then by the sinks' order in the manifest, then as they came out.
//!
//! # Back-pressure
//! A node gets no task for an item while `capacity` packets of *earlier* items wait, from it, at one of its successors (or, for
//! a sink, in the results), and a new item is refused while that many wait at a source. Packets of the same item always
//! find room: with several paths between two nodes, a bound on those too could make the paths wait for each other for
//! ever. So memory is bounded by the capacity and by how many packets single items become. Of the tasks that are possible,
//! the one nearest to the sinks is offered, so that the first result leaves before the last item enters.
//!
//! # Errors
//! What an error in a node means is up to the driver: to fail, it drops the executor; to skip the item, it completes the
//! task with no outputs; to stop the stream, it does that and closes the input.
//!
//! # Example
//! ```
//! use std::path::Path;
//!
//! use rm_runtime::executor::{Executor, Work};
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
//! let mut executor = Executor::new(Graph::new(&manifest)?, 16);
//! let mut input = [5, 7, 3].into_iter();
//! let mut results = Vec::new();
//! while !executor.is_finished() {
//!     if let Some(output) = executor.take_output() {
//!         results.push(output.packet.value);
//!     } else if let Some(task) = executor.next_task() {
//!         let mut outputs = Outputs::new();
//!         let node = &mut nodes[task.node.get()];
//!         match task.work {
//!             Work::Process(packet) => node.process(packet.value, &mut outputs)?,
//!             Work::Flush => node.flush(&mut outputs)?,
//!         }
//!         executor.complete(task.node, outputs.into_values());
//!     } else {
//!         // With nothing to do there is always room for an item.
//!         match input.next() {
//!             Some(item) => executor.push(item.into())?,
//!             None => executor.close_input(),
//!         };
//!     }
//! }
//! assert_eq!(results, [20, 24, 16].map(Value::from));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod merge;
#[cfg(test)]
mod tests;

use std::iter::repeat_n;

use self::merge::{ENDED, Merge};
use crate::graph::{Graph, NodeIndex};
use crate::value::Value;

/// A value on its way through the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    /// What travels.
    pub value: Value,
    /// The number, from 0, of the pushed item it came from; the number of items for what came from a flush.
    pub sequence: u64,
}

/// Something for a node to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The node; it gets no other task until this one is [completed](Executor::complete).
    pub node: NodeIndex,
    /// What to do.
    pub work: Work,
}

/// What a node is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Process a packet.
    Process(Packet),
    /// Give what it held back: its input has ended. The last task of a node.
    Flush,
}

/// A result: what came out of a sink.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The sink.
    pub node: NodeIndex,
    /// What came out.
    pub packet: Packet,
}

/// Why an item was not accepted; it is given back.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PushError {
    /// Too many items wait; there is room again when tasks were done and outputs taken.
    #[error("too many items wait at the pipeline's sources")]
    Full(Value),
    /// The input was closed.
    #[error("the pipeline's input is closed")]
    Closed(Value),
}

#[derive(Clone, Debug)]
struct NodeState {
    input: Merge,
    stage: Stage,
    /// Every packet with a lower sequence has come out; [`ENDED`] after the flush.
    mark: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Idle,
    /// At work for an item, or on its flush.
    Busy {
        sequence: u64,
        is_flush: bool,
    },
    Flushed,
}

/// Where a node's outputs go: a place in the input of a node, or in the results.
#[derive(Clone, Copy, Debug)]
enum Target {
    Node(NodeIndex, usize),
    Results(usize),
}

/// Decides what runs next; see the [module](self) for the rules.
#[derive(Clone, Debug)]
pub struct Executor {
    graph: Graph,
    nodes: Vec<NodeState>,
    targets: Vec<Vec<Target>>,
    sinks: Vec<NodeIndex>,
    results: Merge,
    /// How many items were pushed.
    pushed: u64,
    is_closed: bool,
    capacity: usize,
}

impl Executor {
    /// An executor for a graph in which up to `capacity` packets (at least one) of earlier items may wait on a connection.
    pub fn new(graph: Graph, capacity: usize) -> Self {
        let sinks: Vec<_> = graph.sinks().collect();
        let mut targets = vec![Vec::new(); graph.len()];
        for node in graph.nodes() {
            for (place, from) in graph.predecessors(node).iter().enumerate() {
                targets[from.get()].push(Target::Node(node, place));
            }
        }
        for (place, sink) in sinks.iter().enumerate() {
            targets[sink.get()].push(Target::Results(place));
        }
        let nodes = graph
            .nodes()
            .map(|node| NodeState {
                // A source has one place, that of the pipeline's input.
                input: Merge::new(graph.predecessors(node).len().max(1)),
                stage: Stage::Idle,
                mark: 0,
            })
            .collect();
        let results = Merge::new(sinks.len());
        Executor {
            graph,
            nodes,
            targets,
            sinks,
            results,
            pushed: 0,
            is_closed: false,
            capacity: capacity.max(1),
        }
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Gives an item to every source.
    ///
    /// # Errors
    /// [`PushError`] with the item.
    pub fn push(&mut self, value: Value) -> Result<(), PushError> {
        if self.is_closed {
            return Err(PushError::Closed(value));
        }
        let sequence = self.pushed;
        let sources: Vec<_> = self.graph.sources().collect();
        let is_full = |source: &NodeIndex| {
            self.nodes[source.get()].input.waiting_below(0, sequence) >= self.capacity
        };
        if sources.iter().any(is_full) {
            return Err(PushError::Full(value));
        }
        self.pushed += 1;
        // Every source but the last gets a clone.
        let values = repeat_n(value, sources.len());
        for (source, value) in sources.into_iter().zip(values) {
            let input = &mut self.nodes[source.get()].input;
            input.push(0, Packet { value, sequence });
            input.advance(0, self.pushed);
        }
        Ok(())
    }

    /// Says that no item will follow, which lets the nodes be flushed; saying it again changes nothing.
    pub fn close_input(&mut self) {
        if self.is_closed {
            return;
        }
        self.is_closed = true;
        let sources: Vec<_> = self.graph.sources().collect();
        for source in sources {
            self.nodes[source.get()].input.advance(0, ENDED);
        }
        self.settle();
    }

    /// The next thing to do, if there is one before a task under way is completed, an output taken or an item pushed.
    pub fn next_task(&mut self) -> Option<Task> {
        let order = self.graph.topological_order().iter().rev();
        let (node, sequence) = order
            .copied()
            .find_map(|node| Some((node, self.ready(node)?)))?;
        let state = &mut self.nodes[node.get()];
        let work = state.input.pop().map_or(Work::Flush, Work::Process);
        state.stage = Stage::Busy {
            sequence,
            is_flush: work == Work::Flush,
        };
        Some(Task { node, work })
    }

    /// The sequence of what a node could do now.
    fn ready(&self, node: NodeIndex) -> Option<u64> {
        let state = &self.nodes[node.get()];
        if state.stage != Stage::Idle {
            return None;
        }
        let sequence = match state.input.next() {
            Some((_, sequence)) => sequence,
            None if state.input.mark() == ENDED => self.pushed,
            None => return None,
        };
        let has_room = self.targets[node.get()].iter().all(|target| {
            let waiting = match *target {
                Target::Node(successor, place) => self.nodes[successor.get()]
                    .input
                    .waiting_below(place, sequence),
                Target::Results(place) => self.results.waiting_below(place, sequence),
            };
            waiting < self.capacity
        });
        has_room.then_some(sequence)
    }

    /// Reports what a node gave for its task, in order.
    ///
    /// # Panics
    /// If the node has no task under way.
    pub fn complete(&mut self, node: NodeIndex, outputs: Vec<Value>) {
        let Stage::Busy { sequence, is_flush } = self.nodes[node.get()].stage else {
            panic!("node `{}` has no task under way", self.graph.id(node));
        };
        for value in outputs {
            self.send(node, Packet { value, sequence });
        }
        self.nodes[node.get()].stage = if is_flush {
            Stage::Flushed
        } else {
            Stage::Idle
        };
        self.settle();
    }

    fn send(&mut self, node: NodeIndex, packet: Packet) {
        let targets = &self.targets[node.get()];
        // Every target but the last gets a clone.
        for (target, packet) in targets.iter().zip(repeat_n(packet, targets.len())) {
            match *target {
                Target::Node(node, place) => self.nodes[node.get()].input.push(place, packet),
                Target::Results(place) => self.results.push(place, packet),
            }
        }
    }

    /// Brings the nodes' marks up to date, each after those of the nodes that feed it.
    fn settle(&mut self) {
        for node in self.graph.topological_order() {
            let state = &mut self.nodes[node.get()];
            let mark = match state.stage {
                // While it is not flushed, its flush may give packets that carry the number after the last item.
                Stage::Idle => state.input.mark().min(self.pushed),
                Stage::Busy { sequence, .. } => sequence,
                Stage::Flushed => ENDED,
            };
            if mark == state.mark {
                continue;
            }
            state.mark = mark;
            for target in &self.targets[node.get()] {
                match *target {
                    Target::Node(node, place) => self.nodes[node.get()].input.advance(place, mark),
                    Target::Results(place) => self.results.advance(place, mark),
                }
            }
        }
    }

    /// Takes the next result, if it is there.
    pub fn take_output(&mut self) -> Option<Output> {
        let (place, _) = self.results.next()?;
        let packet = self.results.pop()?;
        Some(Output {
            node: self.sinks[place],
            packet,
        })
    }

    /// Whether the input is closed, every node flushed and every result taken.
    pub fn is_finished(&self) -> bool {
        self.results.mark() == ENDED
    }
}
