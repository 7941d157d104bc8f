mod failing;
mod model;
mod random;
mod rules;
mod streaming;

use std::fmt::Write as _;
use std::path::Path;

use super::*;
use crate::manifest::Manifest;
use crate::packet::Emission;

/// A connection between nodes called by number, and the named output that it takes.
type Edge = (usize, usize, Option<&'static str>);

impl Executor {
    /// The next thing to do anywhere, nearest to the sinks first.
    fn next_task(&mut self) -> Option<Task> {
        let nodes = self.graph.topological_order().to_vec();
        nodes.into_iter().rev().find_map(|node| {
            let mut lanes = 0..self.nodes[node.get()].lanes();
            lanes.find_map(|lane| self.next_task_for(node, lane))
        })
    }
}

/// A graph of nodes called by number; edges in connection order.
fn named_graph(nodes: usize, edges: &[Edge]) -> Graph {
    let nodes: Vec<_> = (0..nodes)
        .map(|node| format!(r#"{{"id":"{node}","node_type":"T"}}"#))
        .collect();
    let mut connections = String::new();
    for (from, to, output) in edges {
        let comma = if connections.is_empty() { "" } else { "," };
        let output = output.map(|output| format!(r#","output":"{output}""#));
        let output = output.unwrap_or_default();
        write!(
            connections,
            r#"{comma}{{"from":"{from}","to":"{to}"{output}}}"#
        )
        .unwrap();
    }
    let text = format!(
        r#"{{"version":"v1","metadata":{{"name":"t"}},"nodes":[{}],"connections":[{connections}]}}"#,
        nodes.join(","),
    );
    let manifest = Manifest::parse(&text, Path::new("t.json"))
        .unwrap()
        .manifest;
    Graph::new(&manifest).unwrap()
}

/// The same with all connections from main outputs.
fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
    let edges: Vec<_> = edges.iter().map(|(from, to)| (*from, *to, None)).collect();
    named_graph(nodes, &edges)
}

/// An executor whose nodes are set up as the default.
fn plain(graph: Graph, capacity: usize) -> Executor {
    Executor::new(graph, &[], capacity)
}

fn lanes(lanes: usize) -> NodeSetup {
    NodeSetup {
        lanes,
        ..NodeSetup::default()
    }
}

const JOIN: NodeSetup = NodeSetup {
    is_source: false,
    lanes: 1,
    join: true,
};

const SOURCE: NodeSetup = NodeSetup {
    is_source: true,
    lanes: 1,
    join: false,
};

fn push(executor: &mut Executor, item: i64) {
    executor.push(Value::Int(item), None, None).unwrap();
}

/// The next task of a node.
#[track_caller]
fn begin(executor: &mut Executor, node: usize) -> Task {
    let lanes = 0..executor.nodes[node].lanes();
    let mut tasks = lanes.filter_map(|lane| executor.next_task_for(NodeIndex(node), lane));
    tasks.next().expect("a task")
}

/// The value of a node's next task.
#[track_caller]
fn begin_value(executor: &mut Executor, node: usize) -> Value {
    match begin(executor, node).work {
        Work::Process(packet) => packet.value,
        other => panic!("{other:?}"),
    }
}

fn emit(executor: &mut Executor, node: usize, values: &[i64]) {
    for value in values {
        executor.emit(NodeIndex(node), 0, Emission::new(*value));
    }
}

fn complete(executor: &mut Executor, node: usize, values: &[i64]) {
    emit(executor, node, values);
    executor.complete(NodeIndex(node), 0);
}

/// Completes a node's next task with these outputs.
#[track_caller]
fn run(executor: &mut Executor, node: usize, values: &[i64]) {
    begin(executor, node);
    complete(executor, node, values);
}

/// All results that are there: node, item number and value.
fn outputs(executor: &mut Executor) -> Vec<(usize, u64, Value)> {
    let next = || {
        let output = executor.take_output()?;
        let sequence = output.packet.metadata.sequence;
        Some((output.node.get(), sequence, output.packet.value))
    };
    std::iter::from_fn(next).collect()
}

fn ints(values: &[i64]) -> Vec<Value> {
    values.iter().copied().map(Value::Int).collect()
}

fn values(executor: &mut Executor) -> Vec<Value> {
    let outputs = outputs(executor).into_iter();
    outputs.map(|(_, _, value)| value).collect()
}
