//! What leaves when, in which order, and that it is the same however many threads do the work.

mod packed;

use packed::{
    list, pipeline_under, pipeline_with, python, run, run_to_end, through, values_of, within,
};
use rm_runtime::nodes::{NodeError, Registry};
use rm_runtime::packet::Emission;
use rm_runtime::pipeline::{Item, Output, Pipeline, Settings};
use rm_runtime::value::Value;

const CHAIN: &str = "
nodes:
  - {id: double, node_type: MultiplyNode, params: {factor: 2}}
  - {id: words, node_type: Words}
  - {id: end, node_type: Collect}
connections:
  - {from: double, to: words}
  - {from: words, to: end}
";

const CHAIN_NODES: &str = "
class Words:
    def process(self, data):
        yield data
        yield str(data)


class Collect:
    is_streaming = True

    async def process(self, stream):
        async for item in stream:
            yield [item]
";

#[test]
fn what_an_item_gives_is_there_before_the_next_item_is_sent() {
    let pipeline = pipeline_with(Registry::builtin(), CHAIN, CHAIN_NODES);
    let outputs = within(60, move || {
        let session = pipeline.session();
        let mut outputs = Vec::new();
        for number in 1..=3 {
            session.send_blocking(number).unwrap();
            for _ in 0..2 {
                outputs.push(session.receive_blocking().unwrap().unwrap());
            }
        }
        session.close();
        assert!(session.receive_blocking().unwrap().is_none());
        outputs
    });
    assert_eq!(values_of(&outputs), r#"[[2],["2"],[4],["4"],[6],["6"]]"#);
}

/// A node that yields its item and then does this, which takes long.
#[track_caller]
fn leaves_before(function: &str, work: &str) {
    let source = format!(
        "
import asyncio
import time


class Case:
    {function} process(self, data):
        yield data
        {work}
"
    );
    let pipeline = python(&source);
    within(20, move || {
        let session = pipeline.session();
        session.send_blocking(1).unwrap();
        let output = session.receive_blocking().unwrap().unwrap();
        assert_eq!(output.value, Value::from(1));
    });
}

#[test]
fn what_is_yielded_leaves_before_the_generator_goes_on() {
    leaves_before("def", "time.sleep(1000)");
    leaves_before("async def", "time.sleep(1000)");
}

#[test]
fn what_is_yielded_leaves_before_the_generator_waits() {
    leaves_before("async def", "await asyncio.sleep(1000)");
}

/// Fan-out, a join, generators that give different numbers of outputs, instances, named outputs, a node that takes the
/// whole stream, a source in Rust and one in Python.
const MAZE: &str = "
nodes:
  - {id: start, node_type: PassThrough}
  - {id: many, node_type: Many, instances: 3}
  - {id: tens, node_type: MultiplyNode, params: {factor: 10}, instances: 2}
  - {id: pick, node_type: Pick}
  - {id: pairs, node_type: Pairs}
  - {id: joined, node_type: Echo, join: true}
  - {id: rust, node_type: Ticks, runtime_hint: rust}
  - {id: python, node_type: Tocks}
  - {id: clock, node_type: Slow}
  - {id: gathered, node_type: Echo}
connections:
  - {from: start, to: many}
  - {from: start, to: tens}
  - {from: many, to: pick}
  - {from: pick, to: pairs, output: odd}
  - {from: tens, to: joined}
  - {from: start, to: joined}
  - {from: rust, to: clock}
  - {from: python, to: clock}
  - {from: pairs, to: gathered}
  - {from: many, to: gathered}
  - {from: clock, to: gathered}
";

const MAZE_NODES: &str = "
import asyncio
import time

from remotemedia import Packet


class Many:
    def process(self, data):
        if data % 3 == 0:
            time.sleep(0.002)
        for number in range(data % 4):
            yield data * 10 + number

    def flush(self):
        return -1


class Pick:
    def process(self, data):
        if data % 2:
            return Packet(data, output='odd')
        return Packet(data, output='even')


class Pairs:
    is_streaming = True

    async def process(self, stream):
        before = None
        async for item in stream:
            await asyncio.sleep(0.001)
            yield [before, item]
            before = item
        yield 'over'


class Tocks:
    async def process(self):
        for number in range(20):
            await asyncio.sleep(0.001)
            yield f'tock {number}'


class Slow:
    async def process(self, data):
        await asyncio.sleep(0.001)
        return data
";

fn maze(threads: usize) -> Pipeline {
    let mut registry = Registry::builtin();
    registry.register_source("Ticks", |_| {
        Ok(Box::new((0..30).map(|number| {
            Ok::<_, NodeError>(Emission::new(format!("tick {number}")))
        })))
    });
    let settings = Settings {
        registry,
        threads,
        ..Settings::default()
    };
    pipeline_under(settings, MAZE, MAZE_NODES)
}

fn told(output: &Output) -> String {
    format!("{} {:?} {:?}", output.node, output.output, output.value)
}

#[test]
fn the_same_results_with_any_number_of_threads() {
    let results = [1, 2, 4].map(|threads| {
        let pipeline = maze(threads);
        let runs = [0, 1].map(|_| {
            let (outputs, result) = run_to_end(&pipeline, 0..40);
            result.unwrap();
            outputs.iter().map(told).collect::<Vec<_>>()
        });
        assert_eq!(runs[0], runs[1], "at {threads} threads");
        runs.into_iter().next().unwrap()
    });
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
    let count = |text: &str| results[0].iter().filter(|line| line.contains(text)).count();
    // 10 times 0 + 1 + 2 + 3, and three flushes.
    assert_eq!(count("gathered None Int"), 63);
    assert_eq!(count("joined None"), 40);
    assert_eq!((count("tick "), count("tock ")), (30, 20));
    assert_eq!(count("over"), 1);
}

#[test]
fn a_session_gives_what_a_run_gives() {
    let pipeline = maze(2);
    let (expected, result) = run_to_end(&pipeline, 0..40);
    result.unwrap();
    let session = pipeline.session();
    let outputs = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..40 {
                session.send_blocking(number).unwrap();
            }
            session.close();
        });
        let mut outputs = Vec::new();
        while let Some(output) = session.receive_blocking().unwrap() {
            outputs.push(output);
        }
        outputs
    });
    assert_eq!(outputs, expected);
}

const UNEVEN: &str = "
import time


class Case:
    seen = 0

    def process(self, data):
        self.seen += 1
        time.sleep(data['sleep'])
        for part in range(data['parts']):
            yield [data['number'], part]

    def flush(self):
        return self.seen
";

#[test]
fn instances_keep_order_and_share_the_items() {
    for instances in [2_usize, 3, 8] {
        let manifest = format!("nodes: [{{id: case, node_type: Case, instances: {instances}}}]");
        let pipeline = pipeline_with(Registry::builtin(), &manifest, UNEVEN);
        let items: Vec<String> = (0..12)
            .map(|number| {
                let sleep = if number % 3 == 0 { 0.1 } else { 0.0 };
                format!(
                    r#"{{"number": {number}, "sleep": {sleep}, "parts": {}}}"#,
                    number % 3
                )
            })
            .collect();
        let outputs = through(&pipeline, &format!("[{}]", items.join(",")));
        let mut expected: Vec<String> = (0..12)
            .flat_map(|number| (0..number % 3).map(move |part| format!("[{number},{part}]")))
            .collect();
        let shares = (0..instances).map(|lane| (12 - lane).div_ceil(instances));
        expected.extend(shares.map(|share| share.to_string()));
        assert_eq!(outputs, format!("[{}]", expected.join(",")));
    }
}

#[test]
fn instances_work_at_the_same_time() {
    let source = "
import asyncio


class Case:
    async def process(self, data):
        return await asyncio.sleep(0.5, data)
";
    let manifest = "nodes: [{id: case, node_type: Case, instances: 8}]";
    let pipeline = pipeline_with(Registry::builtin(), manifest, source);
    let begun = std::time::Instant::now();
    assert_eq!(
        run(&pipeline, 0..16),
        (0..16).map(Value::from).collect::<Vec<_>>()
    );
    let took = begun.elapsed();
    assert!(
        took.as_secs() < 5,
        "{took:?}, and one after the other it is 8 s"
    );
}

#[test]
fn the_items_of_a_session_go_to_the_same_instance() {
    let source = "
class Case:
    def __init__(self):
        self.sessions = []

    def process(self, data):
        self.sessions.append(data)
        return id(self)

    def flush(self):
        return self.sessions
";
    let manifest = "nodes: [{id: case, node_type: Case, instances: 3}]";
    let pipeline = pipeline_with(Registry::builtin(), manifest, source);
    let names = ["a", "b", "c", "d", "e"];
    let items = (0..40).map(|number| {
        let name = names[(number * number + number / 7) % 5];
        Item {
            value: name.into(),
            session: Some(name.into()),
            timestamp_us: None,
        }
    });
    let (outputs, result) = run_to_end(&pipeline, items);
    result.unwrap();
    let lanes: Vec<&Value> = outputs[40..].iter().map(|output| &output.value).collect();
    assert_eq!(lanes.len(), 3);
    for name in names {
        let of = lanes.iter().filter(|lane| {
            let Value::List(seen) = lane else {
                panic!("{lane:?}")
            };
            seen.contains(&name.into())
        });
        assert_eq!(of.count(), 1, "{name}: {lanes:?}");
    }
}

const BRANCHES: &str = "
nodes:
  - {id: split, node_type: Split}
  - {id: small, node_type: Tag}
  - {id: large, node_type: Echo}
connections:
  - {from: split, to: small, output: small}
  - {from: split, to: large, output: large}
";

#[test]
fn outputs_go_where_their_names_lead() {
    let source = "
from remotemedia import Packet


class Split:
    def process(self, data):
        yield Packet(data, output='small' if data < 10 else 'large')
        if data == 7:
            yield Packet('seven', output='lucky')
            yield 'main'


class Tag:
    def process(self, data):
        return f'small {data}'
";
    let pipeline = pipeline_with(Registry::builtin(), BRANCHES, source);
    let (outputs, result) = run_to_end(&pipeline, list("[1, 20, 7]"));
    result.unwrap();
    let told: Vec<_> = outputs
        .iter()
        .map(|output| {
            let name = output.output.as_deref().unwrap_or("-");
            format!("{} {name} {}", output.node, output.value.describe())
        })
        .collect();
    let expected = [
        "small - str \"small 1\"",
        "large - int 20",
        "small - str \"small 7\"",
        "split lucky str \"seven\"",
        "split - str \"main\"",
    ];
    assert_eq!(told, expected);
}

#[test]
fn several_sources_feed_one_sink_beside_the_input() {
    let manifest = "
nodes:
  - {id: input, node_type: Echo}
  - {id: letters, node_type: Letters}
  - {id: numbers, node_type: Numbers}
  - {id: one, node_type: Tag}
  - {id: other, node_type: Echo}
connections:
  - {from: input, to: one}
  - {from: letters, to: one}
  - {from: numbers, to: one}
  - {from: numbers, to: other}
";
    let source = "
class Letters:
    def process(self):
        yield from 'abc'


class Numbers:
    async def process(self):
        yield 1
        yield 2


class Tag:
    def process(self, data):
        return [data]
";
    let pipeline = pipeline_with(Registry::builtin(), manifest, source);
    assert!(pipeline.takes_input());
    // By number, then by the order in which the sinks give them, which is that of the connections.
    let expected = r#"[["x"],1,["a"],[1],["y"],2,["b"],[2],["c"]]"#;
    assert_eq!(through(&pipeline, r#"["x", "y"]"#), expected);
}

#[test]
fn a_join_waits_for_what_belongs_together() {
    let manifest = "
nodes:
  - {id: start, node_type: Echo}
  - {id: slow, node_type: Slow}
  - {id: ten, node_type: MultiplyNode, params: {factor: 10}}
  - {id: both, node_type: Both, join: true}
connections:
  - {from: start, to: slow}
  - {from: start, to: ten}
  - {from: slow, to: both}
  - {from: ten, to: both}
";
    let source = "
import asyncio


class Slow:
    async def process(self, data):
        await asyncio.sleep(0.02)
        return f'slow {data}' if data != 2 else None


class Both:
    def process(self, data):
        return data
";
    let pipeline = pipeline_with(Registry::builtin(), manifest, source);
    let expected = r#"[{"slow":"slow 1","ten":10},{"ten":20},{"slow":"slow 3","ten":30}]"#;
    assert_eq!(through(&pipeline, "[1, 2, 3]"), expected);
}
