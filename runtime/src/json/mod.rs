//! Values as JSON text, the form in which items enter and leave on the command line and params stand in a manifest.
//!
//! What JSON has is written as JSON: `5` is an [`Value::Int`], `5.0` a [`Value::Float`], integers are exact at any size,
//! floats print as Python prints them, object keys keep their order. What JSON lacks is written so that nothing is
//! lost in silence:
//!
//! | value | JSON |
//! |---|---|
//! | tuple | array (reads back as a list) |
//! | bytes | `{"$bytes": BASE64}`, padded |
//! | NaN, infinities | `{"$float": "nan"}`, `"inf"`, `"-inf"`; all NaNs are alike |
//! | sound | `{"$audio": {"sample_rate": 16000, "channels": 1, "samples": BASE64}}`, of 32-bit little-endian floats |
//! | picture | `{"$video": {"width": 2, "height": 1, "format": "rgb24", "data": BASE64}}` |
//! | tensor | `{"$tensor": {"shape": [2, 3], "dtype": "f32", "data": BASE64}}` |
//! | dictionary whose only key is text that begins with `$` | `{"$dict": [[KEY, VALUE]]}`, a list of pairs |
//! | `None`, `bool`, `int`, `float` as a key | text, as Python's `json.dumps` does: `null`, `true`, `5`, `5.0`, `NaN` |
//! | bytes or a tuple as a key | an error that names the place |
//! | text with lone surrogates | `\udXXX` escapes, of which a high and a low one in a row read back as one character |
//!
//! An object is read back as what it stands for if `$bytes`, `$float`, `$audio`, `$video`, `$tensor` or `$dict` is its
//! only key. `$dict` holds any number of pairs, whose keys may also be numbers, `null`, truth values and bytes. As in
//! Python, the last value wins where a key is repeated. Lone surrogates are read by [`from_json`] and not by serde, whose
//! text cannot hold them.
//!
//! ```
//! use rm_runtime::json::{from_json, to_json};
//!
//! let value = from_json(r#"{"n": 5, "x": 5.0, "raw": {"$bytes": "AAH/"}}"#)?;
//! assert_eq!(to_json(&value)?, r#"{"n":5,"x":5.0,"raw":{"$bytes":"AAH/"}}"#);
//! # Ok::<(), rm_runtime::json::JsonError>(())
//! ```

mod float;
mod forms;
mod packet;
mod read;
mod surrogates;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::{MAX_DEPTH, Value};
use crate::wtf8;

pub(crate) use float::float_text;
pub(crate) use forms::unwrap_object;
pub use packet::from_json_packet;
pub use read::from_json;
pub(crate) use read::{check, number, string};
pub use write::to_json;

/// Why a text is not JSON, or a value has no JSON form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The text is not JSON.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// Arrays and objects are nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// Well-formed JSON that stands for no value, or a value that has no JSON form.
    #[error("{place}: {message}")]
    NoForm {
        /// Where in the value, from `$`: for example `$.a[3]`.
        place: String,
        /// What is there and what could be.
        message: String,
    },
}

/// What goes wrong inside a value; the place is put together on the way out.
#[derive(Debug)]
enum Misfit {
    TooDeep,
    NoForm {
        message: String,
        inner_first: Vec<Step>,
    },
}

#[derive(Debug)]
enum Step {
    Index(usize),
    Key(String),
}

impl Misfit {
    fn no_form(message: impl Into<String>) -> Self {
        Misfit::NoForm {
            message: message.into(),
            inner_first: Vec::new(),
        }
    }

    /// Notes that the misfit lies inside an item of a container.
    fn inside(mut self, step: Step) -> Self {
        if let Misfit::NoForm { inner_first, .. } = &mut self {
            inner_first.push(step);
        }
        self
    }
}

impl Step {
    /// The way to what lies under a key.
    fn of(key: &Value) -> Self {
        Step::Key(match key {
            Value::Str(text) => text.clone(),
            Value::SurrogateStr(bytes) => wtf8::to_string_lossy(bytes),
            Value::Float(float) => float_text(*float),
            Value::Null => "null".to_owned(),
            Value::Bool(b) => b.to_string(),
            Value::Int(i) => i.to_string(),
            Value::BigInt(i) => i.to_string(),
            Value::Bytes(_)
            | Value::List(_)
            | Value::Tuple(_)
            | Value::Dict(_)
            | Value::Audio(_)
            | Value::Video(_)
            | Value::Tensor(_) => key.describe(),
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => {
                let plain = !key.is_empty()
                    && key
                        .chars()
                        .all(|c| c.is_alphanumeric() || c == '_' || c == '$');
                if plain {
                    write!(f, ".{key}")
                } else {
                    write!(f, "[{key:?}]")
                }
            }
        }
    }
}

impl From<Misfit> for JsonError {
    fn from(misfit: Misfit) -> Self {
        match misfit {
            Misfit::TooDeep => JsonError::TooDeep,
            Misfit::NoForm {
                message,
                inner_first,
            } => {
                let steps = inner_first.iter().rev().map(Step::to_string);
                JsonError::NoForm {
                    place: std::iter::once("$".to_owned()).chain(steps).collect(),
                    message,
                }
            }
        }
    }
}

impl Serialize for Value {
    /// Serialises the value's JSON form, for embedding in a document; [`to_json`] is the direct way to text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // By way of text, because there the one writer decides; documents that embed values are small.
        let text = to_json(self).map_err(S::Error::custom)?;
        read::tree(&text)
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tree = serde_json::Value::deserialize(deserializer)?;
        read::from_tree(tree).map_err(D::Error::custom)
    }
}
