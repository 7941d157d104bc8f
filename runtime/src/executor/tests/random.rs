//! Drivers that do things in a random order, compared with the definition.

use std::collections::VecDeque;

use super::model::{Behaviour, Defined, Given, Plan, TestNode, by_definition, session_of, text_of};
use super::*;
use crate::testing::Dice;

/// A random pipeline.
pub(super) fn plan(dice: &mut Dice) -> Plan {
    use Behaviour::{Batch, DropSome, Hold, Mark, Repeat};
    let count = 1 + dice.roll(7);
    // Edges go from lower to higher in a shuffled numbering, in a shuffled order.
    let mut numbering: Vec<usize> = (0..count).collect();
    shuffle(&mut numbering, dice);
    let density = 1 + dice.roll(4);
    let has_names = dice.once_in(2);
    let mut edges = Vec::new();
    for from in 0..count {
        for to in from + 1..count {
            for output in [None, Some("a"), Some("b")] {
                let is_there = match output {
                    None => dice.once_in(density),
                    Some(_) => has_names && dice.once_in(2 * density),
                };
                if is_there {
                    edges.push((numbering[from], numbering[to], output));
                }
            }
        }
    }
    shuffle(&mut edges, dice);
    let graph = named_graph(count, &edges);
    let sources = dice.roll(3);
    let setups: Vec<_> = (0..count)
        .map(|_| NodeSetup {
            is_source: match sources {
                0 => false,
                1 => true,
                _ => dice.once_in(2),
            },
            lanes: [1, 1, 2, 3][dice.roll(4)],
            join: dice.once_in(4),
        })
        .collect();
    let nodes = (0..count).map(|node| {
        let behaviour = [Mark, Mark, DropSome, Repeat, Batch, Hold][dice.roll(6)];
        let mut outputs = vec![None];
        if has_names {
            let names = [None, Some("a"), Some("b"), Some("c")];
            outputs.extend((0..dice.roll(3)).map(|_| names[dice.roll(4)]));
        }
        let lane = |lane: usize| TestNode {
            behaviour,
            name: format!("{node}/{lane}"),
            outputs: outputs.clone(),
            tasks: 0,
            fails: None,
            seen: 0,
            given: 0,
            held: Vec::new(),
        };
        (0..setups[node].lanes).map(lane).collect()
    });
    Plan {
        nodes: nodes.collect(),
        items: dice.roll(6) as u64,
        graph,
        setups,
    }
}

pub(super) fn shuffle<T>(items: &mut [T], dice: &mut Dice) {
    for last in (1..items.len()).rev() {
        items.swap(last, dice.roll(last + 1));
    }
}

/// A task that a random driver has taken.
struct UnderWay {
    node: NodeIndex,
    lane: usize,
    emissions: VecDeque<Emission>,
    fails: bool,
}

/// A driver that does things in a random order, several at once.
pub(super) struct Driver<'a> {
    pub(super) executor: Executor,
    nodes: Vec<Vec<TestNode>>,
    plan: &'a Plan,
    capacity: usize,
    pushed: u64,
    under_way: Vec<UnderWay>,
    at_once: usize,
    /// Whether it heeds `can_emit`.
    is_obedient: bool,
    /// Whether tasks that are to fail stop instead.
    pub(super) stops: bool,
    pub(super) results: Vec<Given>,
}

impl<'a> Driver<'a> {
    pub(super) fn new(plan: &'a Plan, dice: &mut Dice) -> Self {
        let capacity = 1 + dice.roll(3);
        Driver {
            executor: Executor::new(plan.graph.clone(), &plan.setups, capacity),
            nodes: plan.nodes.clone(),
            plan,
            capacity,
            pushed: 0,
            under_way: Vec::new(),
            at_once: 1 + dice.roll(2 * plan.graph.len()),
            is_obedient: dice.roll(4) > 0,
            stops: false,
            results: Vec::new(),
        }
    }

    pub(super) fn run(&mut self, dice: &mut Dice) -> Status {
        loop {
            let status = self.executor.status();
            if status != Status::Running {
                assert_eq!(self.executor.take_output(), None);
                return status;
            }
            let is_idle = !self.take_results(dice) & !self.push(dice) & !self.begin(dice);
            let is_idle = is_idle & !self.go_on(dice);
            if is_idle {
                assert!(self.can_move(), "stuck: {:?}", self.executor);
            }
            self.check_queues();
        }
    }

    fn take_results(&mut self, dice: &mut Dice) -> bool {
        if dice.once_in(2) {
            return false;
        }
        let has_output = self.executor.has_output();
        let output = self.executor.take_output();
        assert_eq!(output.is_some(), has_output);
        self.results.extend(output.map(|output| {
            (
                output.node.get(),
                output.packet.metadata.sequence,
                output.output.as_deref().map(str::to_owned),
                text_of(&output.packet.value),
            )
        }));
        has_output
    }

    fn push(&mut self, dice: &mut Dice) -> bool {
        if dice.once_in(2) || !self.executor.is_open() {
            return false;
        }
        if self.pushed == self.plan.items {
            self.executor.close_input();
            return true;
        }
        let (value, session) = (
            Value::from(self.pushed.to_string()),
            session_of(self.pushed),
        );
        let can_push = self.executor.can_push();
        let result = self.executor.push(value, session, None);
        assert_eq!(result.is_ok(), can_push);
        if let Ok(number) = result {
            assert_eq!(number, self.pushed);
            self.pushed += 1;
        }
        can_push
    }

    /// Whether a task could give something, or end.
    fn can_go_on(&self, task: &UnderWay) -> bool {
        task.emissions.is_empty()
            || !self.is_obedient
            || self.executor.can_emit(task.node, task.lane)
    }

    fn begin(&mut self, dice: &mut Dice) -> bool {
        let active = self.under_way.iter().filter(|task| self.can_go_on(task));
        if dice.once_in(2) || active.count() >= self.at_once {
            return false;
        }
        let task = if dice.once_in(2) {
            self.executor.next_task()
        } else {
            let node = NodeIndex(dice.roll(self.plan.graph.len()));
            let lane = dice.roll(self.nodes[node.get()].len());
            if self.plan.setups[node.get()].is_source && lane > 0 {
                return false;
            }
            let is_ready = self.executor.ready(node, lane);
            let task = self.executor.next_task_for(node, lane);
            assert_eq!(task.is_some(), is_ready);
            task
        };
        let Some(Task { node, lane, work }) = task else {
            return false;
        };
        let mut others = self.under_way.iter();
        assert!(
            others.all(|other| (other.node, other.lane) != (node, lane)),
            "two tasks in one lane"
        );
        let state = &mut self.nodes[node.get()][lane];
        let done = match work {
            Work::Process(packet) => state.process(&text_of(&packet.value)),
            Work::Generate => state.generate(self.plan.items),
            Work::Flush => state.flush(),
        };
        self.under_way.push(UnderWay {
            node,
            lane,
            emissions: done.emissions.into(),
            fails: done.fails,
        });
        true
    }

    fn go_on(&mut self, dice: &mut Dice) -> bool {
        if self.under_way.is_empty() || dice.once_in(3) {
            return false;
        }
        let index = dice.roll(self.under_way.len());
        if !self.can_go_on(&self.under_way[index]) {
            return false;
        }
        let task = &mut self.under_way[index];
        let (node, lane) = (task.node, task.lane);
        if let Some(emission) = task.emissions.pop_front() {
            self.executor.emit(node, lane, emission);
            return true;
        }
        match self.under_way.swap_remove(index) {
            task if !task.fails => self.executor.complete(node, lane),
            _ if self.stops => self.executor.stop(node, lane),
            _ => self.executor.fail(node, lane),
        }
        true
    }

    /// Whether a driver could do something.
    fn can_move(&self) -> bool {
        let mut probe = self.executor.clone();
        probe.take_output().is_some()
            || probe.next_task().is_some()
            || probe.can_push()
            || self.under_way.iter().any(|task| self.can_go_on(task))
    }

    /// No place holds more than the capacity for each lane of the node that gives.
    fn check_queues(&self) {
        if !self.is_obedient {
            return;
        }
        let lanes = self.plan.setups.iter().map(|setup| setup.lanes).max();
        let bound = self.capacity * lanes.unwrap();
        let inputs = self
            .executor
            .nodes
            .iter()
            .map(|node| node.input.longest_queue());
        let longest = inputs
            .max()
            .max(Some(self.executor.results.longest_queue()));
        assert!(
            longest <= Some(bound),
            "{longest:?} wait: {:?}",
            self.executor
        );
    }
}

#[test]
fn results_do_not_depend_on_who_finishes_first() {
    let mut compared = 0;
    for seed in 0..500 {
        let mut dice = Dice::seeded(seed);
        let plan = plan(&mut dice);
        let Some(Defined { results, .. }) = by_definition(&plan) else {
            continue;
        };
        let expected: Vec<_> = results.into_iter().map(|(_, result)| result).collect();
        compared += expected.len();
        for _ in 0..2 {
            let mut driver = Driver::new(&plan, &mut dice);
            assert_eq!(driver.run(&mut dice), Status::Finished);
            assert_eq!(driver.results, expected, "seed {seed}, {plan:?}");
            assert!(driver.under_way.is_empty() && driver.executor.next_task().is_none());
            let mut nodes = plan.graph.nodes();
            assert!(nodes.all(|node| driver.executor.has_ended(node)));
        }
    }
    assert!(compared > 5000, "{compared} results are few");
}

/// A pipeline in which one or two tasks fail, with items from one kind of root only.
fn failing_plan(dice: &mut Dice) -> Plan {
    let mut plan = plan(dice);
    let is_source = dice.once_in(3);
    for setup in &mut plan.setups {
        setup.is_source = is_source;
    }
    for _ in 0..=dice.roll(3) {
        let node = dice.roll(plan.graph.len());
        let lane = dice.roll(plan.nodes[node].len());
        plan.nodes[node][lane].fails = Some((1 + dice.roll(3), dice.roll(3)));
    }
    plan
}

#[test]
fn what_is_delivered_before_a_failure_does_not_depend_on_timing() {
    let mut failed = 0;
    for seed in 0..500 {
        let mut dice = Dice::seeded(seed);
        let plan = failing_plan(&mut dice);
        let Some(Defined { results, failures }) = by_definition(&plan) else {
            continue;
        };
        let mut first: Option<(Status, Vec<Given>)> = None;
        for _ in 0..4 {
            let mut driver = Driver::new(&plan, &mut dice);
            let status = driver.run(&mut dice);
            let delivered = std::mem::take(&mut driver.results);
            let (first_status, first_delivered) =
                first.get_or_insert_with(|| (status, delivered.clone()));
            assert_eq!(status, *first_status, "seed {seed}, {plan:?}");
            assert_eq!(delivered, *first_delivered, "seed {seed}, {plan:?}");
        }
        let (status, delivered) = first.unwrap();
        let lowest = failures.values().min();
        match (status, lowest) {
            (Status::Finished, None) => assert_eq!(delivered.len(), results.len()),
            (Status::Failed(node), Some(lowest)) => {
                failed += 1;
                assert_eq!(failures.get(&node.get()), Some(lowest), "seed {seed}");
                let certain = results.iter().filter(|(way, _)| way < lowest).count();
                let possible = results.iter().filter(|(way, _)| way <= lowest).count();
                assert!(
                    (certain..=possible).contains(&delivered.len()),
                    "seed {seed}, {} of {certain} to {possible}, {plan:?}",
                    delivered.len()
                );
                let expected = results[..delivered.len()].iter();
                let expected: Vec<_> = expected.map(|(_, result)| result.clone()).collect();
                assert_eq!(delivered, expected, "seed {seed}, {plan:?}");
            }
            (status, lowest) => panic!("seed {seed}: {status:?}, expected at {lowest:?}, {plan:?}"),
        }
    }
    assert!(failed > 150, "{failed} failures are few");
}

#[test]
fn stopped_runs_end() {
    for seed in 0..300 {
        let mut dice = Dice::seeded(seed);
        let mut plan = failing_plan(&mut dice);
        for setup in &mut plan.setups {
            setup.is_source = dice.once_in(2);
        }
        if by_definition(&plan).is_none() {
            continue;
        }
        let mut driver = Driver::new(&plan, &mut dice);
        driver.stops = true;
        assert_eq!(driver.run(&mut dice), Status::Finished, "seed {seed}");
    }
}
