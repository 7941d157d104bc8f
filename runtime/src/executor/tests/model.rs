//! What a pipeline gives, by the definition of the order: node after node, each with all its inputs sorted.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;

/// What a test's node does; all of them depend on the order in which they see things.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Behaviour {
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

/// One lane of a test's node.
#[derive(Clone, Debug)]
pub(super) struct TestNode {
    pub(super) behaviour: Behaviour,
    pub(super) name: String,
    /// The outputs that it gives on, by turns.
    pub(super) outputs: Vec<Option<&'static str>>,
    /// How many tasks it had.
    pub(super) tasks: usize,
    /// The task, by number, that fails, and what it gives before.
    pub(super) fails: Option<(usize, usize)>,
    pub(super) seen: usize,
    pub(super) given: usize,
    pub(super) held: Vec<String>,
}

/// What a task gives, and whether it fails then.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) emissions: Vec<Emission>,
    pub(super) fails: bool,
}

impl TestNode {
    pub(super) fn process(&mut self, value: &str) -> Done {
        self.seen += 1;
        let marked = format!("{value}>{}.{}", self.name, self.seen);
        let values = match self.behaviour {
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
        };
        self.done(values)
    }

    pub(super) fn flush(&mut self) -> Done {
        let mut values = std::mem::take(&mut self.held);
        if self.behaviour != Behaviour::Mark {
            values.push(format!("flush>{}", self.name));
        }
        self.done(values)
    }

    pub(super) fn generate(&mut self, items: u64) -> Done {
        let values = (0..items).map(|item| format!("{}:{item}", self.name));
        self.done(values.collect())
    }

    fn done(&mut self, values: Vec<String>) -> Done {
        let emissions = values.into_iter().map(|value| {
            self.given += 1;
            let mut emission = Emission::new(value);
            emission.output = self.outputs[self.given % self.outputs.len()].map(Arc::from);
            if self.given.is_multiple_of(5) {
                emission = emission.in_session(format!("own {}", self.given % 3));
            }
            emission
        });
        let mut emissions: Vec<_> = emissions.collect();
        self.tasks += 1;
        let fails = self.fails.filter(|(task, _)| *task == self.tasks);
        if let Some((_, before)) = fails {
            emissions.truncate(before);
        }
        Done {
            emissions,
            fails: fails.is_some(),
        }
    }
}

/// A pipeline and what it is fed.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) graph: Graph,
    pub(super) setups: Vec<NodeSetup>,
    /// By node, then by lane.
    pub(super) nodes: Vec<Vec<TestNode>>,
    /// How many items are pushed, and how many each source makes.
    pub(super) items: u64,
}

/// The session of a pushed item.
pub(super) fn session_of(item: u64) -> Option<Arc<str>> {
    (!item.is_multiple_of(3)).then(|| Arc::from(format!("session {}", item % 4)))
}

/// The value that a test's node works on, as text.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Str(text) => text.clone(),
        Value::Dict(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(name, value)| format!("{}={}", text_of(name), text_of(value)))
                .collect();
            format!("{{{}}}", entries.join(";"))
        }
        other => panic!("{other:?}"),
    }
}

/// A result: the node, the item's number, the output and the text.
pub(super) type Given = (usize, u64, Option<String>, String);

/// The item, and the numbers of the outputs on the way from it by level, without zeros at the end.
pub(super) type Way = (u64, Vec<u32>);

#[derive(Clone, Debug)]
struct Thing {
    way: Way,
    session: Option<Arc<str>>,
    output: Option<Arc<str>>,
    text: String,
}

/// What the definition says.
#[derive(Debug, Default)]
pub(super) struct Defined {
    pub(super) results: Vec<(Way, Given)>,
    /// Where each node's task that is to fail would give its next output.
    pub(super) failures: BTreeMap<usize, Way>,
}

/// A node's count of outputs for the same input.
#[derive(Default)]
struct Count {
    base: Way,
    given: u32,
}

impl Count {
    fn begin(&mut self, base: &Way) {
        if self.base != *base {
            self.base = base.clone();
            self.given = 0;
        }
    }

    fn next(&self, level: usize) -> Way {
        let mut way = self.base.clone();
        way.1.resize(level, 0);
        way.1.push(self.given);
        while way.1.last() == Some(&0) {
            way.1.pop();
        }
        way
    }
}

/// The results by definition, with nothing failing; `None` if they are too many for a test.
pub(super) fn by_definition(plan: &Plan) -> Option<Defined> {
    const MANY: usize = 3000;
    let Plan { graph, items, .. } = plan;
    let mut nodes = plan.nodes.clone();
    for lane in nodes.iter_mut().flatten() {
        // What fails is noted, and goes on.
        if let Some((_, before)) = &mut lane.fails {
            *before = usize::MAX;
        }
    }
    let mut defined = Defined::default();
    let mut given: BTreeMap<NodeIndex, (Vec<Thing>, Way)> = BTreeMap::new();
    for node in graph.topological_order() {
        let (level, setup) = (graph.level(*node), plan.setups[node.get()]);
        let is_source = setup.is_source && graph.incoming(*node).is_empty();
        let (inputs, end) = inputs(plan, *node, &given);
        let mut count = Count::default();
        let mut outputs = Vec::new();
        let mut turn = 0;
        let lanes = &mut nodes[node.get()];
        let fails: Vec<_> = plan.nodes[node.get()]
            .iter()
            .map(|lane| lane.fails)
            .collect();
        let next = |count: &Count| {
            if is_source {
                (u64::from(count.given), vec![])
            } else {
                count.next(level)
            }
        };
        let mut take = |count: &mut Count, done: Done, lane: usize, session: Option<&Arc<str>>| {
            let before = fails[lane].filter(|_| done.fails).map(|(_, before)| before);
            let before = before.map(|before| before.min(done.emissions.len()));
            for (index, emission) in done
                .emissions
                .into_iter()
                .map(Some)
                .chain([None])
                .enumerate()
            {
                if before == Some(index) {
                    defined.failures.entry(node.get()).or_insert(next(count));
                }
                let Some(emission) = emission else {
                    break;
                };
                outputs.push(Thing {
                    way: next(count),
                    session: emission.session.or(session.cloned()),
                    output: emission.output,
                    text: text_of(&emission.value),
                });
                count.given += 1;
            }
        };
        for thing in inputs {
            count.begin(&thing.way);
            let lane = if let Some(session) = &thing.session {
                lane_of(session, lanes.len())
            } else {
                turn += 1;
                (turn - 1) % lanes.len()
            };
            let done = lanes[lane].process(&thing.text);
            take(&mut count, done, lane, thing.session.as_ref());
        }
        if is_source {
            let done = lanes[0].generate(*items);
            take(&mut count, done, 0, None);
            count.base = (*items, vec![]);
            count.given = 0;
        } else {
            count.begin(&end);
            for (lane, state) in lanes.iter_mut().enumerate() {
                let done = state.flush();
                take(&mut count, done, lane, None);
            }
        }
        if outputs.len() > MANY {
            return None;
        }
        for thing in &outputs {
            let mut connections = graph.outgoing(*node).iter();
            if !connections.any(|connection| connection.output == thing.output) {
                let output = thing.output.as_deref().map(str::to_owned);
                let result = (node.get(), thing.way.0, output, thing.text.clone());
                defined.results.push((thing.way.clone(), result));
            }
        }
        given.insert(*node, (outputs, count.next(level)));
    }
    defined
        .results
        .sort_by(|left, right| (&left.0, left.1.0).cmp(&(&right.0, right.1.0)));
    (defined.results.len() <= MANY).then_some(defined)
}

/// What a node works on, in order, and the key of its flush.
fn inputs(
    plan: &Plan,
    node: NodeIndex,
    given: &BTreeMap<NodeIndex, (Vec<Thing>, Way)>,
) -> (Vec<Thing>, Way) {
    let (graph, items) = (&plan.graph, plan.items);
    let setup = plan.setups[node.get()];
    let incoming = graph.incoming(node);
    if incoming.is_empty() {
        let count = if setup.is_source { 0 } else { items };
        let thing = |item: u64| Thing {
            way: (item, vec![]),
            session: session_of(item),
            output: None,
            text: if setup.join {
                format!("{{input={item}}}")
            } else {
                item.to_string()
            },
        };
        return ((0..count).map(thing).collect(), (items, vec![]));
    }
    let mut things: Vec<(Way, usize, Thing)> = Vec::new();
    let mut end = (0, vec![]);
    for (place, connection) in incoming.iter().enumerate() {
        let (outputs, its_end) = &given[&connection.from];
        end = end.max(its_end.clone());
        let taken = outputs
            .iter()
            .filter(|thing| thing.output == connection.output);
        things.extend(taken.map(|thing| (thing.way.clone(), place, thing.clone())));
    }
    things.sort_by(|left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
    if !setup.join {
        return (things.into_iter().map(|(_, _, thing)| thing).collect(), end);
    }
    let together = things.chunk_by(|left, right| left.0 == right.0);
    let joined = together.map(|group| {
        let entries: Vec<_> = group
            .iter()
            .map(|(_, place, thing)| {
                let from = incoming[*place].from;
                let several = incoming.iter().filter(|other| other.from == from).count() > 1;
                let output = thing.output.as_ref().filter(|_| several);
                let output = output
                    .map(|output| format!(".{output}"))
                    .unwrap_or_default();
                format!("{}{output}={}", from.get(), thing.text)
            })
            .collect();
        Thing {
            text: format!("{{{}}}", entries.join(";")),
            ..group[0].2.clone()
        }
    });
    (joined.collect(), end)
}

/// FNV-1a, written otherwise than in the executor.
fn lane_of(session: &str, lanes: usize) -> usize {
    let mut hash: u128 = 14_695_981_039_346_656_037;
    for byte in session.bytes() {
        hash ^= u128::from(byte);
        hash = hash * 1_099_511_628_211 % (1 << 64);
    }
    usize::try_from(hash % lanes as u128).unwrap()
}
