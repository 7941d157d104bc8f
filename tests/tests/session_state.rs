//! What Python nodes keep for each session of a stream.

mod packed;

use packed::{python, run_to_end, values_of};
use rm_runtime::pipeline::Item;

/// Counts the items of each session, as `class Case(Node)` with these lines in its body.
fn counting(body: &str) -> String {
    format!(
        "
import time

from remotemedia import Node


class Case(Node):
    {body}

    def process(self, data):
        if data is not None:
            time.sleep(data)
        state = self.get_session_state()
        state['count'] = state.get('count', 0) + 1
        return f\"{{self.get_session_id()}}{{state['count']}}\"
"
    )
}

#[track_caller]
fn check(source: &str, items: &[(&str, Option<f64>)], expected: &str) {
    let items = items.iter().map(|(session, sleep)| Item {
        value: (*sleep).into(),
        session: (!session.is_empty()).then(|| (*session).into()),
        timestamp_us: None,
    });
    let (outputs, result) = run_to_end(&python(source), items);
    result.unwrap_or_else(|error| panic!("{error:?}"));
    let outputs = values_of(&outputs).replace(['[', ']', '"'], "");
    assert_eq!(outputs, expected);
}

fn at_once(sessions: &str) -> Vec<(&str, Option<f64>)> {
    sessions.split(' ').map(|session| (session, None)).collect()
}

#[test]
fn sessions_of_a_stream_see_their_own_state_only() {
    check(
        &counting("pass"),
        &at_once("a b a a  c b "),
        "a1,b1,a2,a3,default1,c1,b2,default2",
    );
}

#[test]
fn beyond_max_sessions_the_one_used_least_recently_is_forgotten() {
    for body in [
        "max_sessions = 2",
        "def __init__(self):\n        super().__init__(max_sessions=2)",
    ] {
        check(
            &counting(body),
            &at_once("a b a c a b c"),
            "a1,b1,a2,c1,a3,b1,c1",
        );
    }
}

#[test]
fn a_state_is_forgotten_when_nobody_asks_for_it_in_time() {
    for body in [
        "state_ttl = 1.0",
        "def __init__(self):\n        super().__init__(state_ttl=1.0)",
    ] {
        let items = [("a", None), ("a", None), ("a", Some(1.5)), ("a", None)];
        check(&counting(body), &items, "a1,a2,a1,a2");
    }
    let items = [("a", None), ("a", Some(1.5))];
    check(&counting("state_ttl = None"), &items, "a1,a2");
}

#[test]
fn the_session_may_be_in_the_item() {
    let source = "
from remotemedia import Node


class Case(Node):
    async def process(self, data):
        state = await self.get_session_state()
        state['count'] = state.get('count', 0) + 1
        return [self.get_session_id(), state['count']]
";
    let outputs = packed::through(
        &python(source),
        r#"[{"session_id": "a"}, {"session_id": "b"}, {"session_id": "a"}, 1]"#,
    );
    assert_eq!(outputs, r#"[["a",1],["b",1],["a",2],["default",1]]"#);
}
