//! The runtime crate as a program that embeds it meets it.

mod packed;

use std::fmt::Write as _;

use end_to_end::{build, example};
use packed::{pack_files, pipeline_with, python, run, whole};
use rm_runtime::bundle::{Bundle, Target};
use rm_runtime::cache::Cache;
use rm_runtime::nodes::{Node, NodeError, Outputs, ParamReader, Registry};
use rm_runtime::pipeline::{LoadError, NodeFailure, Pipeline, RunError, Settings};
use rm_runtime::python::InstanceError;
use rm_runtime::python::answer::AnswerError;
use rm_runtime::python::exception::{Frame, Origin};
use rm_runtime::value::Value;

fn values(items: impl IntoIterator<Item = impl Into<Value>>) -> Vec<Value> {
    items.into_iter().map(Into::into).collect()
}

/// Counts in three places that a careless runtime could share between runs.
const COUNTER: &str = "
seen = 0


class Case:
    total = 0

    def __init__(self):
        self.own = 0

    def process(self, data):
        global seen
        seen += 1
        Case.total += 1
        self.own += 1
        return seen * 100 + Case.total * 10 + self.own
";

#[test]
fn a_bundle_from_a_folder() {
    let out = tempfile::tempdir().unwrap();
    build(&example("mixed"), out.path());
    let bundle = Bundle::open_from_folder(out.path(), Target::Wasmtime, None).unwrap();
    let pipeline = Pipeline::load(&bundle, Settings::default()).unwrap();
    // Nothing is read later.
    drop(out);
    assert_eq!(run(&pipeline, [1, 5, 5]), values([12, 20]));
}

#[test]
fn every_run_starts_afresh() {
    let pipeline = python(COUNTER);
    for _ in 0..3 {
        assert_eq!(run(&pipeline, [0, 0, 0]), values([111, 222, 333]));
    }
    assert_eq!(run(&pipeline.clone(), [0]), values([111]));
}

#[test]
fn two_nodes_of_a_class_share_nothing() {
    let manifest = "
nodes:
  - {id: first, node_type: Case}
  - {id: second, node_type: Case}
connections: [{from: first, to: second}]
";
    let pipeline = pipeline_with(Registry::builtin(), manifest, COUNTER);
    assert_eq!(run(&pipeline, [0, 0]), values([111, 222]));
}

#[test]
fn inside_a_tokio_runtime() {
    let pipeline = python(COUNTER);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let outputs = runtime.block_on(async { run(&pipeline, [0, 0]) });
    assert_eq!(outputs, values([111, 222]));
}

#[test]
fn from_several_threads_at_once() {
    let pipeline = python(COUNTER);
    let expected = values((1..=9).map(|number| number * 111));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(run(&pipeline, [0; 9]), expected));
        }
    });
}

#[test]
fn errors_of_the_caller_end_the_run_and_come_back() {
    let pipeline = python(COUNTER);
    let error = pipeline
        .run_with(|| Err("no more film".into()), |_| Ok(()))
        .unwrap_err();
    assert_eq!(error.to_string(), "no more film");
    let error = pipeline
        .run_with(|| Ok(Some(1.into())), |_| Err("disk full".into()))
        .unwrap_err();
    let RunError::Caller(source) = error else {
        panic!("{error:?}")
    };
    assert_eq!(source.to_string(), "disk full");
}

/// Gives every number as many times as it says, and the sum at the end.
struct Repeat {
    sum: i64,
}

impl Node for Repeat {
    fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
        let Value::Int(number) = input else {
            return Err(NodeError::input("int", &input));
        };
        (0..number).for_each(|_| out.push(number));
        self.sum += number;
        Ok(())
    }

    fn flush(&mut self, out: &mut Outputs) -> Result<(), NodeError> {
        out.push(self.sum);
        Ok(())
    }
}

fn with_repeat() -> Registry {
    let mut registry = Registry::builtin();
    registry.register("Repeat", |_| Ok(Box::new(Repeat { sum: 0 })));
    registry
}

#[test]
fn a_node_of_the_embedding_program_beside_python() {
    let manifest = "
nodes:
  - {id: repeat, node_type: Repeat, runtime_hint: rust}
  - {id: count, node_type: Case}
connections: [{from: repeat, to: count}]
";
    let pipeline = pipeline_with(with_repeat(), manifest, COUNTER);
    // 2 and 1, three in all, and the sum.
    assert_eq!(run(&pipeline, [2, 1]), values([111, 222, 333, 444]));
}

#[test]
fn runtime_hint_chooses_between_nodes_of_one_name() {
    let manifest = "
nodes:
  - {id: default, node_type: Echo}
  - {id: rust, node_type: Echo, runtime_hint: rust}
  - {id: python, node_type: Echo, runtime_hint: python}
";
    let source = "class Echo:\n    def process(self, data):\n        return [data, 'python']\n";
    let pipeline = pipeline_with(Registry::builtin(), manifest, source);
    let expected = [
        1.into(),
        1.into(),
        Value::List(vec![1.into(), "python".into()]),
    ];
    assert_eq!(run(&pipeline, [1]), expected);
}

#[test]
fn a_hint_to_rust_that_nobody_registered() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "version: v1\nmetadata: {name: case}\nnodes: [{id: repeat, node_type: Repeat, runtime_hint: rust}]\n";
    let bundle = pack_files(folder.path(), &[("pipeline.yaml", manifest)]).bundle;
    let error = Pipeline::load(&bundle, Settings::default()).unwrap_err();
    assert!(error.to_string().contains("`Repeat`"), "{error}");
}

#[test]
fn params_that_a_rust_node_does_not_take_are_told_when_the_bundle_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "version: v1\nmetadata: {name: case}\n\
        nodes: [{id: scale, node_type: Scale, runtime_hint: rust, params: {factr: 2}}]\n";
    let packed = pack_files(folder.path(), &[("pipeline.yaml", manifest)]);
    let cache = Cache::at(folder.path().join("cache"));
    let path = packed.write(&folder.path().join("dist"), &cache).unwrap();
    let bundle = Bundle::open(&path).unwrap();
    // One that is not registered is told with the bundle's path, too.
    let error = Pipeline::load(&bundle, Settings::default()).unwrap_err();
    let beginning = format!("`{}`: nodes[0]", path.display());
    assert!(error.to_string().starts_with(&beginning), "{error}");
    let mut registry = Registry::builtin();
    registry.register("Scale", |params| {
        let mut reader = ParamReader::new(params);
        let _: Option<i64> = reader.optional("factor")?;
        reader.finish()?;
        Ok(Box::new(Repeat { sum: 0 }))
    });
    let settings = Settings {
        registry,
        ..Settings::default()
    };
    let error = Pipeline::load(&bundle, settings.clone()).unwrap_err();
    assert!(matches!(error, LoadError::Params { .. }), "{error:?}");
    let text = whole(&error);
    assert!(text.starts_with(&beginning), "{text}");
    assert!(text.contains("did you mean `factor`?"), "{text}");
    // In memory it has no path.
    let error = Pipeline::load(&packed.bundle, settings).unwrap_err();
    assert!(error.to_string().starts_with("nodes[0].params"), "{error}");
}

#[test]
fn what_is_packed_is_written_with_its_engine() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "version: v1\nmetadata: {name: case}\nnodes: [{id: case, node_type: Case}]\n";
    let files = [("pipeline.yaml", manifest), ("nodes.py", COUNTER)];
    let packed = pack_files(folder.path(), &files);
    let dist = folder.path().join("dist");
    let path = packed.write(&dist, &Cache::user()).unwrap();
    assert_eq!(path, dist.join(packed.bundle.file_name()));
    // All that a machine needs on which nothing was packed before.
    let cache = Cache::at(folder.path().join("cache"));
    let bundle = Bundle::open(&path).unwrap();
    let settings = Settings {
        cache,
        ..Settings::default()
    };
    let pipeline = Pipeline::load(&bundle, settings).unwrap();
    assert_eq!(run(&pipeline, [1]).len(), 1);
}

#[test]
fn a_bundle_without_its_engine_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "version: v1\nmetadata: {name: case}\nnodes: [{id: case, node_type: Case}]\n";
    let files = [("pipeline.yaml", manifest), ("nodes.py", COUNTER)];
    let packed = pack_files(folder.path(), &files);
    let digest = packed.engine.unwrap().engine.digest();
    let error = Pipeline::with_engine(&packed.bundle, None, Settings::default()).unwrap_err();
    let message = error.to_string();
    let expected = format!("needs the engine {digest} (Python 3.14.");
    assert!(message.contains(&expected), "{message}");
}

/// One source feeds a Rust and a Python branch, which meet in a Python node and in a Rust node.
const DIAMOND: &str = "
nodes:
  - {id: source, node_type: PassThrough}
  - {id: rust, node_type: MultiplyNode, params: {factor: 10}}
  - {id: python, node_type: Twice}
  - {id: gathered, node_type: Tag}
  - {id: passed, node_type: Echo}
connections:
  - {from: source, to: python}
  - {from: source, to: rust}
  - {from: rust, to: gathered}
  - {from: python, to: gathered}
  - {from: python, to: passed}
  - {from: rust, to: passed}
";

const DIAMOND_NODES: &str = "
class Twice:
    last = None

    def process(self, data):
        Twice.last = data
        return None if data == 2 else -data

    def flush(self):
        return f'last: {self.last}'


class Tag:
    def process(self, data):
        return f'got {data}'
";

#[test]
fn branches_meet_in_the_order_of_the_connections() {
    let pipeline = pipeline_with(Registry::builtin(), DIAMOND, DIAMOND_NODES);
    let mut log = String::new();
    let mut items = 1..=3;
    pipeline
        .run_with(
            || Ok(items.next().map(Into::into)),
            |output| Ok(writeln!(log, "{} {:?}", output.node, output.value)?),
        )
        .unwrap();
    let expected = "\
gathered Str(\"got 10\")
passed Int(-1)
gathered Str(\"got -1\")
passed Int(10)
gathered Str(\"got 20\")
passed Int(20)
gathered Str(\"got 30\")
passed Int(-3)
gathered Str(\"got -3\")
passed Int(30)
gathered Str(\"got last: 3\")
passed Str(\"last: 3\")
";
    assert_eq!(log, expected);
}

/// Everything that Python has and JSON lacks crosses unchanged, both ways.
#[test]
fn values_cross_unchanged() {
    let pipeline = python("class Case:\n    def process(self, data):\n        return data\n");
    let items = [
        Value::Bytes(vec![0, 255]),
        Value::Tuple(vec![1.into(), Value::Tuple(vec![]), Value::List(vec![])]),
        Value::Float(f64::INFINITY),
        Value::Float(-0.0),
        Value::Float(5e-324),
        Value::Int(i64::MIN),
        rm_runtime::json::from_json("-123456789012345678901234567890").unwrap(),
        Value::Bool(true),
        "\u{0}é\u{1F375}".into(),
        Value::SurrogateStr(b"\xed\xb2\x80".to_vec()),
        Value::Dict(vec![
            ("z".into(), Value::Null),
            (1.into(), "int key".into()),
            (Value::Tuple(vec![1.into(), "a".into()]), 2.into()),
        ]),
    ];
    // None is no output, so that it travels inside a list.
    for item in items {
        let item = Value::List(vec![item, Value::Null]);
        assert_eq!(run(&pipeline, [item.clone()]), [item]);
    }
    let outputs = run(&pipeline, [Value::Float(f64::NAN), Value::Null]);
    assert!(matches!(outputs.as_slice(), [Value::Float(nan)] if nan.is_nan()));
}

#[test]
fn an_exception_is_data() {
    let source = "
class Case:
    def process(self, data):
        try:
            return 1 // data
        except ZeroDivisionError as error:
            error.add_note('a note')
            raise ValueError(f'cannot divide by {data}') from error
";
    let error = python(source).run([1, 0, 1].map(Value::from)).unwrap_err();
    assert_eq!(error.to_string(), "node `case` failed on item 2");
    let RunError::Item { node, item, source } = error else {
        panic!("{error:?}")
    };
    assert_eq!((node.as_str(), item), ("case", 2));
    let NodeFailure::Python(InstanceError::Answer(AnswerError::Exception(exception))) = source
    else {
        panic!("{source:?}")
    };
    assert_eq!(exception.kind, "ValueError");
    assert_eq!(exception.message, "cannot divide by 0");
    let frame = |line| Frame::Line {
        file: "nodes.py".into(),
        line,
        function: "Case.process".into(),
    };
    assert_eq!(exception.frames, [frame(8)]);
    let (origin, cause) = &**exception.origin.as_ref().unwrap();
    assert_eq!(
        (*origin, cause.kind.as_str()),
        (Origin::Cause, "ZeroDivisionError")
    );
    assert_eq!(cause.frames, [frame(5)]);
    assert_eq!(cause.notes, ["a note"]);
}

#[test]
fn imports_that_wait_happen_without_files() {
    let source = "
class Case:
    def process(self, data):
        import colorsys
        from decimal import Decimal

        return [colorsys.rgb_to_hsv(0, 0, 1), str(Decimal(data) / 3)]
";
    let outputs = run(&python(source), [1]);
    let expected = Value::List(vec![
        Value::Tuple(vec![
            Value::Float(2.0 / 3.0),
            Value::Float(1.0),
            Value::Int(1),
        ]),
        "0.3333333333333333333333333333".into(),
    ]);
    assert_eq!(outputs, [expected]);
}

#[test]
fn params_arrive_as_the_manifest_says_them() {
    let manifest = "
nodes:
  - id: case
    node_type: Case
    params: {size: 3, ratio: 3.0, big: 123456789012345678901234567890, on: true, list: [1, null], extra: {a: 'text'}}
";
    let source = "
class Case:
    def __init__(self, size, ratio, *, name, big=None, on=False):
        self.given = [name, size, ratio, big, on]

    def process(self, data):
        return [self.given, self.config]
";
    let pipeline = pipeline_with(Registry::builtin(), manifest, source);
    let expected = r#"[["case",3,3.0,123456789012345678901234567890,true],{"list":[1,null],"extra":{"a":"text"}}]"#;
    let outputs = run(&pipeline, [0]);
    assert_eq!(rm_runtime::json::to_json(&outputs[0]).unwrap(), expected);
}
