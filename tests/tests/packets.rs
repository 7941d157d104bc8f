//! What Python nodes know about the packets that they work on, and say about those that they give.

mod packed;

use packed::{python, run_to_end, values_of};
use rm_runtime::pipeline::{Item, Output, Pipeline};
use rm_runtime::value::Value;

fn item(value: i32, session: Option<&str>, timestamp_us: Option<i64>) -> Item {
    Item {
        value: value.into(),
        session: session.map(Into::into),
        timestamp_us,
    }
}

/// Outputs with all that is known about them: output, session, timestamp, sequence, value.
fn told(outputs: &[Output]) -> Vec<String> {
    let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().unwrap_or("-").to_owned();
    outputs
        .iter()
        .map(|output| {
            format!(
                "{} {} {:?} {} {}",
                text(&output.output),
                text(&output.metadata.session),
                output.metadata.timestamp_us,
                output.metadata.sequence,
                rm_runtime::json::to_json(&output.value).unwrap()
            )
        })
        .collect()
}

#[track_caller]
fn finished(pipeline: &Pipeline, items: Vec<Item>) -> Vec<Output> {
    let (outputs, result) = run_to_end(pipeline, items);
    result.unwrap_or_else(|error| panic!("{error:?}"));
    outputs
}

#[test]
fn a_packet_says_where_it_goes_and_what_is_known_about_it() {
    let source = "
from remotemedia import Packet


class Case:
    def process(self, data):
        yield data
        yield Packet(data, output='side')
        yield Packet(data, session='other')
        yield Packet(data, timestamp_us=data * 100)
        yield Packet(None)
";
    let items = vec![item(1, Some("s"), Some(7)), item(2, None, None)];
    let expected = [
        "- s Some(7) 0 1",
        "side s Some(7) 0 1",
        "- other Some(7) 0 1",
        "- s Some(100) 0 1",
        "- s Some(7) 0 null",
        "- - None 1 2",
        "side - None 1 2",
        "- other None 1 2",
        "- - Some(200) 1 2",
        "- - None 1 null",
    ];
    assert_eq!(told(&finished(&python(source), items)), expected);
}

#[test]
fn a_node_knows_the_packet_that_it_works_on() {
    let items = || {
        vec![
            item(1, Some("a"), Some(-5)),
            item(2, None, Some(6)),
            item(3, Some("b"), None),
        ]
    };
    let expected = r#"[["a",-5,0],[null,6,1],["b",null,2]]"#;
    for body in [
        "    def process(self, data):\n        return about(current())\n",
        "    def process(self, data):\n        return about(self.metadata)\n",
        "    def process(self, data):\n        yield about(self.metadata)\n",
        "    async def process(self, data):\n        await asyncio.sleep(0.01)\n        return about(current())\n",
        "    async def process(self, data):\n        await asyncio.sleep(0.01)\n        yield about(self.metadata)\n",
        "    async def process(self, stream: 'AsyncIterator'):\n        async for _ in stream:\n            yield about(current())\n",
    ] {
        let source = format!(
            "
import asyncio

from remotemedia import Node, current


def about(metadata):
    return [metadata.session, metadata.timestamp_us, metadata.sequence]


class Case(Node):
{body}"
        );
        let outputs = finished(&python(&source), items());
        assert_eq!(values_of(&outputs), expected, "{body}");
    }
}

#[test]
fn what_a_node_gives_belongs_to_the_item_that_it_works_on() {
    let source = "
class Case:
    is_streaming = True

    async def process(self, stream):
        async for item in stream:
            yield item
            yield -item
        yield 0
";
    let items = vec![item(1, Some("a"), Some(5)), item(2, Some("b"), Some(6))];
    let outputs = finished(&python(source), items);
    let expected = [
        "- a Some(5) 0 1",
        "- a Some(5) 0 -1",
        "- b Some(6) 1 2",
        "- b Some(6) 1 -2",
    ];
    assert_eq!(told(&outputs[..4]), expected);
    assert_eq!(outputs[4].metadata.sequence, 2);
    assert_eq!(outputs[4].value, Value::from(0));
}
