//! Rust nodes of the embedding program, of each shape, among Python nodes.

mod packed;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use packed::{
    list, pack_files, pipeline_under, pipeline_with, run_to_end, through, values_of, whole, within,
};
use rm_runtime::manifest::OnError;
use rm_runtime::nodes::{Node, NodeError, Outputs, ParamReader, Registry};
use rm_runtime::packet::Emission;
use rm_runtime::pipeline::{Item, NodeFailure, Pipeline, RunError, Settings};
use rm_runtime::value::Value;

/// A node that is a function.
struct Doing<F>(F);

impl<F> Node for Doing<F>
where
    F: FnMut(Value, &mut Outputs) -> Result<(), NodeError> + Send,
{
    fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
        (self.0)(input, out)
    }
}

/// The built-in nodes and `Case`, which does this.
fn registry_with(
    process: impl Fn(Value, &mut Outputs) -> Result<(), NodeError> + Clone + Send + Sync + 'static,
) -> Registry {
    let mut registry = Registry::builtin();
    registry.register("Case", move |_| Ok(Box::new(Doing(process.clone()))));
    registry
}

fn number(value: &Value) -> Result<i64, NodeError> {
    match value {
        Value::Int(number) => Ok(*number),
        other => Err(NodeError::input("int", other)),
    }
}

/// What a future comes to that another thread completes after a while.
async fn after(milliseconds: u64, value: i64) -> Result<Option<Emission>, NodeError> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(milliseconds));
        let _ = sender.send(value);
    });
    let value = receiver.await;
    value
        .map(|value| Some(Emission::new(value)))
        .map_err(|error| NodeError::caused("nobody answered", error))
}

const WITH_PYTHON: &str = "
nodes:
  - {id: case, node_type: Case, runtime_hint: rust}
  - {id: label, node_type: Label}
connections: [{from: case, to: label}]
";

const LABEL: &str = "
class Label:
    def process(self, data):
        return f'<{data}>'
";

fn with_python(registry: Registry) -> Pipeline {
    pipeline_with(registry, WITH_PYTHON, LABEL)
}

#[test]
fn outputs_leave_in_the_order_in_which_they_were_given() {
    let pipeline = with_python(registry_with(|input, out| {
        let base = number(&input)? * 10;
        out.push(base);
        out.extend_lazily((base + 1..base + 3).map(|number| Ok(Emission::new(number))));
        out.push_later(after(20, base + 3));
        out.push_later(async { Ok(None) });
        out.push(base + 4);
        out.push_later(async move { Ok(Some(Emission::new(base + 5))) });
        out.extend_lazily((base + 6..base + 9).map(|number| Ok(Emission::new(number))));
        Ok(())
    }));
    let expected: Vec<String> = (10..19)
        .chain(20..29)
        .map(|number| format!("\"<{number}>\""))
        .collect();
    assert_eq!(
        through(&pipeline, "[1, 2]"),
        format!("[{}]", expected.join(","))
    );
}

#[test]
fn what_comes_lazily_is_pulled_only_as_far_as_it_is_wanted() {
    let pulled = Arc::new(AtomicUsize::new(0));
    let count = pulled.clone();
    let registry = registry_with(move |_, out| {
        let count = count.clone();
        out.extend_lazily((0_i64..).map(move |number| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Emission::new(number))
        }));
        Ok(())
    });
    let source = "
class Label:
    def process(self, data):
        return data if data < 1000 else 1 // 0
";
    let pipeline = pipeline_with(registry, WITH_PYTHON, source);
    let (outputs, result) = run_to_end(&pipeline, list("[1, 2]"));
    assert_eq!(outputs.len(), 1000);
    let error = result.unwrap_err();
    assert!(matches!(error, RunError::Item { item: 1, .. }), "{error:?}");
    let pulled = pulled.load(Ordering::Relaxed);
    assert!((1001..1200).contains(&pulled), "{pulled}");
}

#[test]
fn what_comes_later_may_come_over_a_socket() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            std::io::Write::write_all(&mut connection.unwrap(), b"hello").unwrap();
        }
    });
    let registry = registry_with(move |_, out| {
        out.push_later(async move {
            let read = async move {
                let stream = tokio::net::TcpStream::connect(address).await?;
                let mut bytes = [0; 5];
                let mut count = 0;
                while count < bytes.len() {
                    stream.readable().await?;
                    match stream.try_read(&mut bytes[count..]) {
                        Ok(more) => count += more,
                        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(bytes)
            };
            // A task of its own has a runtime as well.
            let bytes = tokio::spawn(read).await.unwrap();
            let bytes = bytes.map_err(|error| NodeError::caused("nobody answers", error))?;
            Ok(Some(Emission::new(bytes.to_vec())))
        });
        Ok(())
    });
    let manifest = "nodes: [{id: case, node_type: Case, runtime_hint: rust}]";
    let pipeline = pipeline_with(registry, manifest, "");
    let hello = Value::from(&b"hello"[..]);
    assert_eq!(
        pipeline.run(list("[1, 2]")).unwrap(),
        [hello.clone(), hello.clone()]
    );
    // In a program's own runtime it is still the pipeline's that is current for nodes.
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let session = pipeline.session();
        session.send(1).await.unwrap();
        let output = session.receive().await.unwrap().unwrap();
        assert_eq!(output.value, hello);
    });
}

#[test]
fn a_session_that_is_dropped_ends_what_comes_lazily_without_end() {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::downgrade(&count);
    let registry = {
        let mut registry = Registry::builtin();
        registry.register("Case", move |_| {
            let count = count.clone();
            Ok(Box::new(Doing(move |_, out: &mut Outputs| {
                let count = count.clone();
                out.extend_lazily((0_i64..).map(move |number| {
                    count.fetch_add(1, Ordering::Relaxed);
                    Ok(Emission::new(number))
                }));
                Ok(())
            })))
        });
        registry
    };
    let pipeline = with_python(registry);
    let session = pipeline.session();
    session.send_blocking(1).unwrap();
    let first = session.receive_blocking().unwrap().unwrap();
    assert_eq!(first.value, "<0>".into());
    drop(session);
    drop(pipeline);
    // The pipeline's registry goes when its last run has ended.
    let begun = Instant::now();
    while seen.upgrade().is_some() {
        assert!(begun.elapsed() < Duration::from_secs(10), "it goes on");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_comes_later_keeps_only_its_own_node_waiting() {
    let manifest = "
nodes:
  - {id: case, node_type: Case, runtime_hint: rust}
  - {id: other, node_type: Case, runtime_hint: rust}
";
    for threads in [1, 2] {
        let settings = Settings {
            registry: registry_with(|input, out| {
                out.push_later(after(500, number(&input)?));
                Ok(())
            }),
            threads,
            ..Settings::default()
        };
        let pipeline = pipeline_under(settings, manifest, "");
        let begun = Instant::now();
        assert_eq!(through(&pipeline, "[1, 2, 3, 4]"), "[1,1,2,2,3,3,4,4]");
        let took = begun.elapsed();
        assert!(took < Duration::from_millis(3500), "at {threads}: {took:?}");
    }
}

#[test]
fn what_comes_too_late_is_an_error() {
    let settings = |on_error| Settings {
        registry: registry_with(|input, out| {
            let number = number(&input)?;
            if number == 2 {
                out.push_later(std::future::pending());
            } else {
                out.push(number);
            }
            Ok(())
        }),
        timeout: Some(Duration::from_millis(300)),
        on_error,
        ..Settings::default()
    };
    let pipeline = pipeline_under(settings(OnError::Fail), WITH_PYTHON, LABEL);
    let (outputs, result) = within(20, move || run_to_end(&pipeline, list("[1, 2, 3]")));
    assert_eq!(values_of(&outputs), r#"["<1>"]"#);
    let Err(RunError::Item { node, item, source }) = result else {
        panic!("{result:?}")
    };
    assert_eq!((node.as_str(), item), ("case", 2));
    assert!(matches!(source, NodeFailure::TimeIsUp { .. }), "{source:?}");
    let pipeline = pipeline_under(settings(OnError::Skip), WITH_PYTHON, LABEL);
    let outputs = within(20, move || through(&pipeline, "[1, 2, 3]"));
    assert_eq!(outputs, r#"["<1>","<3>"]"#);
}

/// Sums up; panics at 0 and in the flush of a sum of 13.
struct Sum(i64);

impl Node for Sum {
    fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
        let number = number(&input)?;
        assert_ne!(number, 0, "no nothing, please");
        self.0 += number;
        out.push(self.0);
        Ok(())
    }

    fn flush(&mut self, out: &mut Outputs) -> Result<(), NodeError> {
        assert_ne!(self.0, 13, "unlucky");
        out.push_later(after(10, self.0));
        Ok(())
    }
}

fn with_sum(on_error: OnError) -> Pipeline {
    let mut registry = Registry::builtin();
    registry.register("Case", |_| Ok(Box::new(Sum(0))));
    let settings = Settings {
        registry,
        on_error,
        ..Settings::default()
    };
    pipeline_under(settings, WITH_PYTHON, LABEL)
}

#[test]
fn a_node_keeps_its_state_for_a_run_and_is_flushed() {
    let pipeline = with_sum(OnError::Fail);
    for _ in 0..2 {
        assert_eq!(through(&pipeline, "[1, 2]"), r#"["<1>","<3>","<3>"]"#);
    }
}

#[test]
fn a_panic_is_an_error_of_its_node() {
    let pipeline = with_sum(OnError::Fail);
    let (outputs, result) = run_to_end(&pipeline, list("[1, 0, 2]"));
    assert_eq!(values_of(&outputs), r#"["<1>"]"#);
    let text = whole(&result.unwrap_err());
    assert!(
        text.starts_with("node `case` failed on item 2\nit panicked: "),
        "{text}"
    );
    assert!(text.contains("no nothing, please"), "{text}");
    let (outputs, result) = run_to_end(&pipeline, list("[13]"));
    assert_eq!(values_of(&outputs), r#"["<13>"]"#);
    let text = whole(&result.unwrap_err());
    let expected = "node `case` failed at the end of the stream\nit panicked: ";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(through(&pipeline, "[1]"), r#"["<1>","<1>"]"#);
}

/// What a node that panicked has left is nothing to go on with.
#[test]
fn after_a_panic_that_is_skipped_a_fresh_node_goes_on() {
    let pipeline = with_sum(OnError::Skip);
    assert_eq!(
        through(&pipeline, "[1, 2, 0, 5]"),
        r#"["<1>","<3>","<5>","<5>"]"#
    );
}

#[test]
fn a_panic_in_what_comes_lazily_or_later_is_an_error_too() {
    for lazily in [true, false] {
        let pipeline = with_python(registry_with(move |input, out| {
            let base = number(&input)?;
            if lazily {
                out.extend_lazily((0..3).map(move |number| {
                    assert!(number < 2, "far enough");
                    Ok(Emission::new(base + number))
                }));
            } else {
                out.push(base);
                out.push(base + 1);
                out.push_later(async { panic!("far enough") });
            }
            Ok(())
        }));
        let (outputs, result) = within(20, move || run_to_end(&pipeline, list("[10, 20]")));
        assert_eq!(values_of(&outputs), r#"["<10>","<11>"]"#);
        let text = whole(&result.unwrap_err());
        assert_eq!(
            text,
            "node `case` failed on item 1\nit panicked: far enough"
        );
    }
}

#[test]
fn an_error_after_outputs_comes_after_them() {
    let pipeline = with_python(registry_with(|input, out| {
        let base = number(&input)?;
        out.push(base);
        out.extend_lazily([
            Ok(Emission::new(base + 1)),
            Err(NodeError::failed("that was all")),
            Ok(Emission::new(base + 2)),
        ]);
        Ok(())
    }));
    let (outputs, result) = run_to_end(&pipeline, list("[10, \"x\"]"));
    assert_eq!(values_of(&outputs), r#"["<10>","<11>"]"#);
    let text = whole(&result.unwrap_err());
    assert_eq!(text, "node `case` failed on item 1\nthat was all");
}

#[test]
fn a_node_that_cannot_be_made_is_named() {
    for panics in [false, true] {
        // It is made when the pipeline is loaded, and then for every run.
        let registry = |good: usize| {
            let made = AtomicUsize::new(0);
            let mut registry = Registry::builtin();
            registry.register("Case", move |_| {
                if made.fetch_add(1, Ordering::Relaxed) < good {
                    return Ok(Box::new(Doing(|_, _: &mut Outputs| Ok(()))));
                }
                assert!(!panics, "no way");
                Err(NodeError::failed("no way"))
            });
            registry
        };
        let expected = ["no way", "it panicked: no way"][usize::from(panics)];
        let folder = tempfile::tempdir().unwrap();
        let manifest = "version: v1\nmetadata: {name: case}\nnodes: [{id: case, node_type: Case, runtime_hint: rust}]\n";
        let packed = pack_files(folder.path(), &[("pipeline.yaml", manifest)]);
        let load = |good| {
            let settings = Settings {
                registry: registry(good),
                ..Settings::default()
            };
            Pipeline::load(&packed.bundle, settings)
        };
        assert_eq!(
            whole(&load(0).unwrap_err()),
            format!("nodes[0].params: node `case` does not take them\n{expected}")
        );
        let error = load(1).unwrap().run([1]).unwrap_err();
        assert_eq!(
            whole(&error),
            format!("node `case` could not be started\n{expected}")
        );
    }
}

const BY_NAME: &str = "
nodes:
  - {id: case, node_type: Case, runtime_hint: rust}
  - {id: odd, node_type: Label}
connections:
  - {from: case, to: odd, output: odd}
";

#[test]
fn a_node_says_where_its_outputs_go_and_what_is_known_about_them() {
    let registry = registry_with(|input, out| {
        let number = number(&input)?;
        let session = out.metadata().session.clone();
        if number % 2 == 0 {
            out.push(Emission::new(number).at(number * 1000));
        } else {
            out.push(Emission::new(number).on("odd"));
            let other = format!("{}'", session.as_deref().unwrap_or("-"));
            out.push(Emission::new(number).on("unheard").in_session(other));
        }
        Ok(())
    });
    let pipeline = pipeline_with(registry, BY_NAME, LABEL);
    let items = (1..=3).map(|number| Item {
        value: number.into(),
        session: Some("s".into()),
        timestamp_us: Some(7),
    });
    let (outputs, result) = run_to_end(&pipeline, items);
    result.unwrap();
    let told: Vec<_> = outputs
        .iter()
        .map(|output| {
            let session = output.metadata.session.as_deref().unwrap_or("-");
            let time = output.metadata.timestamp_us.unwrap_or(-1);
            let name = output.output.as_deref().unwrap_or("-");
            format!(
                "{} {name} {session} {time} {}",
                output.node,
                output.value.describe()
            )
        })
        .collect();
    // The first output for an item goes before the second, on whichever way.
    let expected = [
        "odd - s 7 str \"<1>\"",
        "case unheard s' 7 int 1",
        "case - s 2000 int 2",
        "odd - s 7 str \"<3>\"",
        "case unheard s' 7 int 3",
    ];
    assert_eq!(told, expected);
}

fn with_countdown() -> Registry {
    let mut registry = Registry::builtin();
    registry.register_source("Countdown", |params| {
        let mut reader = ParamReader::new(params);
        let from: i64 = reader.required("from")?;
        reader.finish()?;
        Ok(Box::new((-1..=from).rev().map(|number| {
            if number < 0 {
                Err(NodeError::failed("below zero"))
            } else {
                Ok(Emission::new(number))
            }
        })))
    });
    registry
}

#[test]
fn a_source_feeds_python_until_it_fails() {
    let manifest = |from: &str| {
        format!(
            "
nodes:
  - {{id: source, node_type: Countdown, runtime_hint: rust, params: {{from: {from}}}}}
  - {{id: label, node_type: Label}}
connections: [{{from: source, to: label}}]
"
        )
    };
    let pipeline = pipeline_with(with_countdown(), &manifest("2"), LABEL);
    assert!(!pipeline.takes_input());
    let (outputs, result) = run_to_end::<Value>(&pipeline, []);
    assert_eq!(values_of(&outputs), r#"["<2>","<1>","<0>"]"#);
    let sequences: Vec<_> = outputs
        .iter()
        .map(|output| output.metadata.sequence)
        .collect();
    assert_eq!(sequences, [0, 1, 2]);
    let error = result.unwrap_err();
    assert!(matches!(error, RunError::Source { .. }), "{error:?}");
    assert_eq!(whole(&error), "node `source` failed\nbelow zero");
    let pipeline = pipeline_with(with_countdown(), &manifest("x"), LABEL);
    let text = whole(&pipeline.run::<Value>([]).unwrap_err());
    assert!(
        text.starts_with("node `source` could not be started\n"),
        "{text}"
    );
}

#[test]
fn a_source_that_is_stopped_ends_like_any_stream() {
    let mut registry = Registry::builtin();
    registry.register_source("Endless", |_| {
        Ok(Box::new((0_i64..).map(|n| Ok(Emission::new(n)))))
    });
    let manifest = "
nodes:
  - {id: source, node_type: Endless, runtime_hint: rust}
  - {id: label, node_type: Label, on_error: stop}
connections: [{from: source, to: label}]
";
    let source = "
class Label:
    def process(self, data):
        return data if data < 50 else 1 // 0

    def flush(self):
        return 'end'
";
    let pipeline = pipeline_with(registry, manifest, source);
    let outputs = within(20, move || through(&pipeline, "[]"));
    let numbers: Vec<_> = (0..50).map(|number: i32| number.to_string()).collect();
    assert_eq!(outputs, format!("[{},\"end\"]", numbers.join(",")));
}
