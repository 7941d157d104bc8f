//! Sessions: runs whose items and outputs come and go as their caller likes.

mod packed;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use packed::{pipeline_under, pipeline_with, python, run, values_of, whole, within};
use rm_runtime::nodes::Registry;
use rm_runtime::pipeline::{Output, Pipeline, RunError, SendError, Session, Settings};
use rm_runtime::value::Value;

const COUNT: &str = "
seen = 0


class Case:
    def process(self, data):
        global seen
        seen += 1
        return [data, seen]

    def flush(self):
        return 'end'
";

fn next(session: &Session) -> Option<Value> {
    let output = session.receive_blocking();
    output
        .unwrap_or_else(|error| panic!("{error:?}"))
        .map(|output| output.value)
}

fn rest(session: &Session) -> Vec<Output> {
    let mut outputs = Vec::new();
    while let Some(output) = session.receive_blocking().unwrap() {
        outputs.push(output);
    }
    outputs
}

fn counted(item: i64, seen: i64) -> Value {
    Value::List(vec![item.into(), seen.into()])
}

#[test]
fn asynchronous_code_sends_and_receives_at_the_same_time() {
    let pipeline = python(COUNT);
    for runtime in [
        tokio::runtime::Builder::new_current_thread().build(),
        tokio::runtime::Builder::new_multi_thread().build(),
    ] {
        let session = Arc::new(pipeline.session());
        runtime.unwrap().block_on(async {
            let sender = session.clone();
            let sending = tokio::spawn(async move {
                for item in 0..500_i64 {
                    sender.send(item).await.unwrap();
                }
                sender.close();
            });
            for item in 0..500 {
                let output = session.receive().await.unwrap().unwrap();
                assert_eq!(output.value, counted(item, item + 1));
                assert_eq!(output.metadata.sequence, u64::try_from(item).unwrap());
            }
            let last = session.receive().await.unwrap().unwrap();
            assert_eq!(last.value, "end".into());
            assert_eq!(session.receive().await.unwrap(), None);
            sending.await.unwrap();
        });
    }
}

/// A future that is given up, as `select!` does it, takes nothing with it.
#[test]
fn waiting_that_is_given_up_loses_nothing() {
    let source = "
import time


class Case:
    def process(self, data):
        time.sleep(0.05)
        return data
";
    let pipeline = python(source);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let received = within(30, move || {
        runtime.block_on(async {
            let session = pipeline.session();
            let (mut sent, mut received) = (0, Vec::new());
            while received.len() < 40 {
                let brief = Duration::from_millis(7);
                if sent < 40
                    && let Ok(result) = tokio::time::timeout(brief, session.send(sent)).await
                {
                    result.unwrap();
                    sent += 1;
                }
                if let Ok(result) = tokio::time::timeout(brief, session.receive()).await {
                    received.push(result.unwrap().unwrap());
                }
            }
            received
        })
    });
    let expected: Vec<String> = (0..40).map(|item: i32| item.to_string()).collect();
    assert_eq!(values_of(&received), format!("[{}]", expected.join(",")));
}

#[test]
fn several_threads_send_and_several_receive() {
    let pipeline = python(COUNT);
    let session = pipeline.session();
    let mut received = thread::scope(|scope| {
        let senders: Vec<_> = (0..4_i64)
            .map(|sender| {
                let session = &session;
                scope.spawn(move || {
                    for item in 0..100 {
                        session.send_blocking(sender * 1000 + item).unwrap();
                    }
                })
            })
            .collect();
        let receivers: Vec<_> = (0..3).map(|_| scope.spawn(|| rest(&session))).collect();
        for sender in senders {
            sender.join().unwrap();
        }
        session.close();
        let outputs = receivers
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        outputs.map(|output| output.value).collect::<Vec<_>>()
    });
    received.retain(|value| *value != "end".into());
    let mut items: Vec<i64> = received
        .iter()
        .map(|value| match value {
            Value::List(pair) => match pair[0] {
                Value::Int(item) => item,
                _ => panic!("{value:?}"),
            },
            _ => panic!("{value:?}"),
        })
        .collect();
    items.sort_unstable();
    let expected: Vec<i64> = (0..4)
        .flat_map(|sender| (0..100).map(move |item| sender * 1000 + item))
        .collect();
    assert_eq!(items, expected);
}

#[test]
fn a_closed_session_takes_nothing_and_gives_back_what_was_sent() {
    let pipeline = python(COUNT);
    let session = pipeline.session();
    session.send_blocking(1).unwrap();
    session.close();
    session.close();
    let error = session.send_blocking("late").unwrap_err();
    assert!(
        matches!(&error, SendError::Closed(value) if *value == "late".into()),
        "{error:?}"
    );
    assert_eq!(next(&session), Some(counted(1, 1)));
    assert_eq!(next(&session), Some("end".into()));
    for _ in 0..3 {
        assert_eq!(next(&session), None);
    }
    let error = session.send_blocking("later").unwrap_err();
    assert!(matches!(error, SendError::Closed(_)), "{error:?}");
}

#[test]
fn a_failed_session_says_so_and_takes_nothing() {
    let source = "class Case:\n    def process(self, data):\n        return 6 // data\n";
    let pipeline = python(source);
    let session = pipeline.session();
    session.send_blocking(2).unwrap();
    session.send_blocking(0).unwrap();
    assert_eq!(next(&session), Some(3.into()));
    let error = session.receive_blocking().unwrap_err();
    assert!(matches!(error, RunError::Item { item: 2, .. }), "{error:?}");
    let error = session.receive_blocking().unwrap_err();
    assert!(matches!(error, RunError::Failed { .. }), "{error:?}");
    let error = session.send_blocking("late").unwrap_err();
    assert!(
        matches!(&error, SendError::Failed(value) if *value == "late".into()),
        "{error:?}"
    );
}

#[test]
fn a_sender_that_waits_hears_of_the_failure() {
    let source = "
import time


class Case:
    def process(self, data):
        time.sleep(1)
        return 6 // data
";
    let pipeline = python(source);
    within(30, move || {
        let session = pipeline.session();
        let error = loop {
            if let Err(error) = session.send_blocking(0) {
                break error;
            }
        };
        assert!(matches!(error, SendError::Failed(_)), "{error:?}");
        let error = session.receive_blocking().unwrap_err();
        assert!(matches!(error, RunError::Item { item: 1, .. }), "{error:?}");
    });
}

#[test]
fn a_node_that_cannot_start_is_told_by_receiving() {
    let source = "
class Case:
    def initialize(self):
        raise RuntimeError('not today')

    def process(self, data):
        return data
";
    let pipeline = python(source);
    within(30, move || {
        let session = pipeline.session();
        while session.send_blocking(1).is_ok() {}
        let error = session.receive_blocking().unwrap_err();
        assert!(matches!(error, RunError::Start { .. }), "{error:?}");
        let text = whole(&error);
        assert!(text.contains("not today"), "{text}");
    });
}

#[test]
fn a_pipeline_without_input_takes_nothing() {
    let source = "class Case:\n    def process(self):\n        yield 1\n";
    let session = python(source).session();
    let error = session.send_blocking(5).unwrap_err();
    assert!(matches!(error, SendError::Closed(_)), "{error:?}");
    assert_eq!((next(&session), next(&session)), (Some(1.into()), None));
}

#[test]
fn a_session_outlives_its_pipeline() {
    for threads in [1, 2] {
        let settings = Settings {
            threads,
            ..Settings::default()
        };
        let pipeline = pipeline_under(settings, "nodes: [{id: case, node_type: Case}]", COUNT);
        let session = pipeline.session();
        drop(pipeline);
        for item in 0..50 {
            session.send_blocking(item).unwrap();
            assert_eq!(next(&session), Some(counted(item, item + 1)));
        }
        session.close();
        assert_eq!((next(&session), next(&session)), (Some("end".into()), None));
    }
}

#[test]
fn sessions_know_nothing_of_each_other() {
    let pipeline = python(COUNT);
    let sessions: Vec<_> = (0..4).map(|_| pipeline.session()).collect();
    for round in 1..=5 {
        for (item, session) in (0..).zip(&sessions) {
            session.send_blocking(item).unwrap();
            assert_eq!(next(session), Some(counted(item, round)));
        }
    }
    assert_eq!(run(&pipeline, [9]), [counted(9, 1), "end".into()]);
}

#[test]
fn a_thousand_sessions_over_one_pipeline() {
    let manifest = "
nodes:
  - {id: case, node_type: Case}
  - {id: end, node_type: Echo}
connections: [{from: case, to: end}]
";
    let pipeline = pipeline_with(Registry::builtin(), manifest, COUNT);
    let done = AtomicUsize::new(0);
    for wave in 0..20_i64 {
        thread::scope(|scope| {
            for place in 0..50 {
                let (pipeline, done) = (&pipeline, &done);
                scope.spawn(move || {
                    let session = pipeline.session();
                    let base = (wave * 50 + place) * 10;
                    for step in 0..3 {
                        session.send_blocking(base + step).unwrap();
                        assert_eq!(next(&session), Some(counted(base + step, step + 1)));
                    }
                    // Half of them go without a word.
                    if place % 2 == 0 {
                        session.close();
                        assert_eq!(next(&session), Some("end".into()));
                        assert_eq!(next(&session), None);
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
    }
    assert_eq!(done.load(Ordering::Relaxed), 1000);
}

fn forever(body: &str, threads: usize) -> Pipeline {
    let source = format!(
        "
import asyncio
import time


class Case:
    async def process(self, data):
        if data:
            {body}
        return data
"
    );
    let settings = Settings {
        threads,
        timeout: None,
        ..Settings::default()
    };
    pipeline_under(settings, "nodes: [{id: case, node_type: Case}]", &source)
}

#[test]
fn sessions_go_on_beside_those_that_never_end() {
    for body in [
        "while True: pass",
        "time.sleep(1000)",
        "await asyncio.sleep(1000)",
    ] {
        for threads in [1, 2] {
            let pipeline = forever(body, threads);
            within(60, move || {
                let stuck: Vec<_> = (0..3).map(|_| pipeline.session()).collect();
                for session in &stuck {
                    session.send_blocking(1).unwrap();
                }
                let session = pipeline.session();
                for _ in 0..3 {
                    session.send_blocking(0).unwrap();
                    assert_eq!(next(&session), Some(0.into()));
                }
                let begun = Instant::now();
                drop(stuck);
                let took = begun.elapsed();
                assert!(took < Duration::from_secs(5), "{took:?} to drop them");
                session.send_blocking(0).unwrap();
                assert_eq!(next(&session), Some(0.into()));
                assert_eq!(run(&pipeline, [0]), [Value::from(0)]);
            });
        }
    }
}

/// Nodes that are not at work clean up when a session is dropped; the one that is at work is interrupted.
#[test]
fn a_session_that_is_dropped_lets_idle_nodes_clean_up() {
    let source = "
import time


class Idle:
    def process(self, data):
        return data

    def cleanup(self):
        print('cleaned up')


class Busy:
    def process(self, data):
        print('busy')
        time.sleep(1000)

    def cleanup(self):
        print('never')
";
    let manifest = "
nodes: [{id: idle, node_type: Idle}, {id: busy, node_type: Busy}]
connections: [{from: idle, to: busy}]
";
    let pipeline = pipeline_with(Registry::builtin(), manifest, source);
    let lines = packed::lines::printed(|| {
        let session = pipeline.session();
        session.send_blocking(1).unwrap();
        thread::sleep(Duration::from_secs(2));
        drop(session);
        thread::sleep(Duration::from_secs(2));
    });
    let lines: Vec<_> = lines.iter().map(|line| (&*line.0, &*line.2)).collect();
    assert_eq!(lines, [("busy", "busy"), ("idle", "cleaned up")]);
}

const STUCK: &str = "
class Case:
    def process(self, data):
        while data == 'for ever':
            pass
        return data
";

#[test]
fn a_shared_session_is_cancelled_under_whoever_waits() {
    let pipeline = python(STUCK);
    within(60, move || {
        let session = Arc::new(pipeline.session());
        session.send_blocking("ready").unwrap();
        assert_eq!(next(&session), Some("ready".into()));
        session.send_blocking("for ever").unwrap();
        let waiting = session.clone();
        let waiting = thread::spawn(move || waiting.receive_blocking());
        thread::sleep(Duration::from_millis(100));
        session.cancel();
        let error = waiting.join().unwrap().unwrap_err();
        assert!(matches!(error, RunError::Cancelled), "{error:?}");
        let error = session.receive_blocking().unwrap_err();
        assert_eq!(error.to_string(), "the run was cancelled");
        let error = session.send_blocking("late").unwrap_err();
        assert!(matches!(error, SendError::Closed(_)), "{error:?}");
    });
}

#[test]
fn cancelling_what_is_done_changes_nothing() {
    let pipeline = python(STUCK);
    within(60, move || {
        let session = pipeline.session();
        session.send_blocking(1).unwrap();
        session.close();
        assert_eq!(rest(&session).len(), 1);
        session.cancel();
        assert!(session.receive_blocking().unwrap().is_none());
    });
}

#[test]
fn a_failed_run_fails_whoever_receives_and_however_often() {
    let source = "
class Case:
    def process(self, data):
        return 1 // data
";
    let pipeline = python(source);
    within(60, move || {
        let session = Arc::new(pipeline.session());
        let receivers: Vec<_> = (0..3)
            .map(|_| {
                let session = session.clone();
                thread::spawn(move || session.receive_blocking())
            })
            .collect();
        session.send_blocking(0).unwrap();
        let results = receivers.into_iter().map(|thread| thread.join().unwrap());
        let errors: Vec<_> = results.map(Result::unwrap_err).collect();
        let first = |error: &&RunError| matches!(error, RunError::Item { .. });
        assert_eq!(errors.iter().filter(first).count(), 1, "{errors:?}");
        for _ in 0..2 {
            let error = session.receive_blocking().unwrap_err();
            assert!(matches!(error, RunError::Failed { .. }), "{error:?}");
            assert_eq!(
                error.to_string(),
                "the run has failed: node `case` failed on item 1"
            );
        }
    });
}
