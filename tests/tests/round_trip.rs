//! Values on their way from Rust to Python and back.

mod packed;

use packed::{python, run};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rm_runtime::pipeline::Pipeline;
use rm_runtime::testing::{is_same, towers, values};
use rm_runtime::value::Value;

/// Gives back the list that it gets and the type of what is in it. A list, since `None` alone would be no output.
const ECHO: &str = "
class Case:
    def process(self, data):
        [value] = data
        return data, type(value).__name__
";

/// Sends values through a pipeline of [`ECHO`]; gives the first that comes back otherwise.
fn changed(pipeline: &Pipeline, values: &[Value]) -> Option<(Value, Value)> {
    let items = values.iter().map(|value| Value::List(vec![value.clone()]));
    let outputs = run(pipeline, items);
    assert_eq!(outputs.len(), values.len());
    let pairs = values.iter().zip(outputs);
    pairs
        .map(|(value, output)| {
            let expected = Value::Tuple(vec![
                Value::List(vec![value.clone()]),
                value.type_name().into(),
            ]);
            (expected, output)
        })
        .find(|(expected, output)| !is_same(expected, output))
}

#[test]
fn any_value_comes_back_from_python() {
    let pipeline = python(ECHO);
    let config = ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(&vec(values(), 1..10), |values| {
            if let Some((expected, output)) = changed(&pipeline, &values) {
                prop_assert!(false, "sent {expected:?}\ngot  {output:?}");
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn towers_come_back_from_python() {
    let pipeline = python(ECHO);
    for value in towers(200) {
        assert!(changed(&pipeline, &[value]).is_none());
    }
}

#[test]
fn large_buffers_come_back_from_python() {
    let pipeline = python(ECHO);
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(5_000_000).collect();
    let twice = Value::Tuple(vec![bytes.clone().into(), bytes.into()]);
    assert!(changed(&pipeline, &[twice]).is_none());
}
