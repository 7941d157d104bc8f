use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::manifest::Manifest;
use crate::testing::Dice;

/// A graph of nodes called by number; edges in connection order.
fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
    let nodes: Vec<_> = (0..nodes)
        .map(|node| format!(r#"{{"id":"{node}","node_type":"T"}}"#))
        .collect();
    let edges: Vec<_> = edges
        .iter()
        .map(|(from, to)| format!(r#"{{"from":"{from}","to":"{to}"}}"#))
        .collect();
    let text = format!(
        r#"{{"version":"v1","metadata":{{"name":"t"}},"nodes":[{}],"connections":[{}]}}"#,
        nodes.join(","),
        edges.join(",")
    );
    Graph::new(
        &Manifest::parse(&text, Path::new("t.json"))
            .unwrap()
            .manifest,
    )
    .unwrap()
}

/// What a test's node does; all of them depend on the order in which they see things.
#[derive(Clone, Copy, Debug)]
enum Behaviour {
    /// Gives each value marked with the node and a count.
    Mark,
    /// Gives nothing for every second value.
    DropSome,
    /// Gives each value up to three times.
    Repeat,
    /// Holds values back and gives them in threes, the rest at the flush.
    Batch,
    /// Gives everything at the flush.
    Hold,
}

#[derive(Clone, Debug)]
struct TestNode {
    behaviour: Behaviour,
    name: usize,
    seen: usize,
    held: Vec<String>,
}

impl TestNode {
    fn process(&mut self, value: &str) -> Vec<String> {
        self.seen += 1;
        let marked = format!("{value}>{}.{}", self.name, self.seen);
        match self.behaviour {
            Behaviour::DropSome if self.seen.is_multiple_of(2) => vec![],
            Behaviour::Mark | Behaviour::DropSome => vec![marked],
            Behaviour::Repeat => vec![marked; self.seen % 4],
            Behaviour::Batch => {
                self.held.push(marked);
                if self.held.len() < 3 {
                    vec![]
                } else {
                    std::mem::take(&mut self.held)
                }
            }
            Behaviour::Hold => {
                self.held.push(marked);
                vec![]
            }
        }
    }

    fn flush(&mut self) -> Vec<String> {
        let mut outputs = std::mem::take(&mut self.held);
        if !matches!(self.behaviour, Behaviour::Mark) {
            outputs.push(format!("flush>{}", self.name));
        }
        outputs
    }
}

/// The results by definition: item after item, every node in topological order with all its inputs at once.
fn by_definition(graph: &Graph, mut nodes: Vec<TestNode>, items: u64) -> Vec<(usize, u64, String)> {
    let mut results = Vec::new();
    for sequence in 0..=items {
        let mut outputs: BTreeMap<NodeIndex, Vec<String>> = BTreeMap::new();
        for node in graph.topological_order() {
            let mut inputs: Vec<_> = graph
                .predecessors(*node)
                .iter()
                .flat_map(|from| outputs[from].clone())
                .collect();
            if graph.predecessors(*node).is_empty() && sequence < items {
                inputs.push(sequence.to_string());
            }
            let state = &mut nodes[node.get()];
            let mut given: Vec<_> = inputs
                .iter()
                .flat_map(|input| state.process(input))
                .collect();
            if sequence == items {
                given.extend(state.flush());
            }
            outputs.insert(*node, given);
        }
        for sink in graph.sinks() {
            results.extend(
                outputs[&sink]
                    .iter()
                    .map(|value| (sink.get(), sequence, value.clone())),
            );
        }
    }
    results
}

/// The results by an executor whose driver does things in a random order, several at once.
fn by_executor(
    graph: &Graph,
    mut nodes: Vec<TestNode>,
    items: u64,
    capacity: usize,
    dice: &mut Dice,
) -> Vec<(usize, u64, String)> {
    let mut executor = Executor::new(graph.clone(), capacity);
    let mut under_way: Vec<(NodeIndex, Vec<Value>)> = Vec::new();
    let mut results = Vec::new();
    let mut pushed = 0;
    let at_once = 1 + dice.roll(graph.len());
    while !executor.is_finished() {
        let mut idle = true;
        if dice.once_in(2)
            && let Some(output) = executor.take_output()
        {
            idle = false;
            let Value::Str(value) = output.packet.value else {
                panic!("not text")
            };
            results.push((output.node.get(), output.packet.sequence, value));
        }
        if dice.once_in(2) {
            if pushed < items {
                if executor.push(Value::from(pushed.to_string())).is_ok() {
                    idle = false;
                    pushed += 1;
                }
            } else {
                executor.close_input();
            }
        }
        if under_way.len() < at_once
            && dice.once_in(2)
            && let Some(Task { node, work }) = executor.next_task()
        {
            idle = false;
            let state = &mut nodes[node.get()];
            let outputs = match work {
                Work::Process(packet) => state.process(packet.value.as_str().unwrap()),
                Work::Flush => state.flush(),
            };
            assert!(
                under_way.iter().all(|(other, _)| *other != node),
                "two tasks of one node"
            );
            under_way.push((node, outputs.into_iter().map(Value::from).collect()));
        }
        if !under_way.is_empty() && dice.once_in(3) {
            idle = false;
            let (node, outputs) = under_way.swap_remove(dice.roll(under_way.len()));
            executor.complete(node, outputs);
        }
        if idle && under_way.is_empty() {
            // Whoever did nothing by chance must be able to do something; else the driver would wait for ever.
            let mut probe = executor.clone();
            let can_move = probe.take_output().is_some()
                || probe.next_task().is_some()
                || pushed < items && probe.push(Value::Null).is_ok()
                || pushed == items && !probe.is_closed;
            assert!(can_move || executor.is_finished(), "stuck: {executor:?}");
        }
    }
    assert!(under_way.is_empty() && executor.next_task().is_none());
    results
}

#[test]
fn results_do_not_depend_on_who_finishes_first() {
    use Behaviour::{Batch, DropSome, Hold, Mark, Repeat};
    for seed in 0..600 {
        let mut dice = Dice::seeded(seed);
        let count = 1 + dice.roll(8);
        // Edges go from lower to higher in a shuffled numbering, in a shuffled order.
        let mut numbering: Vec<usize> = (0..count).collect();
        shuffle(&mut numbering, &mut dice);
        let density = 1 + dice.roll(4);
        let mut edges = Vec::new();
        for from in 0..count {
            for to in from + 1..count {
                if dice.once_in(density) {
                    edges.push((numbering[from], numbering[to]));
                }
            }
        }
        shuffle(&mut edges, &mut dice);
        let graph = graph(count, &edges);
        let nodes: Vec<_> = (0..count)
            .map(|name| {
                let behaviour = [Mark, Mark, DropSome, Repeat, Batch, Hold][dice.roll(6)];
                TestNode {
                    behaviour,
                    name,
                    seen: 0,
                    held: Vec::new(),
                }
            })
            .collect();
        let items = dice.roll(6) as u64;
        let expected = by_definition(&graph, nodes.clone(), items);
        if expected.len() > 5000 {
            continue;
        }
        for _ in 0..2 {
            let capacity = 1 + dice.roll(3);
            let results = by_executor(&graph, nodes.clone(), items, capacity, &mut dice);
            assert_eq!(
                results, expected,
                "seed {seed}, edges {edges:?}, nodes {nodes:?}"
            );
        }
    }
}

fn shuffle<T>(items: &mut [T], dice: &mut Dice) {
    for last in (1..items.len()).rev() {
        items.swap(last, dice.roll(last + 1));
    }
}

/// Completes the next task, which must be of `node`, with these outputs.
#[track_caller]
fn run(executor: &mut Executor, node: usize, outputs: &[i64]) {
    let task = executor.next_task().expect("a task");
    assert_eq!(task.node.get(), node);
    executor.complete(
        task.node,
        outputs.iter().copied().map(Value::from).collect(),
    );
}

#[track_caller]
fn next_output(executor: &mut Executor) -> (usize, u64, Value) {
    let output = executor.take_output().expect("a result");
    (
        output.node.get(),
        output.packet.sequence,
        output.packet.value,
    )
}

#[test]
fn the_first_result_leaves_before_the_last_item_enters() {
    let mut executor = Executor::new(graph(2, &[(0, 1)]), 1);
    executor.push(Value::Int(1)).unwrap();
    assert_eq!(
        executor.push(Value::Int(2)),
        Err(PushError::Full(Value::Int(2)))
    );
    run(&mut executor, 0, &[10]);
    executor.push(Value::Int(2)).unwrap();
    // Both nodes could work; the later one goes first.
    run(&mut executor, 1, &[100]);
    assert_eq!(next_output(&mut executor), (1, 0, Value::Int(100)));
}

#[test]
fn fan_in_goes_by_item_then_by_connection() {
    // 0 feeds 1 and 2, which feed 3; the connection from 2 comes first.
    let mut executor = Executor::new(graph(4, &[(0, 1), (0, 2), (2, 3), (1, 3)]), 4);
    for item in 0..2 {
        executor.push(Value::Int(item)).unwrap();
    }
    run(&mut executor, 0, &[0]);
    let task_2 = executor.next_task().unwrap();
    let task_1 = executor.next_task().unwrap();
    assert_eq!((task_2.node.get(), task_1.node.get()), (2, 1));
    executor.complete(task_1.node, vec![Value::Int(1)]);
    run(&mut executor, 0, &[0]);
    // What 1 gave waits for 2, which may give something for the same item.
    assert_eq!(executor.next_task().map(|task| task.node.get()), Some(1));
    executor.complete(task_2.node, vec![Value::Int(2)]);
    for expected in [2, 1] {
        let task = executor.next_task().unwrap();
        assert_eq!(
            task.work,
            Work::Process(Packet {
                value: Value::Int(expected),
                sequence: 0
            })
        );
        executor.complete(task.node, vec![]);
    }
}

#[test]
fn a_slow_consumer_holds_the_sources_back() {
    let mut executor = Executor::new(graph(3, &[(0, 1), (1, 2)]), 2);
    let mut pushed = 0;
    let mut tasks = 0;
    // Nobody takes results.
    loop {
        if executor.push(Value::Int(0)).is_ok() {
            pushed += 1;
        } else if let Some(task) = executor.next_task() {
            tasks += 1;
            executor.complete(task.node, vec![Value::Null]);
        } else {
            break;
        }
        assert!(pushed < 100);
    }
    // Two results, and two packets before each node.
    assert_eq!((pushed, tasks), (8, 2 * 3 + 2 * 2 + 2));
    executor.take_output().unwrap();
    assert!(executor.next_task().is_some());
}

#[test]
fn several_sinks_give_by_item_then_by_manifest() {
    let mut executor = Executor::new(graph(2, &[]), 4);
    executor.push(Value::from("a")).unwrap();
    executor.push(Value::from("b")).unwrap();
    executor.close_input();
    // Each node: two items and a flush; the last in the order is asked first.
    for node in [1, 1, 1] {
        run(&mut executor, node, &[1]);
    }
    assert_eq!(
        executor.take_output(),
        None,
        "sink 0 may still give something for item 0"
    );
    for _ in 0..3 {
        run(&mut executor, 0, &[0]);
    }
    let order: Vec<_> = std::iter::from_fn(|| executor.take_output())
        .map(|o| (o.packet.sequence, o.node.get()))
        .collect();
    assert_eq!(order, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]);
    assert!(executor.is_finished());
}

#[test]
fn an_empty_stream_is_flushed() {
    let mut executor = Executor::new(graph(2, &[(0, 1)]), 1);
    assert_eq!(executor.next_task(), None);
    assert!(!executor.is_finished());
    executor.close_input();
    executor.close_input();
    assert_eq!(
        executor.push(Value::Null),
        Err(PushError::Closed(Value::Null))
    );
    run(&mut executor, 0, &[5]);
    run(&mut executor, 1, &[6]);
    run(&mut executor, 1, &[7]);
    assert!(!executor.is_finished(), "results are left");
    assert_eq!(next_output(&mut executor), (1, 0, Value::Int(6)));
    assert_eq!(next_output(&mut executor), (1, 0, Value::Int(7)));
    assert!(executor.is_finished());
}

#[test]
#[should_panic(expected = "node `0` has no task under way")]
fn completing_what_was_not_begun_is_a_bug_of_the_driver() {
    let graph = graph(1, &[]);
    let node = graph.node("0").unwrap();
    Executor::new(graph, 1).complete(node, vec![]);
}
