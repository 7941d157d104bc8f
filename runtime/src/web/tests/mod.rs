//! Runs that are driven as JavaScript drives them, with interpreters that answer from a script.

#[cfg(feature = "wasmtime")]
mod agreement;
mod ahead;

use std::collections::VecDeque;
use std::sync::Arc;

use super::calls::{Call, Desk};
use super::failure::dict;
use super::frame::{frame, unframe};
use super::pipeline::check;
use super::*;
use crate::json::to_json;
use crate::manifest::OnError;
use crate::marshal::to_marshal;
use crate::python::PythonNode;
use crate::python::answer::{AnswerError, read_answer};
use crate::python::operation::Operation;
use crate::value::Value;

fn classes() -> Classes {
    let class = |is_streaming, is_source| PythonNode {
        module: "nodes".into(),
        class: "Case".into(),
        is_async: false,
        is_streaming,
        is_source,
    };
    Classes::from([
        ("Case".into(), class(false, false)),
        ("Stream".into(), class(true, false)),
        ("Source".into(), class(false, true)),
    ])
}

fn load(nodes: &str, connections: &str) -> Arc<Pipeline> {
    let text = format!(
        "{{version: v1, metadata: {{name: test}}, nodes: [{nodes}], connections: [{connections}]}}"
    );
    Pipeline::load(&text, "test.yaml", &classes()).unwrap()
}

fn start(pipeline: &Arc<Pipeline>) -> Run {
    Run::start(pipeline, OnError::Fail, || 0.0)
}

/// Everything that comes out until nothing moves, as JSON.
fn outputs(run: &mut Run) -> Vec<String> {
    let mut outputs = Vec::new();
    loop {
        let did = run.step();
        match run.take_output() {
            Some(output) => outputs.push(to_json(&output.packet.value).unwrap()),
            None if !did => return outputs,
            None => {}
        }
    }
}

/// The requests that were made, other events put aside.
fn requests(run: &mut Run) -> Vec<Request> {
    while run.step() {}
    let mut requests = Vec::new();
    let mut others = VecDeque::new();
    while let Some(event) = run.take_event() {
        match event {
            Event::Request(request) => requests.push(request),
            other => others.push_back(other),
        }
    }
    run.put_back(others);
    requests
}

#[track_caller]
fn request(run: &mut Run, operation: Operation) -> Request {
    let mut requests = requests(run);
    assert_eq!(requests.len(), 1, "{requests:?}");
    let request = requests.remove(0);
    assert_eq!(request.operation, operation);
    request
}

/// Answers with a value in Python's form.
#[track_caller]
fn answer(run: &mut Run, request: &Request, value: Value) {
    let payload = to_marshal(&Value::Tuple(vec![Value::Int(0), value])).unwrap();
    run.reply(
        request.ticket,
        Reply::Answer(read_answer(&payload, &[]), 0.5),
    );
}

fn raise(run: &mut Run, request: &Request) {
    let error = dict([("type", "ValueError".into()), ("message", "no".into())]);
    let payload = to_marshal(&Value::Tuple(vec![Value::Int(1), error])).unwrap();
    run.reply(
        request.ticket,
        Reply::Answer(read_answer(&payload, &[]), 0.5),
    );
}

fn done(values: &[i64]) -> Value {
    Value::List(values.iter().copied().map(Value::Int).collect())
}

fn state(values: &[i64], state: i64, delay: Value) -> Value {
    Value::Tuple(vec![done(values), Value::Int(state), delay, Value::Null])
}

/// A run of one Python node that was made.
fn started(node: &str) -> Run {
    let mut run = start(&load(node, ""));
    let create = request(&mut run, Operation::Create);
    answer(&mut run, &create, done(&[]));
    run
}

fn failure(run: &Run) -> Option<String> {
    match run.ending() {
        Some(Ending::Failed(failure)) => Some(failure.to_string()),
        Some(Ending::Finished) | None => None,
    }
}

/// The reports, with what comes of them.
fn reports(run: &mut Run) -> Vec<(Policy, String)> {
    let mut reports = Vec::new();
    while let Some(event) = run.take_event() {
        if let Event::Report { policy, failure } = event {
            reports.push((policy, failure.to_string()));
        }
    }
    reports
}

#[test]
fn rust_nodes_need_nobody() {
    let pipeline = load(
        "{id: a, node_type: MultiplyNode, params: {factor: 2}}, {id: b, node_type: AddNode, params: {addend: 10}}",
        "{from: a, to: b}",
    );
    let mut run = start(&pipeline);
    for item in [5, 7, 3] {
        run.push(item.into(), None, None).unwrap();
    }
    assert_eq!(outputs(&mut run), ["20", "24", "16"]);
    assert!(run.ending().is_none() && run.can_push());
    run.close_input();
    assert_eq!(outputs(&mut run), [""; 0]);
    assert!(matches!(run.ending(), Some(Ending::Finished)));
    assert!(run.push(5.into(), None, None).is_err());
    let worked = std::iter::from_fn(|| run.take_event());
    assert_eq!(worked.count(), 8, "three items and an end in each node");
}

#[test]
fn results_that_nobody_takes_hold_up_the_input() {
    let mut run = start(&load("{id: a, node_type: Echo}", ""));
    let mut pushed = 0;
    loop {
        while run.step() {}
        if run.push(pushed.into(), None, None).is_err() {
            break;
        }
        pushed += 1;
    }
    assert_eq!(pushed, 32, "16 results and 16 items");
    assert!(run.is_open());
}

#[test]
fn errors_are_those_of_the_native_runtime() {
    let mut run = start(&load(
        "{id: a, node_type: AddNode, params: {addend: 1}}",
        "",
    ));
    run.push(1.into(), None, None).unwrap();
    run.push("x".into(), None, None).unwrap();
    assert_eq!(outputs(&mut run), ["2"]);
    assert_eq!(failure(&run).unwrap(), "node `a` failed on item 2");
    let start = start(&load("{id: a, node_type: AddNode}", ""));
    assert_eq!(failure(&start).unwrap(), "node `a` could not be started");
    #[cfg(feature = "wasmtime")]
    {
        use crate::pipeline::{NodeFailure, RunError};
        let source = || NodeFailure::Panicked(String::new());
        let node = || "a".to_owned();
        let (item, source, node) = (1, source, node);
        let pairs = [
            (
                Moment::Start,
                RunError::Start {
                    node: node(),
                    source: source(),
                },
            ),
            (
                Moment::Item(0),
                RunError::Item {
                    node: node(),
                    item,
                    source: source(),
                },
            ),
            (
                Moment::Source,
                RunError::Source {
                    node: node(),
                    source: source(),
                },
            ),
            (
                Moment::End,
                RunError::End {
                    node: node(),
                    source: source(),
                },
            ),
            (
                Moment::Cleanup,
                RunError::Cleanup {
                    node: node(),
                    source: source(),
                },
            ),
        ];
        for (moment, native) in pairs {
            let cause = Cause::Gone(String::new());
            let failure = RunFailure {
                node: node(),
                moment,
                cause,
            };
            assert_eq!(failure.to_string(), native.to_string());
        }
    }
}

#[test]
fn a_python_node_is_asked() {
    let mut run = start(&load("{id: n, node_type: Case, params: {x: 1}}", ""));
    run.push(5.into(), Some("s".into()), Some(7)).unwrap();
    let create = request(&mut run, Operation::Create);
    let text = to_json(&create.arguments).unwrap();
    assert_eq!(text, r#"["n","nodes","Case",{"x":1},false]"#);
    answer(&mut run, &create, done(&[]));
    let process = request(&mut run, Operation::Process);
    assert_eq!(to_json(&process.arguments).unwrap(), r#"["n",5,"s",7,0]"#);
    // There is more where that came from, and later.
    answer(&mut run, &process, state(&[1, 2], 1, Value::Null));
    let resume = request(&mut run, Operation::ResumeNode);
    answer(&mut run, &resume, state(&[], 2, Value::Float(0.5)));
    assert!(requests(&mut run).is_empty());
    let Some(Event::Sleep {
        ticket, duration, ..
    }) = run.take_event()
    else {
        panic!("nobody sleeps");
    };
    assert_eq!(duration.as_millis(), 500);
    run.wake(ticket + 100);
    run.wake(ticket);
    let resume = request(&mut run, Operation::ResumeNode);
    answer(&mut run, &resume, done(&[3]));
    run.close_input();
    let flush = request(&mut run, Operation::Flush);
    answer(&mut run, &flush, done(&[4]));
    let cleanup = request(&mut run, Operation::Cleanup);
    assert!(run.ending().is_none());
    answer(&mut run, &cleanup, done(&[]));
    assert_eq!(outputs(&mut run), ["1", "2", "3", "4"]);
    assert!(matches!(run.ending(), Some(Ending::Finished)));
    // An answer that nobody waits for changes nothing.
    answer(&mut run, &cleanup, done(&[]));
}

#[test]
fn what_a_node_spends_without_giving_anything_is_told_and_sleeping_counts() {
    let mut run = started("{id: n, node_type: Case}");
    run.push(5.into(), None, None).unwrap();
    let mut next = request(&mut run, Operation::Process);
    let rounds = [
        (&[][..], 0.0, 0.5),
        (&[][..], 100.5, 101.0),
        (&[1][..], 201.0, 0.0),
    ];
    for (round, (given, before, spent)) in rounds.into_iter().enumerate() {
        assert_eq!(next.spent.to_string(), f64::to_string(&before));
        answer(&mut run, &next, state(given, 2, Value::Float(0.1)));
        assert!(requests(&mut run).is_empty());
        let Some(Event::Sleep { ticket, within, .. }) = run.take_event() else {
            panic!("nobody sleeps");
        };
        assert_eq!(within, Some(Within { lane: 0, spent }));
        if round == 2 {
            // The host lets it sleep no longer.
            run.reply(ticket, Reply::Lost("it took too long".into()));
            break;
        }
        run.wake(ticket);
        next = request(&mut run, Operation::ResumeNode);
    }
    assert!(requests(&mut run).is_empty(), "nobody cleans up");
    assert_eq!(outputs(&mut run), ["1"]);
    assert_eq!(failure_of(&run), "it took too long");
}

#[test]
fn more_is_asked_for_only_when_there_is_room() {
    let mut run = started("{id: n, node_type: Source}");
    let mut next = request(&mut run, Operation::Generate);
    let mut rounds = 0;
    loop {
        answer(&mut run, &next, state(&[rounds], 1, Value::Null));
        rounds += 1;
        match requests(&mut run).pop() {
            Some(request) => next = request,
            None => break,
        }
    }
    assert_eq!(rounds, 16);
    assert!(run.take_output().is_some());
    request(&mut run, Operation::ResumeNode);
}

#[test]
fn an_exception_means_what_the_manifest_says() {
    for (policy, reported, after) in [
        ("fail", None, "cleanup"),
        ("skip", Some(Policy::Skipped), "process"),
        ("stop", Some(Policy::Stopped), "flush"),
    ] {
        let mut run = started(&format!("{{id: n, node_type: Case, on_error: {policy}}}"));
        run.push(1.into(), None, None).unwrap();
        run.push(2.into(), None, None).unwrap();
        let process = request(&mut run, Operation::Process);
        raise(&mut run, &process);
        let next = requests(&mut run).remove(0);
        let operation = match after {
            "cleanup" => Operation::Cleanup,
            "process" => Operation::Process,
            _ => Operation::Flush,
        };
        assert_eq!(next.operation, operation);
        let message = "node `n` failed on item 1".to_owned();
        let expected = reported.map(|policy| (policy, message.clone()));
        assert_eq!(reports(&mut run), Vec::from_iter(expected));
        if after == "cleanup" {
            answer(&mut run, &next, done(&[]));
            assert_eq!(failure(&run).unwrap(), message);
        }
    }
}

#[test]
fn a_node_that_is_gone_is_made_again_where_items_are_skipped() {
    let mut run = started("{id: n, node_type: Case, on_error: skip}");
    run.push(1.into(), None, None).unwrap();
    run.push(2.into(), None, None).unwrap();
    let process = request(&mut run, Operation::Process);
    run.reply(process.ticket, Reply::Lost("the worker was stopped".into()));
    let create = request(&mut run, Operation::Create);
    assert_eq!(create.lane, process.lane);
    assert_eq!(reports(&mut run).len(), 1);
    answer(&mut run, &create, done(&[]));
    let process = request(&mut run, Operation::Process);
    assert_eq!(
        to_json(&process.arguments).unwrap(),
        r#"["n",2,null,null,1]"#
    );
    // That it cannot be made again ends the run, and there is nothing left to clean up.
    run.reply(process.ticket, Reply::Lost("again".into()));
    let create = request(&mut run, Operation::Create);
    raise(&mut run, &create);
    while run.step() {}
    assert_eq!(failure(&run).unwrap(), "node `n` could not be started");
}

#[test]
fn an_answer_that_cannot_be_read_is_explained() {
    let mut run = started("{id: n, node_type: Case}");
    run.push(1.into(), None, None).unwrap();
    let process = request(&mut run, Operation::Process);
    run.reply(process.ticket, Reply::Answer(read_answer(b"y", &[]), 0.5));
    let explain = request(&mut run, Operation::Explain);
    raise(&mut run, &explain);
    let cleanup = request(&mut run, Operation::Cleanup);
    answer(&mut run, &cleanup, done(&[]));
    let Some(Ending::Failed(failure)) = run.ending() else {
        panic!("it goes on");
    };
    assert_eq!(failure.cause.to_string(), "ValueError: no");
    // A guest that breaks the protocol is not trusted with anything else.
    let mut run = started("{id: n, node_type: Case}");
    run.push(1.into(), None, None).unwrap();
    let process = request(&mut run, Operation::Process);
    let odd = Err(AnswerError::Protocol("odd".into()));
    run.reply(process.ticket, Reply::Answer(odd, 0.5));
    assert!(requests(&mut run).is_empty());
    assert!(failure_of(&run).contains("misbehaved: odd"));
}

fn failure_of(run: &Run) -> String {
    match run.ending() {
        Some(Ending::Failed(failure)) => failure.cause.to_string(),
        _ => String::new(),
    }
}

#[test]
fn a_streaming_node_has_timers_of_its_own() {
    let mut run = started("{id: n, node_type: Stream}");
    let resume = request(&mut run, Operation::ResumeNode);
    answer(&mut run, &resume, state(&[1], 0, Value::Float(1.0)));
    assert!(requests(&mut run).is_empty());
    let Some(Event::Sleep { ticket, .. }) = run.take_event() else {
        panic!("nobody sleeps");
    };
    run.wake(ticket);
    let resume = request(&mut run, Operation::ResumeNode);
    // Between two items there is no task that could fail, and it fails nevertheless.
    raise(&mut run, &resume);
    assert_eq!(outputs(&mut run), ["1"]);
    let cleanup = request(&mut run, Operation::Cleanup);
    answer(&mut run, &cleanup, done(&[]));
    assert_eq!(
        failure(&run).unwrap(),
        "node `n` failed before its first item"
    );
}

#[test]
fn what_fails_after_an_item_is_said_to() {
    let mut run = started("{id: n, node_type: Stream}");
    let resume = request(&mut run, Operation::ResumeNode);
    answer(&mut run, &resume, done(&[]));
    assert!(requests(&mut run).is_empty());
    run.push(5.into(), None, None).unwrap();
    let process = request(&mut run, Operation::Process);
    answer(&mut run, &process, state(&[], 0, Value::Float(1.0)));
    assert!(requests(&mut run).is_empty());
    let mut events = std::iter::from_fn(|| run.take_event());
    let ticket = events.find_map(|event| match event {
        Event::Sleep { ticket, .. } => Some(ticket),
        _ => None,
    });
    run.wake(ticket.expect("somebody sleeps"));
    let resume = request(&mut run, Operation::ResumeNode);
    raise(&mut run, &resume);
    let cleanup = request(&mut run, Operation::Cleanup);
    answer(&mut run, &cleanup, done(&[]));
    assert_eq!(
        failure(&run).unwrap(),
        "node `n` failed between items, after item 1"
    );
}

#[test]
fn nothing_is_begun_before_every_node_is_there() {
    let nodes = "{id: a, node_type: Case}, {id: b, node_type: Case}";
    let mut run = start(&load(nodes, "{from: a, to: b}"));
    run.push(1.into(), None, None).unwrap();
    let creates = requests(&mut run);
    assert_eq!(creates.len(), 2);
    raise(&mut run, &creates[1]);
    assert!(requests(&mut run).is_empty());
    answer(&mut run, &creates[0], done(&[]));
    let cleanup = request(&mut run, Operation::Cleanup);
    assert_eq!(cleanup.node, creates[0].node);
    raise(&mut run, &cleanup);
    assert_eq!(failure(&run).unwrap(), "node `b` could not be started");
    let report = "node `a` failed while it cleaned up".to_owned();
    assert_eq!(reports(&mut run), [(Policy::AsWell, report)]);
}

#[test]
fn what_is_cancelled_waits_for_nobody() {
    let mut run = started("{id: n, node_type: Case}");
    run.push(1.into(), None, None).unwrap();
    request(&mut run, Operation::Process);
    assert!(requests(&mut run).is_empty() && run.ending().is_none());
    run.cancel();
    assert!(matches!(run.ending(), Some(Ending::Finished)));
}

#[test]
fn instances_work_side_by_side() {
    let mut run = start(&load("{id: n, node_type: Case, instances: 2}", ""));
    for create in requests(&mut run) {
        answer(&mut run, &create, done(&[]));
    }
    run.push(1.into(), None, None).unwrap();
    run.push(2.into(), None, None).unwrap();
    let both = requests(&mut run);
    assert_eq!([both[0].lane, both[1].lane], [0, 1]);
    answer(&mut run, &both[1], done(&[20]));
    assert_eq!(outputs(&mut run), [""; 0]);
    answer(&mut run, &both[0], done(&[10]));
    assert_eq!(outputs(&mut run), ["10", "20"]);
}

#[test]
fn an_editor_is_told_everything_with_its_place() {
    let text = r#"{"version": "v1", "metadata": {"name": "t"}, "nodes": [
  {"id": "a", "node_type": "MultiplyNod"},
  {"id": "b", "node_type": "AddNode", "params": {"addend": "x"}},
  {"id": "c", "node_type": "AddNode"}
]}"#;
    let checked = check(text, "t.json", &Classes::new());
    assert_eq!(checked.kinds, [None, Some("rust"), Some("rust")]);
    let troubles = checked.troubles.iter().map(|trouble| {
        let at = trouble.position.unwrap();
        format!("{at}: {}: {}", trouble.place, trouble.message)
    });
    assert_eq!(
        troubles.collect::<Vec<_>>(),
        [
            "2:28: nodes[0].node_type: node `a` has the unknown type `MultiplyNod`, searched in the Rust nodes \
             (Python nodes come with a bundle); did you mean `MultiplyNode`?",
            "3:49: nodes[1].params: param `addend`: expected a number, found str \"x\"",
            "4:3: nodes[2].params: param `addend` is missing: expected a number",
        ]
    );
    assert!(check("{", "t.json", &Classes::new()).manifest.is_none());
}

/// A call as JavaScript makes it.
#[track_caller]
fn call(desk: &mut Desk, call: Call, arguments: Vec<Value>) -> Value {
    let request = frame(&Value::Tuple(arguments));
    let (payload, buffers) = unframe(&request).unwrap();
    let framed = frame(&desk.call(call as u32, payload, &buffers));
    let (payload, buffers) = unframe(&framed).unwrap();
    crate::marshal::from_wire(payload, &buffers).unwrap()
}

#[track_caller]
fn result(desk: &mut Desk, the_call: Call, arguments: Vec<Value>) -> Value {
    match call(desk, the_call, arguments) {
        Value::Tuple(parts) if parts[0] == Value::Int(0) => parts[1].clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn javascript_sees_numbers_and_tuples() {
    let mut desk = Desk::new(|| 0.0);
    let text = "{version: v1, metadata: {name: t}, nodes: [{id: a, node_type: Echo}]}";
    let arguments = vec![text.into(), "t.yaml".into(), Value::Dict(Vec::new())];
    let loaded = result(&mut desk, Call::Load, arguments);
    let pipeline = loaded.get("pipeline").unwrap().clone();
    let run = result(&mut desk, Call::Start, vec![pipeline, "fail".into()]);
    let lines = Value::List(vec![
        "5.0".into(),
        r#"{"$bytes": "AAH/"}"#.into(),
        "{".into(),
    ]);
    let refused = call(&mut desk, Call::PushLines, vec![run.clone(), lines]);
    assert!(
        to_json(&refused)
            .unwrap()
            .ends_with(r#""causes":[],"index":2}]"#),
        "{refused:?}"
    );
    result(&mut desk, Call::Close, vec![run.clone()]);
    let arguments = vec![run.clone(), Value::Int(100), Value::Int(1), true.into()];
    let turn = result(&mut desk, Call::Turn, arguments);
    let expected = r#"[[[0,null,"5.0",null,null,0]],[],[],[[0,0.0],[0,0.0],[0,0.0]],[],0,null]"#;
    assert_eq!(to_json(&turn).unwrap(), expected);
    let arguments = vec![run.clone(), Value::Int(100), Value::Int(9), false.into()];
    let turn = result(&mut desk, Call::Turn, arguments);
    let expected = r#"[[[0,null,{"$bytes":"AAH/"},null,null,1]],[],[],[],[],8,null]"#;
    assert_eq!(to_json(&turn).unwrap(), expected);
    result(&mut desk, Call::Drop, vec![run.clone()]);
    for odd in [vec![], vec![run], vec!["x".into()]] {
        let answer = to_json(&call(&mut desk, Call::Close, odd)).unwrap();
        assert!(
            answer.starts_with(r#"[1,{"message":"a call from JavaScript has"#),
            "{answer}"
        );
    }
    assert!(unframe(&[1, 2, 3]).is_none() && unframe(&[9, 0, 0, 0, 0, 0, 0, 0, 1]).is_none());
    assert!(unframe(&[0, 0, 0, 0, 255, 255, 255, 255]).is_none());
}
