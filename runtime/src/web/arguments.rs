//! What JavaScript hands over, taken apart, and what it is told when that is wrong.

use super::Reply;
use super::failure::{count, dict, texts_of_causes};
use super::pipeline::LoadError;
use crate::manifest::{ManifestError, Position};
use crate::python::answer::read_answer;
use crate::value::Value;

/// The arguments of a call, taken one by one.
pub(super) struct Arguments(std::vec::IntoIter<Value>);

impl Arguments {
    pub(super) fn of(arguments: Value) -> Result<Self, Problem> {
        match arguments {
            Value::Tuple(arguments) => Ok(Self(arguments.into_iter())),
            _ => Err(Problem::odd("arguments that are not a tuple")),
        }
    }

    #[inline(never)]
    pub(super) fn next(&mut self) -> Result<Value, Problem> {
        self.0
            .next()
            .ok_or_else(|| Problem::odd("too few arguments"))
    }

    #[inline(never)]
    pub(super) fn text(&mut self) -> Result<String, Problem> {
        match self.next()? {
            Value::Str(text) => Ok(text),
            _ => Err(Problem::odd("an argument that is not text")),
        }
    }

    #[inline(never)]
    pub(super) fn int(&mut self) -> Result<i64, Problem> {
        match self.next()? {
            Value::Int(int) => Ok(int),
            _ => Err(Problem::odd("an argument that is not a whole number")),
        }
    }

    pub(super) fn count(&mut self) -> Result<usize, Problem> {
        usize::try_from(self.int()?).map_err(|_| Problem::odd("a count below 0"))
    }

    pub(super) fn ticket(&mut self) -> Result<u64, Problem> {
        u64::try_from(self.int()?).map_err(|_| Problem::odd("a ticket below 0"))
    }

    pub(super) fn bool(&mut self) -> Result<bool, Problem> {
        match self.next()? {
            Value::Bool(flag) => Ok(flag),
            _ => Err(Problem::odd("an argument that is not a truth value")),
        }
    }

    pub(super) fn list(&mut self) -> Result<Vec<Value>, Problem> {
        match self.next()? {
            Value::List(items) => Ok(items),
            _ => Err(Problem::odd("an argument that is not a list")),
        }
    }

    /// What an interpreter said: how long it took, marshal data and the buffers beside it.
    pub(super) fn reply(&mut self) -> Result<Reply, Problem> {
        let milliseconds = match self.next()? {
            Value::Float(milliseconds) => Some(milliseconds),
            Value::Int(milliseconds) => i32::try_from(milliseconds).ok().map(f64::from),
            _ => None,
        };
        let milliseconds = milliseconds.ok_or_else(|| Problem::odd("a time that is none"))?;
        let payload = match self.next()? {
            Value::Bytes(payload) => payload,
            Value::Null => return Ok(Reply::PassedOver),
            _ => return Err(Problem::odd("an answer that is not bytes")),
        };
        let buffers = self.list()?;
        let buffers = buffers.iter().map(|buffer| match buffer {
            Value::Bytes(bytes) => Some(bytes.as_slice()),
            _ => None,
        });
        let buffers = buffers.collect::<Option<Vec<_>>>();
        let buffers = buffers.ok_or_else(|| Problem::odd("a buffer that is not bytes"))?;
        Ok(Reply::Answer(read_answer(&payload, &buffers), milliseconds))
    }
}

impl Problem {
    #[inline(never)]
    pub(super) fn new(error: &dyn std::error::Error) -> Self {
        Self(dict([
            ("message", error.to_string().into()),
            ("causes", texts_of_causes(error)),
        ]))
    }

    /// A call that does not keep to the [shapes](super::calls::Call) of its arguments.
    #[inline(never)]
    pub(super) fn odd(what: &str) -> Self {
        let message = format!("a call from JavaScript has {what}");
        Self(dict([
            ("message", message.into()),
            ("causes", Value::List(Vec::new())),
        ]))
    }

    pub(super) fn into_value(self) -> Value {
        self.0
    }

    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        if let Value::Dict(entries) = &mut self.0 {
            entries.push((name.into(), value));
        }
        self
    }
}

/// What goes wrong in a call.
pub(super) struct Problem(Value);

impl From<LoadError> for Problem {
    #[inline(never)]
    fn from(error: LoadError) -> Self {
        let place = |at: &str, position: Option<Position>| {
            Value::Tuple(vec![
                at.into(),
                position.map_or(Value::Null, |at| count(at.line)),
                position.map_or(Value::Null, |at| count(at.column)),
            ])
        };
        let places = match &error {
            LoadError::Manifest(ManifestError::Syntax { position, .. }) => {
                vec![place("", Some(*position))]
            }
            LoadError::Manifest(ManifestError::Invalid { problems, .. }) => problems
                .iter()
                .map(|problem| place(&problem.place, problem.position))
                .collect(),
            LoadError::UnknownNodeType(error) => vec![place(&error.place, None)],
            LoadError::Shape(error) => vec![place(&error.place, None)],
            LoadError::Params { place: at, .. } => vec![place(at, None)],
            LoadError::Graph(_) => Vec::new(),
        };
        Self::new(&error).with("places", Value::List(places))
    }
}
