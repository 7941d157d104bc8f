//! What an interpreter answers to a request, whoever hosts it.

use super::exception::PythonException;
use crate::marshal::{self, MarshalError};
use crate::value::Value;

/// Why an answer is not the result that was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Python raised.
    #[error("{0}")]
    Exception(Box<PythonException>),
    /// It holds a value that has no counterpart outside Python. The operation
    /// [`Explain`](super::operation::Operation::Explain) says which.
    #[error("Python's answer cannot be read")]
    Unreadable(#[source] MarshalError),
    /// It is not of the form that answers have, or the guest reported a failure of its own.
    #[error("the Python engine misbehaved: {0}")]
    Protocol(String),
}

/// Read an answer and the buffers beside it.
///
/// # Errors
///
/// Python raised, or the answer is not one.
pub fn read_answer(answer: &[u8], buffers: &[&[u8]]) -> Result<Value, AnswerError> {
    // The shim's own report: no marshalled value starts with a zero byte.
    if let [0, text @ ..] = answer {
        return Err(AnswerError::Protocol(lossy(text)));
    }
    match marshal::from_wire(answer, buffers).map_err(AnswerError::Unreadable)? {
        Value::Tuple(parts) => match <[Value; 2]>::try_from(parts) {
            Ok([Value::Int(0), result]) => Ok(result),
            Ok([Value::Int(1), error]) => Err(AnswerError::Exception(Box::new(
                PythonException::from_value(&error),
            ))),
            _ => Err(AnswerError::Protocol("an answer of an unknown kind".into())),
        },
        _ => Err(AnswerError::Protocol("an answer that is not a pair".into())),
    }
}

pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
