//! What the sandbox keeps from Python nodes, what it gives them, and what becomes of what they print.

mod packed;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use packed::lines::printed;
use packed::{pipeline_under, python, run};
use rm_runtime::pipeline::{RunError, Settings};
use rm_runtime::value::Value;

const ESCAPES: &str = r#"
import os
import socket
import subprocess
import sys
import threading


def attempt(action):
    try:
        return repr(action())
    except BaseException as error:
        return type(error).__name__


def connect():
    socket.create_connection(("127.0.0.1", 9), timeout=1)


def listen():
    socket.socket().bind(("127.0.0.1", 0))


def start():
    threading.Thread(target=print).start()


class Case:
    def process(self, data):
        return {
            "read": attempt(lambda: open("/etc/passwd").read()),
            "read beside": attempt(lambda: open("pipeline.yaml").read()),
            "write": attempt(lambda: open("/tmp/escaped", "w")),
            "list": attempt(lambda: os.listdir("/")),
            "list here": attempt(lambda: os.listdir(".")),
            "stat": attempt(lambda: os.stat("/")),
            "make": attempt(lambda: os.mkdir("folder")),
            "environment": attempt(lambda: dict(os.environ)),
            "home": attempt(lambda: os.environ["HOME"]),
            "arguments": attempt(lambda: sys.argv[1:]),
            "path": attempt(lambda: sys.path),
            "input": attempt(lambda: input()),
            "connect": attempt(connect),
            "listen": attempt(listen),
            "resolve": attempt(lambda: socket.getaddrinfo("localhost", 80)),
            "process": attempt(lambda: subprocess.run(["true"])),
            "shell": attempt(lambda: os.system("true")),
            "fork": attempt(lambda: os.fork()),
            "thread": attempt(start),
            "descriptor": attempt(lambda: os.read(3, 10)),
        }
"#;

#[test]
fn nothing_of_the_machine_reaches_python() {
    let outputs = run(&python(ESCAPES), [0]);
    let [Value::Dict(answers)] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    let answers: BTreeMap<_, _> = answers
        .iter()
        .map(|(name, answer)| (name.as_str().unwrap(), answer.as_str().unwrap()))
        .collect();
    let nothing = ["environment", "arguments", "path"];
    for (attempt, answer) in answers {
        if nothing.contains(&attempt) {
            assert!(["{}", "[]"].contains(&answer), "{attempt}: {answer}");
        } else {
            let is_error = answer.ends_with("Error") || answer == "gaierror";
            assert!(is_error, "{attempt}: {answer}");
        }
    }
}

#[test]
fn time_and_chance_are_those_of_the_run() {
    let source = "
import os
import random
import secrets
import tempfile
import time
import uuid

AT_IMPORT = [random.random(), time.time()]


class Case:
    def process(self, data):
        return [
            random.random(),
            random.Random().random(),
            random.SystemRandom().random(),
            os.urandom(8),
            secrets.token_hex(),
            str(uuid.uuid4()),
            time.time(),
        ]
";
    let pipeline = python(source);
    let draw = || {
        let outputs = run(&pipeline, [0, 0]);
        let [Value::List(first), Value::List(second)] = outputs.as_slice() else {
            panic!("{outputs:?}")
        };
        (first.clone(), second.clone())
    };
    let (one, two) = draw();
    let (three, _) = draw();
    for place in 0..6 {
        assert_ne!(one[place], two[place], "{place}, in one run");
        assert_ne!(one[place], three[place], "{place}, in another run");
    }
    let Value::Float(seconds) = one[6] else {
        panic!("{one:?}")
    };
    let told = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds);
    let apart = SystemTime::now().duration_since(told).unwrap_or_default();
    assert!(apart < Duration::from_hours(24), "{seconds}");
}

#[test]
fn what_python_prints_is_attributed_to_its_node() {
    let manifest = "
nodes:
  - {id: left, node_type: Case}
  - {id: right, node_type: Case}
";
    let source = "
import logging
import sys

logger = logging.getLogger('case')


class Case:
    def initialize(self):
        print('ready')

    def process(self, data):
        print('item', data, end='')
        print('careful', file=sys.stderr)
        logger.warning('logged %s', data)
        sys.stdout.write('é\\n')

    def cleanup(self):
        print('no line end', end='')
";
    let settings = Settings {
        threads: 1,
        ..Settings::default()
    };
    let lines = printed(|| {
        let pipeline = pipeline_under(settings, manifest, source);
        assert_eq!(run(&pipeline, [1]), []);
    });
    for node in ["left", "right"] {
        let of_stream = |stream: &str| -> Vec<&str> {
            let own = lines
                .iter()
                .filter(|line| line.0 == node && line.1 == stream);
            own.map(|line| line.2.as_str()).collect()
        };
        assert_eq!(of_stream("stdout"), ["ready", "item 1é", "no line end"]);
        assert_eq!(of_stream("stderr"), ["careful", "logged 1"]);
    }
    assert_eq!(lines.len(), 10, "{lines:?}");
}

#[test]
fn a_run_that_failed_spoils_nothing() {
    let source = "
import os


class Case:
    def process(self, data):
        if data == 0:
            os.abort()
        if data == 1:
            raise SystemExit
        return bytearray(data)[-1]
";
    let pipeline = python(source);
    for bad in [0, 1, 0, 1_500_000_000] {
        let error = pipeline.run([Value::from(bad)]).unwrap_err();
        assert!(matches!(error, RunError::Item { item: 1, .. }), "{error:?}");
        assert_eq!(run(&pipeline, [10]), [Value::from(0)]);
    }
}

#[test]
fn many_runs_give_their_memory_back() {
    let pipeline =
        python("class Case:\n    def process(self, data):\n        return len(bytearray(data))\n");
    // Kept, they would come to 5 GB.
    for _ in 0..100 {
        assert_eq!(run(&pipeline, [50_000_000]), [Value::from(50_000_000)]);
    }
}
