//! Pipelines packed in this process, without writing a bundle's file, and run.
#![allow(dead_code, reason = "no test needs all of it")]

pub mod lines;

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use end_to_end::tree;
use rm_pack::pack::{Packed, Request, pack};
use rm_runtime::cache::Cache;
use rm_runtime::json::{from_json, to_json};
use rm_runtime::nodes::Registry;
use rm_runtime::pipeline::{Item, Output, Pipeline, RunError, Settings};
use rm_runtime::value::Value;

/// Write files into a folder and pack the `pipeline.yaml` among them.
pub fn pack_files(folder: &Path, files: &[(&str, &str)]) -> Packed {
    tree::write(
        folder,
        files.iter().map(|(name, text)| (*name, text.as_bytes())),
    );
    let request = Request::new(folder.join("pipeline.yaml"));
    pack(&request, &Cache::user(), &|_| {}).unwrap_or_else(|error| panic!("{error:?}"))
}

/// A pipeline of the nodes and connections of a manifest, with Python nodes from one source.
pub fn pipeline_with(registry: Registry, manifest: &str, source: &str) -> Pipeline {
    let settings = Settings {
        registry,
        ..Settings::default()
    };
    pipeline_under(settings, manifest, source)
}

/// The same under settings of the test's own.
pub fn pipeline_under(settings: Settings, manifest: &str, source: &str) -> Pipeline {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!("version: v1\nmetadata: {{name: case}}\n{manifest}");
    let packed = pack_files(
        folder.path(),
        &[("pipeline.yaml", &manifest), ("nodes.py", source)],
    );
    let engine = packed.engine.map(|built| built.engine);
    Pipeline::with_engine(&packed.bundle, engine, settings).unwrap()
}

/// A pipeline of one Python node, the class `Case`.
pub fn python(source: &str) -> Pipeline {
    pipeline_with(
        Registry::builtin(),
        "nodes: [{id: case, node_type: Case}]",
        source,
    )
}

/// Run a pipeline that does not fail.
pub fn run(pipeline: &Pipeline, items: impl IntoIterator<Item = impl Into<Value>>) -> Vec<Value> {
    let outputs = pipeline.run(items.into_iter().map(Into::<Value>::into));
    outputs.unwrap_or_else(|error| panic!("{error:?}"))
}

/// Run a pipeline that does not fail on a JSON list of items; the outputs are another one.
#[track_caller]
pub fn through(pipeline: &Pipeline, items: &str) -> String {
    json(run(pipeline, list(items)))
}

/// The items of a JSON list.
#[track_caller]
pub fn list(items: &str) -> Vec<Value> {
    let Ok(Value::List(items)) = from_json(items) else {
        panic!("not a list: {items}")
    };
    items
}

/// Values as a JSON list.
#[track_caller]
pub fn json(values: Vec<Value>) -> String {
    to_json(&Value::List(values)).unwrap()
}

/// Run to the end, and give the outputs that came before it and how it ended.
pub fn run_to_end<I: Into<Item>>(
    pipeline: &Pipeline,
    items: impl IntoIterator<Item = I>,
) -> (Vec<Output>, Result<(), RunError>) {
    let mut items = items.into_iter();
    let mut outputs = Vec::new();
    let result = pipeline.run_with(
        || Ok(items.next().map(Into::into)),
        |output| {
            outputs.push(output);
            Ok(())
        },
    );
    (outputs, result)
}

/// The values of outputs, as a JSON list.
#[track_caller]
pub fn values_of(outputs: &[Output]) -> String {
    json(outputs.iter().map(|output| output.value.clone()).collect())
}

/// An error with everything that led to it.
pub fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}\n{error}");
        next = error.source();
    }
    text
}

/// Do something on a thread of its own, and fail if it does not end in time: a test that hangs says nothing.
#[track_caller]
pub fn within<R: Send + 'static>(seconds: u64, action: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(action()));
    match receiver.recv_timeout(Duration::from_secs(seconds)) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("not done in {seconds} s"),
        Err(RecvTimeoutError::Disconnected) => panic!("it panicked"),
    }
}

/// What `/proc/self/status` says under a name, in its unit: `VmRSS` in KiB, `Threads`.
pub fn status_of_process(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.unwrap().split_whitespace().next().unwrap();
    number.parse().unwrap()
}
