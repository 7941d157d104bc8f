//! Whatever a Python node does, it is an error of the item that it does it with, and the host and everybody else go on.

mod packed;

use std::time::{Duration, Instant};

use packed::{list, pipeline_under, run_to_end, through, values_of, whole, within};
use rm_runtime::manifest::OnError;
use rm_runtime::pipeline::{NodeFailure, Pipeline, RunError, Settings};
use rm_runtime::python::InstanceError;
use rm_runtime::value::Value;

const ONE: &str = "nodes: [{id: case, node_type: Case}]";

fn settings(on_error: OnError, threads: usize) -> Settings {
    Settings {
        threads,
        timeout: Some(Duration::from_secs(1)),
        memory_limit: 150_000_000,
        on_error,
        ..Settings::default()
    }
}

/// What a node does with an item that is not a number, and what of the error must show. `gone` says whether the
/// interpreter goes with it.
struct Fate {
    what: &'static str,
    shows: &'static str,
    gone: bool,
}

const FATES: [Fate; 16] = [
    fate("while True: pass", "took longer than 1s", true),
    fate("time.sleep(1000)", "took longer than 1s", true),
    fate("await asyncio.sleep(1000)", "took longer than 1s", true),
    fate(
        "(lambda: time.sleep(0.9) or time.sleep(0.9))()",
        "took longer than 1s",
        true,
    ),
    fate("sum(range(10**12))", "took longer than 1s", true),
    fate(
        "await asyncio.Event().wait()",
        "nothing in this program will bring about",
        false,
    ),
    fate("bytearray(10**10)", "Error", false),
    fate("bytearray(10**9)", "MemoryError", false),
    fate("list(range(10**9))", "MemoryError", false),
    fate("fill()", "MemoryError", false),
    fate("json.loads('[' * 100000)", "RecursionError", false),
    fate("recurse()", "RecursionError", false),
    fate("raise SystemExit", "SystemExit", false),
    fate("raise KeyboardInterrupt", "KeyboardInterrupt", false),
    fate("os._exit(1)", "os._exit", true),
    fate("os.abort()", "interpreter stopped", true),
];

const fn fate(what: &'static str, shows: &'static str, gone: bool) -> Fate {
    Fate { what, shows, gone }
}

impl Fate {
    fn pipeline(&self, settings: Settings) -> Pipeline {
        let source = format!(
            "
import asyncio
import json
import os
import time


def recurse():
    return recurse() + 1


def fill():
    kept = []
    while True:
        kept.append(bytearray(1000))


class Case:
    seen = 0

    async def process(self, data):
        if data == 'bad':
            {}
        self.seen += 1
        return [data, self.seen]
",
            self.what
        );
        pipeline_under(settings, ONE, &source)
    }
}

#[test]
fn whatever_a_node_does_is_an_error_of_its_item() {
    for fate in &FATES {
        let pipeline = fate.pipeline(settings(OnError::Fail, 2));
        let begun = Instant::now();
        let (outputs, result) = run_to_end(&pipeline, list(r#"[1, 2, "bad", 3]"#));
        let error = result.unwrap_err();
        let what = fate.what;
        assert_eq!(values_of(&outputs), "[[1,1],[2,2]]", "{what}");
        assert!(
            matches!(&error, RunError::Item { node, item: 3, .. } if node == "case"),
            "{what}: {error:?}"
        );
        let text = whole(&error);
        assert!(text.contains(fate.shows), "{what}: {text}");
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(10), "{what}: {took:?}");
        assert_eq!(through(&pipeline, "[5]"), "[[5,1]]", "{what}");
    }
}

#[test]
fn what_is_skipped_leaves_the_node_as_it_is_or_a_fresh_one() {
    for fate in &FATES {
        let pipeline = fate.pipeline(settings(OnError::Skip, 1));
        let outputs = through(&pipeline, r#"[1, 2, "bad", 3, "bad", "bad", 4]"#);
        let expected = if fate.gone {
            "[[1,1],[2,2],[3,1],[4,1]]"
        } else {
            "[[1,1],[2,2],[3,3],[4,4]]"
        };
        assert_eq!(outputs, expected, "{}", fate.what);
    }
}

#[test]
fn what_stops_the_stream_is_its_end() {
    for fate in &FATES {
        let pipeline = fate.pipeline(settings(OnError::Stop, 2));
        let outputs = through(&pipeline, r#"[1, "bad", 3]"#);
        assert_eq!(outputs, "[[1,1]]", "{}", fate.what);
    }
}

const DIVIDE: &str = "
class Case:
    def process(self, data):
        yield data
        yield 6 // data

    def flush(self):
        return 'end'
";

#[test]
fn the_manifest_says_what_an_error_means_and_else_the_settings_do() {
    let outputs = |policy: Option<&str>, default| {
        let policy = policy.map(|policy| format!(", on_error: {policy}"));
        let manifest = format!(
            "
nodes: [{{id: case, node_type: Case{}}}, {{id: end, node_type: Echo}}]
connections: [{{from: case, to: end}}]
",
            policy.unwrap_or_default()
        );
        let pipeline = pipeline_under(settings(default, 2), &manifest, DIVIDE);
        let (outputs, result) = run_to_end(&pipeline, list("[1, 0, 2]"));
        (values_of(&outputs), result.is_ok())
    };
    let failed = (String::from("[1,6,0]"), false);
    let skipped = (String::from(r#"[1,6,0,2,3,"end"]"#), true);
    let stopped = (String::from(r#"[1,6,0,"end"]"#), true);
    for default in OnError::ALL {
        assert_eq!(outputs(Some("fail"), default), failed);
        assert_eq!(outputs(Some("skip"), default), skipped);
        assert_eq!(outputs(Some("stop"), default), stopped);
    }
    assert_eq!(outputs(None, OnError::Fail), failed);
    assert_eq!(outputs(None, OnError::Skip), skipped);
    assert_eq!(outputs(None, OnError::Stop), stopped);
}

#[test]
fn stopping_one_node_ends_the_input_for_all() {
    let manifest = "
nodes:
  - {id: start, node_type: Echo}
  - {id: case, node_type: Case, on_error: stop}
  - {id: other, node_type: Other}
connections:
  - {from: start, to: case}
  - {from: start, to: other}
";
    let source = format!(
        "{DIVIDE}

class Other:
    seen = 0

    def process(self, data):
        self.seen += 1

    def flush(self):
        return self.seen
"
    );
    let pipeline = pipeline_under(Settings::default(), manifest, &source);
    let mut taken = 0;
    let mut outputs = Vec::new();
    let taking = || {
        taken += 1;
        Ok(Some(Value::from(5 - taken).into()))
    };
    pipeline
        .run_with(taking, |output| {
            outputs.push(output.value);
            Ok(())
        })
        .unwrap();
    let Some(Value::Int(seen)) = outputs.pop() else {
        panic!("{outputs:?}")
    };
    let expected = [4, 1, 3, 2, 2, 3, 1, 6, 0].map(Value::from);
    assert_eq!(outputs[..9], expected);
    assert_eq!(outputs[9..], ["end".into()]);
    // What was on its way reached the other branch.
    assert!((5..=i64::from(taken)).contains(&seen), "{seen} of {taken}");
    assert!(taken < 100, "{taken}");
}

/// The node that is slow to fail fails on an earlier item, and the one that is quick on a later.
#[test]
fn the_first_error_by_order_is_told_at_any_number_of_threads() {
    let manifest = "
nodes:
  - {id: start, node_type: Echo}
  - {id: quick, node_type: Quick}
  - {id: slow, node_type: Slow}
  - {id: many, node_type: Many, instances: 3}
connections:
  - {from: start, to: quick}
  - {from: start, to: slow}
  - {from: start, to: many}
";
    let source = "
import time


class Quick:
    def process(self, data):
        return 60 // (6 - data)


class Slow:
    def process(self, data):
        time.sleep(0.05)
        return 60 // (4 - data)


class Many:
    def process(self, data):
        yield data
        if data == 5:
            raise ValueError(data)
";
    for threads in [1, 2, 4] {
        for _ in 0..3 {
            let pipeline = pipeline_under(settings(OnError::Fail, threads), manifest, source);
            let (outputs, result) = run_to_end(&pipeline, 1..=9);
            assert_eq!(values_of(&outputs), "[12,20,1,15,30,2,20,60,3,30]");
            let error = result.unwrap_err();
            assert_eq!(error.to_string(), "node `slow` failed on item 4");
        }
    }
}

/// The lines of the user's code in an error, as `function:line`.
fn lines_of(error: &RunError) -> String {
    let (RunError::Item { source, .. }
    | RunError::Start { source, .. }
    | RunError::End { source, .. }
    | RunError::Source { source, .. }) = error
    else {
        panic!("{error:?}")
    };
    let NodeFailure::Python(InstanceError::Exception(exception)) = source else {
        panic!("{error:?}")
    };
    let frames: Vec<_> = exception
        .frames
        .iter()
        .map(|frame| match frame {
            rm_runtime::python::exception::Frame::Line {
                file,
                line,
                function,
            } => format!("{file}:{line} {function}"),
            other @ rm_runtime::python::exception::Frame::Omitted(_) => format!("{other:?}"),
        })
        .collect();
    frames.join(", ")
}

#[test]
fn tracebacks_name_the_line_in_every_shape() {
    for (shape, expected) in [
        (
            "def process(self, data):\n        return divide(data)",
            "nodes.py:10 Case.process",
        ),
        (
            "def process(self, data):\n        yield divide(data)",
            "nodes.py:10 Case.process",
        ),
        (
            "async def process(self, data):\n        return divide(data)",
            "nodes.py:10 Case.process",
        ),
        (
            "async def process(self, data):\n        yield divide(data)",
            "nodes.py:10 Case.process",
        ),
        (
            "async def process(self, s: 'AsyncIterator'):\n        async for i in s: yield divide(i)",
            "nodes.py:10 Case.process",
        ),
        (
            "async def process(self, s: 'AsyncIterator'):\n        return [divide(i) async for i in s]",
            "nodes.py:10 Case.process",
        ),
    ] {
        for import in ["import asyncio", "import json"] {
            let source = format!(
                "{import}\n\n\ndef divide(data):\n    return 6 // data\n\n\nclass Case:\n    {shape}\n"
            );
            let pipeline = pipeline_under(Settings::default(), ONE, &source);
            let (_, result) = run_to_end(&pipeline, list("[1, 0]"));
            let error = result.unwrap_err();
            assert!(matches!(error, RunError::Item { item: 2, .. }), "{error:?}");
            assert_eq!(
                lines_of(&error),
                format!("{expected}, nodes.py:5 divide"),
                "{shape}"
            );
        }
    }
}

#[test]
fn errors_around_the_items_say_where_they_happened() {
    for word in ["def", "async def"] {
        for (method, expected) in [
            ("__init__", "node `case` could not be started"),
            ("initialize", "node `case` could not be started"),
            ("flush", "node `case` failed at the end of the stream"),
            ("cleanup", "node `case` failed at the end of the stream"),
        ] {
            if (word, method) == ("async def", "__init__") {
                continue;
            }
            let source = format!(
                "
class Case:
    {word} {method}(self):
        raise ValueError('no')

    def process(self, data):
        return data
"
            );
            let pipeline = pipeline_under(Settings::default(), ONE, &source);
            let (outputs, result) = run_to_end(&pipeline, [1]);
            let error = result.unwrap_err();
            assert_eq!(error.to_string(), expected, "{method}");
            assert_eq!(lines_of(&error), format!("nodes.py:4 Case.{method}"));
            let given = usize::from(expected.ends_with("stream"));
            assert_eq!(outputs.len(), given, "{method}");
        }
    }
}

#[test]
fn an_error_of_a_source_has_no_item() {
    for word in ["def", "async def"] {
        let source = format!(
            "class Case:\n    {word} process(self):\n        yield 1\n        yield 1 // 0\n"
        );
        let pipeline = pipeline_under(Settings::default(), ONE, &source);
        let (outputs, result) = run_to_end::<Value>(&pipeline, []);
        assert_eq!(values_of(&outputs), "[1]");
        let error = result.unwrap_err();
        assert_eq!(error.to_string(), "node `case` failed");
        assert_eq!(lines_of(&error), "nodes.py:4 Case.process");
    }
}

fn sleeping(body: &str, on_error: OnError) -> Pipeline {
    let source = format!("import asyncio\nimport time\n\n\nclass Case:\n{body}\n");
    pipeline_under(settings(on_error, 2), ONE, &source)
}

fn is_time_up(error: &RunError) -> bool {
    whole(error).contains("it took longer than 1s, the time that it may take")
}

#[test]
fn time_in_which_a_node_sleeps_counts_and_outputs_renew_it() {
    let slow = "
    async def process(self, data):
        for _ in range(4):
            await asyncio.sleep(0.4)
            OUTPUT
        yield 'done'
";
    let (outputs, result) = run_to_end(
        &sleeping(&slow.replace("OUTPUT", "pass"), OnError::Fail),
        [1],
    );
    assert_eq!(outputs, []);
    assert!(is_time_up(&result.unwrap_err()));
    let pipeline = sleeping(&slow.replace("OUTPUT", "yield data"), OnError::Fail);
    assert_eq!(through(&pipeline, "[1]"), r#"[1,1,1,1,"done"]"#);
}

#[test]
fn every_item_has_its_own_time_also_in_a_stream() {
    let each = "
    async def process(self, stream: 'AsyncIterator'):
        async for item in stream:
            await asyncio.sleep(0.4)
        yield item
";
    assert_eq!(
        through(&sleeping(each, OnError::Fail), "[1, 2, 3, 4]"),
        "[4]"
    );
}

#[test]
fn waiting_for_the_next_item_is_not_work() {
    let stream = "
    async def process(self, stream: 'AsyncIterator'):
        async for item in stream:
            yield item
";
    let pipeline = sleeping(stream, OnError::Fail);
    let values = within(30, move || {
        let session = pipeline.session();
        [1, 2].map(|item| {
            std::thread::sleep(Duration::from_millis(1500));
            session.send_blocking(item).unwrap();
            session.receive_blocking().unwrap().unwrap().value
        })
    });
    assert_eq!(values, [1, 2].map(Value::from));
}

/// A node that waits for room has no time taken from it: nobody receives for longer than it may take.
#[test]
fn waiting_for_room_is_not_work() {
    let many = "
    def process(self, data):
        for number in range(data):
            yield number
";
    let pipeline = sleeping(many, OnError::Fail);
    let given = within(30, move || {
        let session = pipeline.session();
        session.send_blocking(2000).unwrap();
        session.close();
        let mut given = 0;
        while session.receive_blocking().unwrap().is_some() {
            given += 1;
            if given == 500 {
                std::thread::sleep(Duration::from_secs(2));
            }
        }
        given
    });
    assert_eq!(given, 2000);
}

#[test]
fn the_time_for_starting_and_ending_is_limited_too() {
    for (method, expected) in [
        ("initialize", "node `case` could not be started"),
        ("flush", "node `case` failed at the end of the stream"),
        ("cleanup", "node `case` failed at the end of the stream"),
    ] {
        for sleep in ["time.sleep(1000)", "await asyncio.sleep(1000)"] {
            let body = format!(
                "
    async def {method}(self):
        {sleep}

    def process(self, data):
        return data
"
            );
            let pipeline = sleeping(&body, OnError::Fail);
            let (_, result) = within(30, move || run_to_end(&pipeline, [1]));
            let error = result.unwrap_err();
            assert_eq!(error.to_string(), expected, "{method}: {sleep}");
            assert!(is_time_up(&error), "{error:?}");
        }
    }
}

#[test]
fn running_out_of_memory_can_be_caught() {
    let source = "
class Case:
    def process(self, data):
        try:
            return len(bytearray(data))
        except MemoryError:
            return 'too much'
";
    for (limit, expected) in [
        (100_000_000, r#"[1000,50000000,"too much","too much",1000]"#),
        (400_000_000, r#"[1000,50000000,200000000,"too much",1000]"#),
    ] {
        let settings = Settings {
            memory_limit: limit,
            ..Settings::default()
        };
        let pipeline = pipeline_under(settings, ONE, source);
        let items = "[1000, 50000000, 200000000, 900000000, 1000]";
        assert_eq!(through(&pipeline, items), expected);
    }
}

#[test]
fn a_limit_too_small_for_the_interpreter_is_an_error_of_the_start() {
    let settings = Settings {
        memory_limit: 1_000_000,
        ..Settings::default()
    };
    let pipeline = pipeline_under(settings, ONE, DIVIDE);
    let error = pipeline.run([1]).unwrap_err();
    assert!(matches!(error, RunError::Start { .. }), "{error:?}");
    let text = whole(&error);
    assert!(text.contains("memory"), "{text}");
}

#[test]
fn outputs_before_an_error_are_delivered_at_any_number_of_threads() {
    let source = "
import asyncio


class Case:
    async def process(self, data):
        for number in range(data):
            yield number
            if number % 7 == 0:
                await asyncio.sleep(0)
        raise ValueError
";
    for threads in [1, 2, 4] {
        for count in [0, 1, 15, 16, 17, 500] {
            let pipeline = pipeline_under(settings(OnError::Fail, threads), ONE, source);
            let (outputs, result) = run_to_end(&pipeline, [count]);
            assert_eq!(outputs.len(), usize::try_from(count).unwrap());
            assert!(matches!(result, Err(RunError::Item { item: 1, .. })));
        }
    }
}

/// What a node gave and what a trap or a timeout did to it afterwards are two things.
#[test]
fn outputs_before_an_interpreter_stops_are_delivered() {
    for body in ["os._exit(1)", "while True: pass", "time.sleep(1000)"] {
        for word in ["def", "async def"] {
            let source = format!(
                "
import os
import time


class Case:
    {word} process(self, data):
        yield data
        yield data + 1
        {body}
"
            );
            let pipeline = pipeline_under(settings(OnError::Fail, 2), ONE, &source);
            let (outputs, result) = run_to_end(&pipeline, [1]);
            assert_eq!(values_of(&outputs), "[1,2]", "{word} with {body}");
            assert!(matches!(result, Err(RunError::Item { item: 1, .. })));
        }
    }
}
