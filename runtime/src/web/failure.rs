//! Why a run failed, or what a node did not survive.

use std::error::Error;

use crate::causes;
pub use crate::driver::Moment;
use crate::nodes::NodeError;
use crate::python::PythonException;
use crate::python::exception::Frame;
use crate::value::Value;

/// A node's failure, in the words of the native runtime.
#[derive(Debug, thiserror::Error)]
#[error("node `{node}` {moment}")]
pub struct RunFailure {
    /// The node's id.
    pub node: String,
    /// What it was at.
    pub moment: Moment,
    /// What happened in it.
    #[source]
    pub cause: Cause,
}

/// What happened in a node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// A Rust node says so.
    #[error(transparent)]
    Rust(#[from] NodeError),
    /// Python raised.
    #[error("{0}")]
    Exception(Box<PythonException>),
    /// The interpreter's answer cannot be read.
    #[error("Python's answer cannot be read: {0}")]
    Unreadable(String),
    /// The interpreter misbehaved or is gone, and with it the node.
    #[error("{0}")]
    Gone(String),
}

impl Cause {
    /// Whether what the node knew is lost, and only a fresh one can go on.
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Rust(_) | Self::Exception(_) | Self::Unreadable(_) => false,
            Self::Gone(_) => true,
        }
    }
}

impl RunFailure {
    /// As data for JavaScript; see [`calls`](super::calls).
    #[inline(never)]
    pub(super) fn to_value(&self) -> Value {
        let item = match self.moment {
            Moment::Item(number) => Value::from(number + 1),
            Moment::Start | Moment::Between(_) | Moment::Source | Moment::End | Moment::Cleanup => {
                Value::Null
            }
        };
        let exception = match &self.cause {
            Cause::Exception(exception) => exception_value(exception),
            Cause::Rust(_) | Cause::Unreadable(_) | Cause::Gone(_) => Value::Null,
        };
        dict([
            ("message", self.to_string().into()),
            ("node", self.node.as_str().into()),
            ("item", item),
            ("causes", texts_of_causes(self)),
            ("exception", exception),
        ])
    }
}

fn exception_value(exception: &PythonException) -> Value {
    let frames = exception.frames.iter().filter_map(|frame| match frame {
        Frame::Line {
            file,
            line,
            function,
        } => Some(Value::Tuple(vec![
            file.as_str().into(),
            Value::Int(*line),
            function.as_str().into(),
        ])),
        Frame::Omitted(_) => None,
    });
    dict([
        ("type", exception.kind.as_str().into()),
        ("message", exception.message.as_str().into()),
        ("frames", Value::List(frames.collect())),
    ])
}

/// What caused an error, from the outermost on.
#[inline(never)]
pub(super) fn texts_of_causes(error: &dyn Error) -> Value {
    let texts = causes(error).map(|cause| Value::from(cause.to_string()));
    Value::List(texts.collect())
}

/// A dictionary with text keys.
pub(super) fn dict<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Dict(entries.map(|(key, value)| (key.into(), value)).into())
}

/// A number of things, or of a thing.
pub(super) fn count(count: usize) -> Value {
    Value::from(count as u64)
}
