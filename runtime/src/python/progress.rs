//! What a node gave in one go, and the shapes in which Python nodes say that.

use std::time::Duration;

use super::PythonNode;
use super::answer::AnswerError;
use crate::manifest::NodeSpec;
use crate::packet::{Emission, Packet};
use crate::value::Value;

/// What a node gave, and what is still to be done.
#[derive(Debug)]
pub struct Progress {
    /// What it gave, in order.
    pub outputs: Vec<Emission>,
    /// What is to be done next.
    pub step: Step,
}

impl Progress {
    /// Nothing was given, and nothing is left to do.
    pub const NOTHING: Self = Self {
        outputs: Vec::new(),
        step: Step::Done { wake: None },
    };
}

/// What is to be done next about a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The work is done. A node with a timer of its own wants to be resumed after a while, item or no item.
    Done {
        /// After how long.
        wake: Option<Duration>,
    },
    /// There is more where this came from: resume when there is room for it.
    More,
    /// Resume after a while.
    Waiting(Duration),
}

/// The arguments of [`Create`](super::operation::Operation::Create): a node of the manifest, and the class it is made of.
pub fn create_arguments(spec: &NodeSpec, class: &PythonNode) -> Vec<Value> {
    vec![
        spec.id.as_str().into(),
        class.module.as_str().into(),
        class.class.as_str().into(),
        spec.params.clone().into(),
        class.is_streaming.into(),
    ]
}

/// The arguments of [`Process`](super::operation::Operation::Process): a node and its next packet.
pub fn process_arguments(id: Value, packet: Packet) -> Vec<Value> {
    let Packet { value, metadata } = packet;
    vec![
        id,
        value,
        metadata.session.as_deref().into(),
        metadata.timestamp_us.into(),
        metadata.sequence.into(),
    ]
}

/// What a Python node answered; the shapes are described in the guest's `_rm_nodes.py`.
///
/// # Errors
///
/// [`AnswerError::Protocol`] for any other shape.
pub fn progress_of(answer: Value) -> Result<Progress, AnswerError> {
    let odd = |what: &str| AnswerError::Protocol(format!("a node's answer has {what}"));
    let (outputs, state, delay, envelopes) = match answer {
        Value::List(outputs) => (outputs, 0, None, Vec::new()),
        Value::Tuple(parts) => match <[Value; 4]>::try_from(parts) {
            Ok([Value::List(outputs), Value::Int(state), delay, envelopes]) => {
                let delay = match delay {
                    Value::Null => None,
                    Value::Float(seconds) => Some(Duration::try_from_secs_f64(seconds)),
                    Value::Int(seconds) => Some(Ok(Duration::from_secs(
                        seconds.try_into().unwrap_or_default(),
                    ))),
                    _ => return Err(odd("a strange delay")),
                };
                let delay = delay.transpose().map_err(|_| odd("a strange delay"))?;
                let envelopes = match envelopes {
                    Value::Null => Vec::new(),
                    Value::List(envelopes) => envelopes,
                    _ => return Err(odd("strange envelopes")),
                };
                (outputs, state, delay, envelopes)
            }
            _ => return Err(odd("an unknown form")),
        },
        other => return Err(odd(&format!("the type {}", other.type_name()))),
    };
    let mut outputs: Vec<Emission> = outputs.into_iter().map(Emission::new).collect();
    for envelope in envelopes {
        address(&mut outputs, envelope).ok_or_else(|| odd("a strange envelope"))?;
    }
    let step = match (state, delay) {
        (0, wake) => Step::Done { wake },
        (1, _) => Step::More,
        (2, Some(delay)) => Step::Waiting(delay),
        _ => return Err(odd("an unknown state")),
    };
    Ok(Progress { outputs, step })
}

/// Say of an output what its envelope says.
fn address(outputs: &mut [Emission], envelope: Value) -> Option<()> {
    let text = |value| match value {
        Value::Null => Some(None),
        Value::Str(text) => Some(Some(text.into())),
        _ => None,
    };
    let Value::Tuple(parts) = envelope else {
        return None;
    };
    let [Value::Int(index), output, session, timestamp_us] = <[Value; 4]>::try_from(parts).ok()?
    else {
        return None;
    };
    let emission = outputs.get_mut(usize::try_from(index).ok()?)?;
    emission.output = text(output)?;
    emission.session = text(session)?;
    emission.timestamp_us = match timestamp_us {
        Value::Null => None,
        Value::Int(time) => Some(time),
        _ => return None,
    };
    Some(())
}
