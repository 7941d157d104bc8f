//! Values as JSON text, the form in which items enter and leave on the command line and params stand in a manifest.
//!
//! What JSON has is written as JSON: `5` is an [`Value::Int`], `5.0` a [`Value::Float`], integers are exact at any size,
//! floats print as Python prints them, object keys keep their order. What JSON lacks is written so that nothing is
//! lost in silence:
//!
//! | value | JSON |
//! |---|---|
//! | tuple | array (reads back as a list) |
//! | bytes | `{"$bytes": "<base64, padded>"}` |
//! | NaN, infinities | `{"$float": "nan"}`, `"inf"`, `"-inf"` |
//! | `None`, `bool`, `int`, `float` as a key | text, as Python's `json.dumps` does: `null`, `true`, `5`, `5.0`, `NaN` |
//! | bytes or a tuple as a key | an error that names the place |
//! | text with lone surrogates | `\udXXX` escapes (an error when read) |
//!
//! An object with `$bytes` or `$float` as its only key is read back as what it stands for; a dictionary that merely looks
//! like one is therefore not carried faithfully. As in Python, an object's last value wins where a key is repeated.
//!
//! ```
//! use rm_runtime::json::{from_json, to_json};
//!
//! let value = from_json(r#"{"n": 5, "x": 5.0, "raw": {"$bytes": "AAH/"}}"#)?;
//! assert_eq!(to_json(&value)?, r#"{"n":5,"x":5.0,"raw":{"$bytes":"AAH/"}}"#);
//! # Ok::<(), rm_runtime::json::JsonError>(())
//! ```

mod float;
mod read;
mod write;

use std::fmt;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::{MAX_DEPTH, Value};

pub(crate) use float::float_text;
pub use read::from_json;
pub(crate) use read::{check, number, unwrap_object};
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

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;

    use super::*;

    #[track_caller]
    fn same(text: &str) {
        assert_eq!(to_json(&from_json(text).unwrap()).unwrap(), text);
    }

    #[track_caller]
    fn message(result: Result<impl fmt::Debug, JsonError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn text_is_kept() {
        same("null");
        same(
            "[true,false,null,0,-1,9223372036854775807,9223372036854775808,-123456789012345678901234567890]",
        );
        same("[0.1,5.0,-0.0,1e+16,1.5e-07,123456789012345.0]");
        same(r#"{"z":1,"a":{"é":"日本 😀"},"":[]}"#);
        same(r#""quote \" slash \\ / \b\t\n\f\r \u0000 \u001f""#);
        same(r#"{"$bytes":"AAH/"}"#);
        same(r#"[{"$float":"nan"},{"$float":"inf"},{"$float":"-inf"}]"#);
    }

    #[test]
    fn kinds_are_told_apart() {
        assert_eq!(from_json("5"), Ok(Value::Int(5)));
        assert_eq!(from_json("-0"), Ok(Value::Int(0)));
        assert_eq!(from_json("5.0"), Ok(Value::Float(5.0)));
        assert_eq!(from_json("5e0"), Ok(Value::Float(5.0)));
        assert_eq!(
            from_json("9223372036854775808"),
            Ok(Value::BigInt(BigInt::from(1_u64 << 63)))
        );
        assert_eq!(from_json("-9223372036854775808"), Ok(Value::Int(i64::MIN)));
        assert_eq!(from_json(r#"{"$bytes":""}"#), Ok(Value::Bytes(vec![])));
        // Only alone do the two keys mean something.
        let pair = from_json(r#"{"$bytes":"","a":1}"#).unwrap();
        assert_eq!(pair.get("$bytes"), Some(&Value::from("")));
    }

    #[test]
    fn keys_are_written_as_python_does() {
        let keys = [
            Value::Null,
            Value::Bool(true),
            Value::Int(-5),
            Value::from(u64::MAX),
            Value::Float(2.0),
            Value::Float(f64::NAN),
            Value::Float(f64::NEG_INFINITY),
            Value::from("s"),
        ];
        let dict = Value::Dict(keys.into_iter().map(|key| (key, Value::Null)).collect());
        assert_eq!(
            to_json(&dict).unwrap(),
            r#"{"null":null,"true":null,"-5":null,"18446744073709551615":null,"2.0":null,"NaN":null,"-Infinity":null,"s":null}"#
        );
    }

    #[test]
    fn what_json_lacks() {
        assert_eq!(to_json(&Value::Tuple(vec![Value::Int(1)])).unwrap(), "[1]");
        let lone = Value::SurrogateStr(b"a\xed\xa0\x80\"\xed\xb0\x80".to_vec());
        assert_eq!(to_json(&lone).unwrap(), r#""a\ud800\"\udc00""#);
        assert_eq!(
            message(to_json(&Value::SurrogateStr(vec![0xFF]))),
            "$: text that is neither UTF-8 nor surrogates, at byte 0"
        );
    }

    #[test]
    fn errors_name_the_place() {
        let key = Value::Dict(vec![(Value::Tuple(vec![]), Value::Null)]);
        let nested = Value::Dict(vec![
            (Value::from("ok"), Value::Null),
            (
                Value::from("a"),
                Value::List(vec![
                    Value::Null,
                    Value::Dict(vec![(Value::from("b c"), key)]),
                ]),
            ),
        ]);
        assert_eq!(
            message(to_json(&nested)),
            r#"$.a[1]["b c"]: a tuple cannot be an object key in JSON"#
        );
        assert_eq!(
            message(from_json(r#"[0, {"x": {"$bytes": "A"}}]"#)),
            "$[1].x: `$bytes` must hold padded base64 (Invalid input length: 1)"
        );
        assert_eq!(
            message(from_json(r#"{"x": {"$float": "5"}}"#)),
            r#"$.x: `$float` must be "nan", "inf" or "-inf", found str "5""#
        );
        assert_eq!(
            message(from_json("[1e400]")),
            "$[0]: 1e+400 is too large for a float"
        );
    }

    #[test]
    fn syntax_errors_have_a_line_and_column() {
        assert_eq!(
            message(from_json("{\n  \"é\": x\n}")),
            "line 2, column 8: expected value"
        );
        assert_eq!(
            message(from_json("[1,")),
            "line 1, column 3: EOF while parsing a value"
        );
        assert_eq!(
            message(from_json("1 2")),
            "line 1, column 3: trailing characters"
        );
        assert!(message(from_json("")).starts_with("line 1, column 1: EOF"));
        for text in [
            r#""\ud800""#,
            "NaN",
            "01",
            "[1,]",
            "'a'",
            "\"\n\"",
            "// c\n1",
        ] {
            assert!(
                matches!(from_json(text), Err(JsonError::Syntax { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        same(&deep(MAX_DEPTH));
        assert_eq!(from_json(&deep(MAX_DEPTH + 1)), Err(JsonError::TooDeep));
        assert_eq!(
            from_json(&"{\"a\":".repeat(1_000_000)),
            Err(JsonError::TooDeep)
        );
        // Brackets inside strings nest nothing, nor does a quote that is escaped end one.
        same(&format!("[\"{}\\\"[[\",\"\\\\\"]", "[".repeat(MAX_DEPTH)));
        let too_deep = Value::List(vec![from_json(&deep(MAX_DEPTH)).unwrap()]);
        assert_eq!(to_json(&too_deep), Err(JsonError::TooDeep));
    }

    #[test]
    fn values_embed_in_serde_documents() {
        let value =
            from_json(r#"{"b":[1,2.50,18446744073709551616],"a":{"$bytes":"AA=="}}"#).unwrap();
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(
            text,
            r#"{"b":[1,2.5,18446744073709551616],"a":{"$bytes":"AA=="}}"#
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
