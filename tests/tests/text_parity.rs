//! The text processor in Rust gives what the one in Python gives.

mod packed;

use packed::{pipeline_with, python, run};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use rm_runtime::json::to_json;
use rm_runtime::nodes::Registry;
use rm_runtime::pipeline::Pipeline;
use rm_runtime::value::Value;

const ITEMS: usize = 1000;

const OPERATIONS: [&str; 6] = [
    "uppercase",
    "lowercase",
    "title",
    "reverse",
    "word_count",
    "char_count",
];

/// What is special about case, words and Unicode versions in one way or another.
const AWKWARD: &str = "ΣσςİıſßŉǅǆǰΐևﬁﬃᾳᾼῷႠაᲐⅷⓐªʰ漢二〇½²٣_'’ʕꟓ\u{345}\u{307}\u{301}\u{ad}\u{200d}\u{378}\u{a7ce}\u{323b0}";

fn in_python() -> Pipeline {
    let source = include_str!("../../bundles/text-processor/text_processor.py");
    python(&format!(
        "{source}\n\nclass Case(TextProcessorNode):\n    pass\n"
    ))
}

fn in_rust() -> Pipeline {
    let manifest = "nodes: [{id: case, node_type: RustTextProcessorNode}]";
    pipeline_with(Registry::builtin(), manifest, "")
}

/// UTF-8 of a code point, surrogates included.
fn encoded(code_point: u32) -> Vec<u8> {
    if let Some(c) = char::from_u32(code_point) {
        return c.to_string().into_bytes();
    }
    let six_bits = |shift: u32| u8::try_from(code_point >> shift & 0x3F).unwrap();
    vec![0xED, 0x80 | six_bits(6), 0x80 | six_bits(0)]
}

fn dict(entries: Vec<(&str, Value)>) -> Value {
    let entries = entries
        .into_iter()
        .map(|(name, value)| (name.into(), value));
    Value::Dict(entries.collect())
}

fn items() -> impl Strategy<Value = Value> {
    let code_point = prop_oneof![
        4 => proptest::char::range(' ', '~').prop_map(u32::from),
        4 => select(AWKWARD.chars().collect::<Vec<_>>()).prop_map(u32::from),
        2 => proptest::char::range('\u{80}', '\u{2FFF}').prop_map(u32::from),
        2 => any::<char>().prop_map(u32::from),
    ];
    let text = vec(code_point, 0..40);
    let surrogates = vec(0xD800_u32..0xE000, 0..3);
    let operations = vec(select(OPERATIONS.to_vec()), 0..8);
    (text, surrogates, operations, 0..4).prop_map(|(mut text, surrogates, operations, form)| {
        if form == 0 {
            for surrogate in surrogates {
                let place = usize::try_from(surrogate).unwrap() % (text.len() + 1);
                text.insert(place, surrogate);
            }
        }
        let bytes = text.into_iter().flat_map(encoded).collect();
        let mut entries = vec![("text", Value::from_surrogate_utf8(bytes).unwrap())];
        if form > 1 {
            let operations = operations.into_iter().map(Value::from).collect();
            entries.push(("operations", Value::List(operations)));
        }
        let item = dict(entries);
        if form == 3 {
            to_json(&item).unwrap().into()
        } else {
            item
        }
    })
}

/// Runs items through both, and compares what comes out.
fn compare(items: &[Value]) {
    let [expected, found] = [in_python(), in_rust()].map(|pipeline| run(&pipeline, items.to_vec()));
    assert_eq!(expected.len(), items.len());
    assert_eq!(found.len(), items.len());
    for ((item, expected), found) in items.iter().zip(expected).zip(found) {
        assert_eq!(found, expected, "of {item:?}");
    }
}

#[test]
fn generated_texts() {
    let mut runner = TestRunner::deterministic();
    let strategy = items();
    let mut item = || strategy.new_tree(&mut runner).unwrap().current();
    compare(&(0..ITEMS).map(|_| item()).collect::<Vec<_>>());
}

#[test]
fn every_code_point() {
    let around = |before: &str, code_point, after: &str| {
        [before.as_bytes(), &encoded(code_point), after.as_bytes()].concat()
    };
    let block = |first: u32| {
        let lines = (first..first + 0x1000).flat_map(|code_point| {
            [
                around("", code_point, "\n"),
                around("aΣ", code_point, "a\n"),
                around("a", code_point, "Σ\n"),
                around("", code_point, "Σ\n"),
            ]
        });
        let text = Value::from_surrogate_utf8(lines.flatten().collect());
        dict(vec![("text", text.unwrap())])
    };
    compare(
        &(0..0x11_0000)
            .step_by(0x1000)
            .map(block)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn what_one_refuses_the_other_refuses() {
    let refused = [
        Value::Null,
        5.into(),
        "not JSON".into(),
        "[]".into(),
        vec![0xFF_u8].into(),
        dict(vec![]),
        dict(vec![("text", b"bytes".as_slice().into())]),
        dict(vec![("text", "a".into()), ("operations", Value::Null)]),
        dict(vec![("text", "a".into()), ("operations", "title".into())]),
        dict(vec![
            ("text", "a".into()),
            ("operations", vec![Value::from("titel")].into()),
        ]),
    ];
    for pipeline in [in_python(), in_rust()] {
        for item in &refused {
            assert!(pipeline.run([item.clone()]).is_err(), "{item:?}");
        }
    }
}
