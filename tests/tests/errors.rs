//! What an error in a node means, what is told about it, and what is delivered before it.

mod packed;

use std::time::Duration;

use packed::lines::printed;
use packed::{list, pipeline_under, run, run_to_end, values_of};
use rm_runtime::manifest::OnError;
use rm_runtime::pipeline::{NodeFailure, RunError, Settings};
use rm_runtime::python::InstanceError;
use rm_runtime::python::answer::AnswerError;
use rm_runtime::python::exception::{Frame, PythonException};
use rm_runtime::value::Value;

const ONE: &str = "nodes: [{id: case, node_type: Case}]";

fn settings(on_error: OnError, threads: usize) -> Settings {
    Settings {
        threads,
        timeout: Some(Duration::from_secs(1)),
        on_error,
        ..Settings::default()
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

/// The exception that ended a run.
fn exception_of(error: &RunError) -> &PythonException {
    let (RunError::Item { source, .. }
    | RunError::Start { source, .. }
    | RunError::End { source, .. }
    | RunError::Cleanup { source, .. }
    | RunError::Source { source, .. }) = error
    else {
        panic!("{error:?}")
    };
    let NodeFailure::Python(InstanceError::Answer(AnswerError::Exception(exception))) = source
    else {
        panic!("{error:?}")
    };
    exception
}

/// The lines of the user's code in an error, as `file:line function`.
fn lines_of(error: &RunError) -> String {
    let frames: Vec<_> = exception_of(error)
        .frames
        .iter()
        .map(|frame| match frame {
            Frame::Line {
                file,
                line,
                function,
            } => format!("{file}:{line} {function}"),
            Frame::Omitted(_) => "...".to_owned(),
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
            ("cleanup", "node `case` failed while it cleaned up"),
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
            let given = usize::from(!expected.ends_with("started"));
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
        for (word, import) in [("def", "os"), ("async def", "os"), ("async def", "asyncio")] {
            for (more, expected) in [("pass", "[1]"), ("yield data + 1", "[1,2]")] {
                let source = format!(
                    "
import {import}
import os
import time


class Case:
    {word} process(self, data):
        yield data
        {more}
        {body}
"
                );
                let pipeline = pipeline_under(settings(OnError::Fail, 2), ONE, &source);
                let (outputs, result) = run_to_end(&pipeline, [1]);
                let what = format!("{word} with {import}, {more} and {body}");
                assert_eq!(values_of(&outputs), expected, "{what}");
                assert!(matches!(result, Err(RunError::Item { item: 1, .. })));
            }
        }
    }
}

/// An exception's class is the user's, and so are the streams that are flushed before an answer leaves.
#[test]
fn an_exception_is_told_whatever_it_is_made_of() {
    let source = r#"
import enum
import sys


class Word(enum.StrEnum):
    ODD = "a member"


class Hostile(Exception):
    def __str__(self):
        raise SystemExit(1)

    def __getattribute__(self, name):
        raise KeyboardInterrupt(name)


class Stream:
    def write(self, text):
        return len(text)

    def flush(self):
        raise SystemExit(1)


def noted(*notes):
    error = ValueError("noted")
    error.__notes__ = notes
    return error


def print_and_raise():
    sys.stdout = sys.stderr = Stream()
    print("lost")
    return ValueError("printed")


def without_streams():
    del sys.stdout, sys.stderr
    return ValueError("no streams")


ERRORS = {
    "syntax": lambda: SyntaxError(Word.ODD, (object(), "1", 2.5, {})),
    "import": lambda: ImportError("gone", name=[object()]),
    "notes": lambda: noted(Word.ODD, 7, Hostile()),
    "member": lambda: ValueError(Word.ODD),
    "hostile": Hostile,
    "stream": print_and_raise,
    "no streams": without_streams,
}


class Case:
    def process(self, data):
        raise ERRORS[data]()
"#;
    let unknown = "<the exception's own text could not be made>";
    let noted = format!("ValueError: noted\na member\n7\n{unknown}");
    let hostile = format!("nodes.Hostile: {unknown}");
    let pipeline = pipeline_under(Settings::default(), ONE, source);
    for (item, expected) in [
        ("syntax", "SyntaxError: a member"),
        ("import", "ImportError: gone"),
        ("notes", noted.as_str()),
        ("member", "ValueError: a member"),
        ("hostile", hostile.as_str()),
        ("stream", "ValueError: printed"),
        ("no streams", "ValueError: no streams"),
    ] {
        let (_, result) = run_to_end(&pipeline, [item]);
        let error = result.unwrap_err();
        let text = exception_of(&error).to_string();
        assert!(text.ends_with(expected), "{item}: {text}");
        assert_eq!(lines_of(&error), "nodes.py:56 Case.process", "{item}");
    }
}

/// A stream of the program's own that needs what was left out cannot fail the item, but it is told.
#[test]
fn what_a_stream_misses_is_said() {
    let source = "
import sys
import textwrap


class Stream:
    def write(self, text):
        return len(text)

    def flush(self):
        getattr(textwrap, ''.join(['inde', 'nt']))


class Case:
    def process(self, data):
        sys.stdout = Stream()
        print('lost')
        return textwrap.dedent('kept')
";
    let settings = Settings {
        threads: 1,
        ..Settings::default()
    };
    let lines = printed(|| {
        let pipeline = pipeline_under(settings, ONE, source);
        assert_eq!(run(&pipeline, [1]), ["kept".into()]);
    });
    let told = |line: &(String, String, String)| {
        line.1 == "stderr"
            && line
                .2
                .starts_with("rm-pack: `textwrap.indent` was left out")
    };
    assert!(lines.iter().any(told), "{lines:?}");
}
