//! The operations that JavaScript calls: numbers, arguments and answers.
//!
//! Arguments and answers are values in `marshal` format, large buffers beside them, the form in which values go to Python
//! too; here they are given in Python's terms. The other side of it is `browser-demo/src/runtime/abi.ts`.

use std::sync::Arc;
use std::time::Duration;

use super::arguments::{Arguments, Problem};
use super::failure::{RunFailure, count, dict};
use super::pipeline::{Checked, Classes, check};

use super::{Ending, Event, Pipeline, Policy, Reply, Request, Run, Within};
use crate::executor::{Output, PushError};
use crate::json::{from_json, from_json_packet, to_json};
use crate::manifest::{Manifest, OnError};
use crate::marshal;
use crate::nodes::Registry;
use crate::python::PythonNode;
use crate::python::operation::PROTOCOL;
use crate::sorted::SortedMap;
use crate::value::Value;

/// The version of what is described here; JavaScript refuses every other.
pub const ABI: u32 = 5;

/// An operation. `Result` in what they give is a tuple, `(0, result)` or `(1, error)`; an error is a dictionary with a
/// `message`, `causes` (further messages, outermost first) and what else is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Call {
    /// `() -> {"abi": int, "protocol": int, "version": str, "node_types": list[str]}`
    Describe = 0,
    /// `(text, file, classes) -> {"manifest": dict | None, "kinds": list, "troubles": list}`, each trouble `(place, line |
    /// None, column | None, message)`: all that is wrong with a manifest.
    Check = 1,
    /// `(text, file, classes) -> {"pipeline": int, "manifest": dict, "input_data", "takes_input": bool, "nodes":
    /// list[(id, is_python, level)]}`: a handle for [`Call::Start`].
    Load = 2,
    /// `(pipeline)`: forget a pipeline; its runs go on.
    Unload = 3,
    /// `(pipeline, on_error) -> int`: begin a run.
    Start = 4,
    /// `(run, items: list[(value, session | None, timestamp_us | None)]) -> int`: how many items were taken; fewer when
    /// there is no room, or the run takes no more.
    Push = 5,
    /// `(run, lines: list[str]) -> int`: the same for items as JSON text, each a value or a `$packet`. A line that is
    /// neither is an error with its `index`, after the lines before it were taken.
    PushLines = 6,
    /// `(run)`: no item will follow.
    Close = 7,
    /// `(run, steps: int, outputs: int, as_text: bool) -> tuple`: do up to so much, give up to so many outputs. The tuple
    /// has seven parts:
    ///
    /// 1. outputs, each `(node, output | None, value, session | None, timestamp_us | None, sequence)`, the value as JSON
    ///    text if asked for
    /// 2. requests, each `(ticket, lane, node, operation, is_ahead: bool, spent, payload: bytes, buffers: list[bytes])`
    /// 3. sleeps, each `(ticket, seconds, lane | None, spent)`; `lane` where a node sleeps in the middle of its work, and
    ///    `spent` as with requests: how many milliseconds it has been at that without giving anything
    /// 4. work that was done, each `(node, milliseconds)`
    /// 5. reports, each `("skipped" | "stopped" | "as well", error)`
    /// 6. flags: 1 there is more to do now, 2 an item would be taken, 4 items may still be taken, 8 the run has ended
    /// 7. the error that ended it, or `None`
    Turn = 8,
    /// `(run, answers: list[(ticket, milliseconds, payload: bytes | None, buffers: list[bytes])])`: what interpreters
    /// answered, and how long that took them; without a payload, that they passed over it.
    Answer = 9,
    /// `(run, ticket, reason: str)`: an interpreter that is gone, or a node that has slept for longer than it may.
    Lost = 10,
    /// `(run, ticket)`: a sleep is over.
    Wake = 11,
    /// `(run)`: let nodes clean up, but those that are at work.
    Cancel = 12,
    /// `(run)`: forget a run.
    Drop = 13,
    /// `(value) -> str`: a value as JSON text.
    ToJson = 14,
    /// `(text) -> value`: a value from JSON text.
    FromJson = 15,
}

/// The operations by their numbers.
const CALLS: [Call; 16] = [
    Call::Describe,
    Call::Check,
    Call::Load,
    Call::Unload,
    Call::Start,
    Call::Push,
    Call::PushLines,
    Call::Close,
    Call::Turn,
    Call::Answer,
    Call::Lost,
    Call::Wake,
    Call::Cancel,
    Call::Drop,
    Call::ToJson,
    Call::FromJson,
];

// Each is at the place that its number says.
const _: () = {
    let mut place = 0;
    while place < CALLS.len() {
        assert!(CALLS[place] as usize == place);
        place += 1;
    }
};

/// What JavaScript has loaded and started.
#[derive(Debug, Default)]
pub struct Desk {
    pipelines: SortedMap<i64, Arc<Pipeline>>,
    runs: SortedMap<i64, Run>,
    handles: i64,
    now: Option<fn() -> f64>,
}

impl Desk {
    /// Nothing yet; `now` is the host's clock, in milliseconds.
    pub fn new(now: fn() -> f64) -> Self {
        Self {
            now: Some(now),
            ..Self::default()
        }
    }

    /// Do a call: its number, its arguments and the buffers beside them; gives `(0, result)` or `(1, error)`.
    pub fn call(&mut self, call: u32, payload: &[u8], buffers: &[&[u8]]) -> Value {
        let result = marshal::from_wire(payload, buffers)
            .map_err(|error| Problem::new(&error))
            .and_then(|arguments| {
                let call = CALLS.get(call as usize);
                let call = call.ok_or_else(|| Problem::odd("no such operation"))?;
                self.dispatch(*call, Arguments::of(arguments)?)
            });
        Value::Tuple(match result {
            Ok(result) => vec![Value::Int(0), result],
            Err(problem) => vec![Value::Int(1), problem.into_value()],
        })
    }

    // A browser compiles a function when it is first called, and whole. So that a page does not wait for the code of calls
    // that it does not make, the larger ones are functions of their own.
    fn dispatch(&mut self, call: Call, mut arguments: Arguments) -> Result<Value, Problem> {
        match call {
            Call::Describe => Ok(describe()),
            Call::Check => check_text(&mut arguments),
            Call::Load => self.load(&mut arguments),
            Call::Unload => {
                self.pipelines.remove(&arguments.int()?);
                Ok(Value::Null)
            }
            Call::Start => self.start(&mut arguments),
            Call::Push => push(self.run(&mut arguments)?, arguments.list()?),
            Call::PushLines => push_lines(self.run(&mut arguments)?, &arguments.list()?),
            Call::Close => {
                self.run(&mut arguments)?.close_input();
                Ok(Value::Null)
            }
            Call::Turn => {
                let run = self.run(&mut arguments)?;
                let (steps, outputs) = (arguments.count()?, arguments.count()?);
                turn(run, steps, outputs, arguments.bool()?)
            }
            Call::Drop => {
                self.runs.remove(&arguments.int()?);
                Ok(Value::Null)
            }
            Call::Answer | Call::Lost | Call::Wake => self.hear(call, &mut arguments),
            Call::Cancel => {
                self.run(&mut arguments)?.cancel();
                Ok(Value::Null)
            }
            Call::ToJson => json_of(&arguments.next()?),
            Call::FromJson => value_of(&arguments.text()?),
        }
    }

    /// What interpreters and clocks say.
    #[inline(never)]
    fn hear(&mut self, call: Call, arguments: &mut Arguments) -> Result<Value, Problem> {
        let run = self.run(arguments)?;
        match call {
            Call::Answer => {
                for answer in arguments.list()? {
                    let mut answer = Arguments::of(answer)?;
                    let ticket = answer.ticket()?;
                    run.reply(ticket, answer.reply()?);
                }
            }
            Call::Lost => {
                let ticket = arguments.ticket()?;
                run.reply(ticket, Reply::Lost(arguments.text()?));
            }
            _ => run.wake(arguments.ticket()?),
        }
        Ok(Value::Null)
    }

    #[inline(never)]
    fn load(&mut self, arguments: &mut Arguments) -> Result<Value, Problem> {
        let (text, file) = (arguments.text()?, arguments.text()?);
        let classes = classes_of(&arguments.next()?)?;
        let pipeline = Pipeline::load(&text, &file, &classes)?;
        self.handles += 1;
        let loaded = loaded(self.handles, &pipeline);
        self.pipelines.insert(self.handles, pipeline);
        Ok(loaded)
    }

    #[inline(never)]
    fn start(&mut self, arguments: &mut Arguments) -> Result<Value, Problem> {
        let pipeline = self.pipelines.get(&arguments.int()?);
        let pipeline = pipeline.ok_or_else(|| Problem::odd("no such pipeline"))?;
        let on_error = OnError::from_name(&arguments.text()?);
        let on_error = on_error.ok_or_else(|| Problem::odd("no such policy"))?;
        let run = Run::start(pipeline, on_error, self.now.unwrap_or(|| 0.0));
        self.handles += 1;
        self.runs.insert(self.handles, run);
        Ok(self.handles.into())
    }

    fn run(&mut self, arguments: &mut Arguments) -> Result<&mut Run, Problem> {
        let run = self.runs.get_mut(&arguments.int()?);
        run.ok_or_else(|| Problem::odd("no such run"))
    }
}

#[inline(never)]
fn check_text(arguments: &mut Arguments) -> Result<Value, Problem> {
    let (text, file) = (arguments.text()?, arguments.text()?);
    let classes = classes_of(&arguments.next()?)?;
    Ok(checked(check(&text, &file, &classes)))
}

#[inline(never)]
fn json_of(value: &Value) -> Result<Value, Problem> {
    let text = to_json(value).map_err(|error| Problem::new(&error))?;
    Ok(text.into())
}

#[inline(never)]
fn value_of(text: &str) -> Result<Value, Problem> {
    from_json(text).map_err(|error| Problem::new(&error))
}

#[inline(never)]
fn describe() -> Value {
    let names = Registry::builtin();
    dict([
        ("abi", Value::Int(ABI.into())),
        ("protocol", Value::Int(PROTOCOL)),
        ("version", env!("CARGO_PKG_VERSION").into()),
        (
            "node_types",
            names.names().map(Value::from).collect::<Vec<_>>().into(),
        ),
    ])
}

fn checked(checked: Checked) -> Value {
    let troubles = checked.troubles.into_iter().map(|trouble| {
        Value::Tuple(vec![
            trouble.place.into(),
            trouble.position.map_or(Value::Null, |at| count(at.line)),
            trouble.position.map_or(Value::Null, |at| count(at.column)),
            trouble.message.into(),
        ])
    });
    let kinds = checked.kinds.into_iter().map(Value::from);
    dict([
        (
            "manifest",
            checked
                .manifest
                .as_ref()
                .map_or(Value::Null, Manifest::to_value),
        ),
        ("kinds", kinds.collect::<Vec<_>>().into()),
        ("troubles", troubles.collect::<Vec<_>>().into()),
    ])
}

fn loaded(handle: i64, pipeline: &Pipeline) -> Value {
    let graph = pipeline.graph();
    let nodes = graph.nodes().map(|node| {
        Value::Tuple(vec![
            graph.id(node).into(),
            pipeline.is_python(node).into(),
            count(graph.level(node)),
        ])
    });
    dict([
        ("pipeline", handle.into()),
        ("manifest", pipeline.manifest().to_value()),
        (
            "input_data",
            pipeline.input_data().cloned().unwrap_or(Value::Null),
        ),
        ("takes_input", pipeline.takes_input().into()),
        ("nodes", nodes.collect::<Vec<_>>().into()),
    ])
}

#[inline(never)]
fn push(run: &mut Run, items: Vec<Value>) -> Result<Value, Problem> {
    let mut taken = 0;
    for item in items {
        let Value::Tuple(parts) = item else {
            return Err(Problem::odd("an item that is not a tuple"));
        };
        let Ok([value, session, timestamp]) = <[Value; 3]>::try_from(parts) else {
            return Err(Problem::odd("an item without its three parts"));
        };
        let session = match session {
            Value::Null => None,
            Value::Str(text) => Some(text.into()),
            _ => return Err(Problem::odd("a session that is not text")),
        };
        let timestamp = match timestamp {
            Value::Null => None,
            Value::Int(time) => Some(time),
            _ => {
                return Err(Problem::odd(
                    "a timestamp that is not a whole number of 64 bits",
                ));
            }
        };
        match run.push(value, session, timestamp) {
            Ok(_) => taken += 1,
            Err(PushError::Full(_) | PushError::Closed(_)) => break,
        }
    }
    Ok(Value::Int(taken))
}

#[inline(never)]
fn push_lines(run: &mut Run, lines: &[Value]) -> Result<Value, Problem> {
    let mut taken = 0;
    for line in lines {
        // Looked at first, so that a line is not read again each time there is no room for it.
        if !run.can_push() {
            break;
        }
        let text = line
            .as_str()
            .ok_or_else(|| Problem::odd("a line that is not text"))?;
        let (value, session, timestamp) = from_json_packet(text)
            .map_err(|error| Problem::new(&error).with("index", Value::Int(taken)))?;
        if run.push(value, session, timestamp).is_err() {
            break;
        }
        taken += 1;
    }
    Ok(Value::Int(taken))
}

#[inline(never)]
fn turn(run: &mut Run, steps: usize, most: usize, as_text: bool) -> Result<Value, Problem> {
    let mut outputs = Vec::new();
    let mut has_more = true;
    for _ in 0..steps {
        let mut gave = false;
        while outputs.len() < most
            && let Some(output) = run.take_output()
        {
            outputs.push(output_value(output, as_text)?);
            gave = true;
        }
        // What was taken may have made room.
        has_more = run.step() || gave;
        if !has_more {
            break;
        }
    }
    let (mut requests, mut sleeps, mut worked, mut reports) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    while let Some(event) = run.take_event() {
        match event {
            Event::Request(request) => requests.push(request_value(&request)?),
            Event::Sleep {
                ticket,
                duration,
                within,
            } => sleeps.push(sleep_value(ticket, duration, within)),
            Event::Worked { node, time } => {
                worked.push(Value::Tuple(vec![count(node.get()), time.into()]));
            }
            Event::Report { policy, failure } => reports.push(report_value(policy, &failure)),
        }
    }
    let (has_ended, failure) = match run.ending() {
        None => (false, Value::Null),
        Some(Ending::Finished) => (true, Value::Null),
        Some(Ending::Failed(failure)) => (true, failure.to_value()),
    };
    let flags = [has_more, run.can_push(), run.is_open(), has_ended];
    let flags = flags
        .iter()
        .rev()
        .fold(0, |flags, flag| flags << 1 | i64::from(*flag));
    Ok(Value::Tuple(vec![
        Value::List(outputs),
        Value::List(requests),
        Value::List(sleeps),
        Value::List(worked),
        Value::List(reports),
        Value::Int(flags),
        failure,
    ]))
}

#[inline(never)]
fn sleep_value(ticket: u64, duration: Duration, within: Option<Within>) -> Value {
    let (lane, spent) = within.map_or((Value::Null, 0.0), |Within { lane, spent }| {
        (count(lane), spent)
    });
    let seconds = duration.as_secs_f64();
    Value::Tuple(vec![ticket.into(), seconds.into(), lane, spent.into()])
}

#[inline(never)]
fn report_value(policy: Policy, failure: &RunFailure) -> Value {
    let policy = match policy {
        Policy::Skipped => "skipped",
        Policy::Stopped => "stopped",
        Policy::AsWell => "as well",
    };
    Value::Tuple(vec![policy.into(), failure.to_value()])
}

fn output_value(output: Output, as_text: bool) -> Result<Value, Problem> {
    let packet = output.packet;
    let value = if as_text {
        json_of(&packet.value)?
    } else {
        packet.value
    };
    Ok(Value::Tuple(vec![
        count(output.node.get()),
        output.output.as_deref().into(),
        value,
        packet.metadata.session.as_deref().into(),
        packet.metadata.timestamp_us.into(),
        packet.metadata.sequence.into(),
    ]))
}

#[inline(never)]
fn request_value(request: &Request) -> Result<Value, Problem> {
    let wire = marshal::to_wire(&request.arguments).map_err(|error| Problem::new(&error))?;
    let buffers = wire
        .buffers
        .iter()
        .map(|buffer| Value::Bytes(buffer.to_vec()));
    let buffers = buffers.collect::<Vec<_>>();
    Ok(Value::Tuple(vec![
        request.ticket.into(),
        count(request.lane),
        count(request.node.get()),
        Value::Int(i64::from(request.operation as u32)),
        request.is_ahead.into(),
        request.spent.into(),
        Value::Bytes(wire.payload),
        Value::List(buffers),
    ]))
}

/// `{node_type: (module, class, is_streaming, is_source)}`
fn classes_of(value: &Value) -> Result<Classes, Problem> {
    match value {
        Value::Dict(entries) if entries.is_empty() => Ok(Classes::new()),
        Value::Dict(entries) => some_classes(entries),
        _ => Err(Problem::odd("classes that are not a dictionary")),
    }
}

#[inline(never)]
fn some_classes(entries: &[(Value, Value)]) -> Result<Classes, Problem> {
    let class_of = |(node_type, class): &(Value, Value)| {
        let Value::Tuple(parts) = class else {
            return None;
        };
        let [
            module,
            class,
            Value::Bool(is_streaming),
            Value::Bool(is_source),
        ] = &parts[..]
        else {
            return None;
        };
        let class = PythonNode {
            module: module.as_str()?.to_owned(),
            class: class.as_str()?.to_owned(),
            is_async: false,
            is_streaming: *is_streaming,
            is_source: *is_source,
        };
        Some((node_type.as_str()?.to_owned(), class))
    };
    let classes = entries.iter().map(class_of).collect::<Option<_>>();
    classes.ok_or_else(|| Problem::odd("a class of another shape"))
}
