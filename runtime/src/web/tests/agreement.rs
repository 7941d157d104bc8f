//! What a web page's driver gives is what the native one gives: outputs, their order and sessions, and the error that ends
//! a run.

use std::error::Error;
use std::fmt::Write as _;

use crate::bundle::{Bundle, Parts};
use crate::causes;
use crate::json::to_json;
use crate::manifest::{Manifest, OnError};
use crate::pipeline::{Item, Pipeline, Settings};
use crate::testing::Dice;
use crate::value::Value;
use crate::web;

/// What a run came to: its outputs as text, and why it ended early.
type Outcome = (Vec<String>, Option<String>);

/// An output with all that is known about it.
fn line(node: &str, value: &Value, session: Option<&str>, time: Option<i64>, item: u64) -> String {
    let value = to_json(value).unwrap();
    format!("{node} {value} {session:?} {time:?} {item}")
}

/// An error and its causes.
fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in causes(error) {
        let _ = write!(text, ": {cause}");
    }
    text
}

fn natively(manifest: &Manifest, items: &[Item], on_error: OnError) -> Outcome {
    let bundle = Bundle::assemble(Parts {
        name: "test".into(),
        manifest: manifest.clone(),
        packer: "a test".into(),
        python: None,
    })
    .unwrap();
    let settings = Settings {
        on_error,
        ..Settings::default()
    };
    let pipeline = Pipeline::load(&bundle, settings).unwrap();
    let mut items = items.iter().cloned();
    let mut outputs = Vec::new();
    let result = pipeline.run_with(
        || Ok(items.next()),
        |output| {
            let metadata = &output.metadata;
            outputs.push(line(
                &output.node,
                &output.value,
                metadata.session.as_deref(),
                metadata.timestamp_us,
                metadata.sequence,
            ));
            Ok(())
        },
    );
    (outputs, result.err().map(|error| told(&error)))
}

fn in_a_page(text: &str, items: &[Item], on_error: OnError, dice: &mut Dice) -> Outcome {
    let pipeline = web::Pipeline::load(text, "test.json", &web::Classes::new()).unwrap();
    let mut run = web::Run::start(&pipeline, on_error, || 0.0);
    let mut items = items.iter();
    let mut outputs = Vec::new();
    loop {
        // Whatever the host does first.
        match dice.roll(3) {
            0 if run.can_push() => match items.next() {
                Some(item) => {
                    let (value, session) = (item.value.clone(), item.session.clone());
                    run.push(value, session, item.timestamp_us).unwrap();
                }
                None => run.close_input(),
            },
            1 => {
                if let Some(output) = run.take_output() {
                    let metadata = &output.packet.metadata;
                    outputs.push(line(
                        pipeline.graph().id(output.node),
                        &output.packet.value,
                        metadata.session.as_deref(),
                        metadata.timestamp_us,
                        metadata.sequence,
                    ));
                }
            }
            _ => drop(run.step()),
        }
        match run.ending() {
            None => {}
            Some(web::Ending::Finished) => return (outputs, None),
            Some(web::Ending::Failed(failure)) => return (outputs, Some(told(failure))),
        }
    }
}

/// A graph of Rust nodes, some of which fail on what others give.
fn random_manifest(dice: &mut Dice) -> String {
    const NODES: [&str; 6] = [
        r#""node_type": "Echo""#,
        r#""node_type": "AddNode", "params": {"addend": 1}"#,
        r#""node_type": "MultiplyNode", "params": {"factor": -2}"#,
        r#""node_type": "Calculator", "params": {"operation": "divide", "operand": 2}"#,
        r#""node_type": "RustTransformNode", "params": {"operations": [{"op": "scale", "factor": 3}]}"#,
        r#""node_type": "AudioLevelNode""#,
    ];
    let count = 1 + dice.roll(5);
    let mut nodes = Vec::new();
    let mut connections = Vec::new();
    for node in 0..count {
        // Where a node stops the stream, what other branches have got by then depends on timing.
        let policy = ["", r#", "on_error": "skip""#][dice.roll(2)];
        let more = ["", "", r#", "instances": 2"#, r#", "join": true"#][dice.roll(4)];
        // Mostly numbers stay numbers.
        let kinds = if dice.once_in(4) { 6 } else { 5 };
        let kind = NODES[dice.roll(kinds)];
        nodes.push(format!(r#"{{"id": "n{node}", {kind}{policy}{more}}}"#));
        for from in 0..node {
            if dice.roll(2) == 0 {
                connections.push(format!(r#"{{"from": "n{from}", "to": "n{node}"}}"#));
            }
        }
    }
    format!(
        r#"{{"version": "v1", "metadata": {{"name": "test"}}, "nodes": [{}], "connections": [{}]}}"#,
        nodes.join(", "),
        connections.join(", ")
    )
}

fn random_items(dice: &mut Dice) -> Vec<Item> {
    let item = |number: usize, dice: &mut Dice| Item {
        value: match dice.roll(12) {
            0 => Value::from("text"),
            1 => Value::from(0.5),
            _ => Value::from(number as u64),
        },
        session: ["a", "b"].get(dice.roll(3)).map(|name| (*name).into()),
        timestamp_us: (dice.roll(2) == 0).then_some(1000),
    };
    let count = dice.roll(60);
    (0..count).map(|number| item(number, dice)).collect()
}

#[test]
fn both_drivers_agree_on_any_graph() {
    let mut dice = Dice::seeded(7);
    let mut failed = 0;
    for round in 0..400 {
        let text = random_manifest(&mut dice);
        let items = random_items(&mut dice);
        let manifest = Manifest::parse(&text, "test.json".as_ref()).unwrap();
        let policy = [OnError::Fail, OnError::Skip][dice.roll(2)];
        let native = natively(&manifest.manifest, &items, policy);
        let page = in_a_page(&text, &items, policy, &mut dice);
        assert_eq!(page, native, "round {round}: {text}\n{items:?}");
        failed += usize::from(native.1.is_some());
    }
    assert!((20..380).contains(&failed), "{failed} of them failed");
}
