//! Whatever a Python node does, it is an error of the item that it does it with, and the host and everybody else go on.

mod packed;

use std::time::{Duration, Instant};

use packed::{
    list, pack_files, pipeline_under, run, run_to_end, through, values_of, whole, within,
};
use rm_runtime::manifest::OnError;
use rm_runtime::pipeline::{Pipeline, RunError, Settings};
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
        let mut settings = settings(OnError::Skip, 1);
        if !fate.gone {
            // Filling memory takes as long as it takes.
            settings.timeout = Some(Duration::from_secs(30));
        }
        let pipeline = fate.pipeline(settings);
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
        ("cleanup", "node `case` failed while it cleaned up"),
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

const ANY: &str = "class Case:\n    def process(self, data):\n        return data\n";

#[test]
fn a_limit_too_small_for_the_interpreter_is_an_error_of_the_start() {
    let settings = Settings {
        memory_limit: 1_000_000,
        ..Settings::default()
    };
    let pipeline = pipeline_under(settings, ONE, ANY);
    let error = pipeline.run([1]).unwrap_err();
    assert!(matches!(error, RunError::Start { .. }), "{error:?}");
    let text = whole(&error);
    assert!(text.contains("memory"), "{text}");
}

#[test]
fn a_module_that_is_never_done_importing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let packed = pack_files(
        folder.path(),
        &[
            (
                "pipeline.yaml",
                "{version: v1, metadata: {name: case}, nodes: [{id: case, node_type: Case}]}",
            ),
            (
                "nodes.py",
                "class Case:\n    def process(self, data):\n        import endless\n        return endless\n",
            ),
            ("endless.py", "while True:\n    pass\n"),
        ],
    );
    let engine = packed.engine.map(|built| built.engine);
    let pipeline =
        Pipeline::with_engine(&packed.bundle, engine, settings(OnError::Fail, 1)).unwrap();
    assert_eq!(
        pipeline
            .try_imports(&["nodes", "no_such_module"])
            .unwrap()
            .len(),
        1
    );
    let stopped = pipeline.try_imports(&["nodes", "endless"]).unwrap_err();
    assert_eq!(stopped.module.as_deref(), Some("endless"));
    assert!(
        whole(&stopped).contains("took longer than 1s"),
        "{stopped:?}"
    );
}

#[test]
fn a_time_that_no_clock_reaches_is_no_limit() {
    let settings = Settings {
        timeout: Some(Duration::MAX),
        ..settings(OnError::Fail, 1)
    };
    let source = "
import asyncio
import time


class Case:
    async def process(self, data):
        time.sleep(0.01)
        await asyncio.sleep(0.01)
        return data
";
    let pipeline = pipeline_under(settings, ONE, source);
    assert_eq!(through(&pipeline, "[1, 2]"), "[1,2]");
}

/// Not less, such as the 128 MiB that wasmtime lets out of a guest unless told otherwise.
#[test]
fn a_value_may_be_as_large_as_the_memory_that_it_is_in() {
    let source = "
class Case:
    def process(self, data):
        return bytes(data)
";
    let pipeline = pipeline_under(Settings::default(), ONE, source);
    let size = 200_usize << 20;
    let outputs = run(&pipeline, [i64::try_from(size).unwrap()]);
    let [Value::Bytes(bytes)] = outputs.as_slice() else {
        panic!("not bytes")
    };
    assert_eq!(bytes.len(), size);
}
