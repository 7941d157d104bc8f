//! The value that travels between nodes.
//!
//! A [`Value`] holds exactly what a plain Python value holds, so that an item crosses from a Rust node into Python and
//! back without a change: an integer stays an integer at any size, a tuple stays a tuple, a dictionary keeps its order.

use std::fmt::Write as _;

use num_bigint::BigInt;

use crate::media::{Audio, Tensor, VideoFrame};
use crate::nodes::FromParam as _;
use crate::{json, wtf8};

/// How many containers may be nested in one value, everywhere: JSON, marshal and manifests.
///
/// The readers and writers, `Clone`, `PartialEq` and `Drop` of a value all recurse, so the bound is what keeps a hostile
/// input from exhausting the stack; it is far above real data, and a stack of 2 MiB, a thread's default, is enough even in
/// an unoptimised build.
pub const MAX_DEPTH: usize = 256;

/// One item of a stream: JSON's kinds, and those of Python that JSON lacks.
///
/// `PartialEq` compares structure: `Int(1)`, `Float(1.0)` and `Bool(true)` all differ (Python holds them equal), the
/// order of a dictionary's entries counts, and as in IEEE 754 a NaN equals nothing, itself included, so that a value with
/// a NaN inside is unequal to its own clone.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Python's `None`, JSON's `null`.
    Null,
    /// A truth value; never a number here, although Python's `bool` is one.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// An integer outside the range of `i64`; smaller ones belong in [`Value::Int`] (see `From<BigInt>`).
    BigInt(BigInt),
    /// A floating-point number, NaN and infinities included.
    Float(f64),
    /// Text.
    Str(String),
    /// A Python `str` with lone surrogates, as UTF-8 in which surrogates are encoded too (`surrogatepass`); text without
    /// any belongs in [`Value::Str`].
    SurrogateStr(Vec<u8>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Python's `list`, JSON's array.
    List(Vec<Value>),
    /// Python's `tuple`.
    Tuple(Vec<Value>),
    /// Python's `dict` in insertion order; a key is a scalar or a tuple of such, and occurs once.
    Dict(Vec<(Value, Value)>),
    /// Sound; `remotemedia.Audio` in Python.
    Audio(Audio),
    /// A picture; `remotemedia.VideoFrame` in Python.
    Video(VideoFrame),
    /// Numbers in dimensions; `remotemedia.Tensor` in Python.
    Tensor(Tensor),
}

impl Value {
    /// The name of the value's Python type, for messages: `int`, `str`, `NoneType`, ...
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::BigInt(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) | Value::SurrogateStr(_) => "str",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::Audio(_) => "Audio",
            Value::Video(_) => "VideoFrame",
            Value::Tensor(_) => "Tensor",
        }
    }

    /// The value in a few words for an error message, for example `str "abc"` or `list of 3`; never long.
    pub fn describe(&self) -> String {
        const SHOWN: usize = 40;
        let detail = match self {
            Value::Null => return "None".to_owned(),
            Value::Bool(b) => return if *b { "bool True" } else { "bool False" }.to_owned(),
            Value::Int(i) => i.to_string(),
            Value::BigInt(i) => return format!("int of {} bits", i.bits()),
            Value::Float(f) => json::float_text(*f),
            Value::Str(s) => {
                let mut shown = String::from("\"");
                for c in s.chars().take(SHOWN) {
                    let _ = write!(shown, "{}", c.escape_debug());
                }
                shown.push_str(if s.chars().nth(SHOWN).is_some() {
                    "...\""
                } else {
                    "\""
                });
                shown
            }
            Value::SurrogateStr(_) => "with lone surrogates".to_owned(),
            Value::Bytes(b) => format!("of {}", b.len()),
            Value::List(l) | Value::Tuple(l) => format!("of {}", l.len()),
            Value::Dict(d) => format!("of {}", d.len()),
            Value::Audio(audio) => format!(
                "of {} frames, {} Hz, {} channels",
                audio.frames(),
                audio.sample_rate(),
                audio.channels()
            ),
            Value::Video(frame) => format!(
                "of {}x{} {}",
                frame.width(),
                frame.height(),
                frame.format().name()
            ),
            Value::Tensor(tensor) => {
                format!("of shape {:?}, {}", tensor.shape(), tensor.dtype().name())
            }
        };
        format!("{} {detail}", self.type_name())
    }

    /// The text of a [`Value::Str`].
    pub fn as_str(&self) -> Option<&str> {
        if let Value::Str(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The number of a [`Value::Int`]; `None` for an integer beyond 64 bits, and for every other kind, as `True` is no number
    /// here.
    pub fn as_i64(&self) -> Option<i64> {
        if let Value::Int(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// The number of a [`Value::Float`], or the float nearest to an integer, if it fits a float's range.
    pub fn as_f64(&self) -> Option<f64> {
        f64::from_param(self)
    }

    /// The value of a [`Value::Bool`].
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    /// The bytes of a [`Value::Bytes`].
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Value::Bytes(bytes) = self {
            Some(bytes)
        } else {
            None
        }
    }

    /// The items of a [`Value::List`] or a [`Value::Tuple`].
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Value::List(items) | Value::Tuple(items) = self {
            Some(items)
        } else {
            None
        }
    }

    /// The entries of a [`Value::Dict`], in their order; [`Value::get`] has one of them.
    pub fn as_dict(&self) -> Option<&[(Value, Value)]> {
        if let Value::Dict(entries) = self {
            Some(entries)
        } else {
            None
        }
    }

    /// The value under a text key of a [`Value::Dict`]; `None` for other kinds too.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let Value::Dict(entries) = self else {
            return None;
        };
        entries
            .iter()
            .find(|(k, _)| k.as_str() == Some(key))
            .map(|(_, value)| value)
    }

    /// Whether Python could use the value as a dictionary key: a scalar, or a tuple of such.
    pub fn is_hashable(&self) -> bool {
        match self {
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::BigInt(_)
            | Value::Float(_)
            | Value::Str(_)
            | Value::SurrogateStr(_)
            | Value::Bytes(_) => true,
            Value::Tuple(items) => items.iter().all(Value::is_hashable),
            Value::List(_)
            | Value::Dict(_)
            | Value::Audio(_)
            | Value::Video(_)
            | Value::Tensor(_) => false,
        }
    }

    /// Text from UTF-8 in which lone surrogates may be encoded: [`Value::Str`] when there are none, else
    /// [`Value::SurrogateStr`]; `None` when the bytes are neither.
    pub fn from_surrogate_utf8(bytes: Vec<u8>) -> Option<Value> {
        match String::from_utf8(bytes) {
            Ok(text) => Some(Value::Str(text)),
            Err(error) => {
                let bytes = error.into_bytes();
                wtf8::is_valid(&bytes).then_some(Value::SurrogateStr(bytes))
            }
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Value::Int(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Value::Int(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or_else(|_| Value::BigInt(value.into()), Value::Int)
    }
}

impl From<BigInt> for Value {
    /// [`Value::Int`] when it fits, else [`Value::BigInt`].
    fn from(value: BigInt) -> Self {
        i64::try_from(&value).map_or_else(|_| Value::BigInt(value), Value::Int)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Str(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Str(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Value::Bytes(value.to_owned())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Value::Bytes(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Self {
        Value::List(value)
    }
}

impl From<Vec<(Value, Value)>> for Value {
    fn from(value: Vec<(Value, Value)>) -> Self {
        Value::Dict(value)
    }
}

impl From<Audio> for Value {
    fn from(value: Audio) -> Self {
        Value::Audio(value)
    }
}

impl From<VideoFrame> for Value {
    fn from(value: VideoFrame) -> Self {
        Value::Video(value)
    }
}

impl From<Tensor> for Value {
    fn from(value: Tensor) -> Self {
        Value::Tensor(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{DType, PixelFormat};

    #[test]
    fn big_integers_are_normalised() {
        assert_eq!(Value::from(BigInt::from(i64::MIN)), Value::Int(i64::MIN));
        assert_eq!(Value::from(u64::MAX), Value::BigInt(BigInt::from(u64::MAX)));
        assert_eq!(
            Value::from(BigInt::from(i64::MAX) + 1),
            Value::BigInt(BigInt::from(i64::MAX) + 1)
        );
    }

    #[test]
    fn nan_is_unequal_to_itself() {
        let value = Value::List(vec![Value::Float(f64::NAN)]);
        assert_ne!(value, value.clone());
    }

    #[test]
    fn a_value_at_the_limit_is_cloned_compared_and_dropped() {
        let mut value = Value::Null;
        for _ in 0..MAX_DEPTH {
            value = Value::Dict(vec![(Value::from("k"), value)]);
        }
        assert_eq!(value.clone(), value);
    }

    #[test]
    fn what_is_inside_is_had_by_its_kind_alone() {
        assert_eq!(Value::Int(-1).as_i64(), Some(-1));
        assert_eq!(Value::from(u64::MAX).as_i64(), None);
        assert_eq!(Value::Bool(true).as_i64(), None);
        assert_eq!(Value::Float(1.0).as_i64(), None);
        assert_eq!(Value::Float(0.5).as_f64(), Some(0.5));
        assert_eq!(Value::Int(2).as_f64(), Some(2.0));
        assert_eq!(Value::from("2").as_f64(), None);
        assert_eq!(Value::Bool(true).as_bool(), Some(true));
        assert_eq!(Value::Int(1).as_bool(), None);
        assert_eq!(Value::from(&b"a"[..]).as_bytes(), Some(&b"a"[..]));
        assert_eq!(Value::from("a").as_bytes(), None);
        let items = vec![Value::Null];
        assert_eq!(Value::List(items.clone()).as_list(), Some(&*items));
        assert_eq!(Value::Tuple(items.clone()).as_list(), Some(&*items));
        let dict = Value::from(vec![(Value::from("k"), Value::Int(1))]);
        assert_eq!(dict.as_list(), None);
        assert_eq!(dict.as_dict().map(<[_]>::len), Some(1));
        assert_eq!(dict.get("k").and_then(Value::as_i64), Some(1));
        assert_eq!(Value::List(items).as_dict(), None);
    }

    #[test]
    fn descriptions_are_short() {
        assert_eq!(Value::from("a\"b").describe(), r#"str "a\"b""#);
        assert_eq!(
            Value::from("x".repeat(99)).describe().len(),
            "str \"...\"".len() + 40
        );
        assert_eq!(Value::List(vec![Value::Null]).describe(), "list of 1");
        assert_eq!(Value::Float(2.0).describe(), "float 2.0");
        let audio = Audio::new(vec![0.0; 4], 8000, 2).unwrap();
        assert_eq!(
            Value::from(audio).describe(),
            "Audio of 2 frames, 8000 Hz, 2 channels"
        );
        let frame = VideoFrame::new(vec![0; 2], 2, 1, PixelFormat::Gray8).unwrap();
        assert_eq!(Value::from(frame).describe(), "VideoFrame of 2x1 gray8");
        let tensor = Tensor::new(vec![0; 4], vec![2, 1], DType::I16).unwrap();
        assert_eq!(
            Value::from(tensor).describe(),
            "Tensor of shape [2, 1], i16"
        );
    }

    #[test]
    fn text_bytes_are_sorted_by_what_they_hold() {
        assert_eq!(
            Value::from_surrogate_utf8(b"a".to_vec()),
            Some(Value::from("a"))
        );
        let lone = b"a\xed\xa0\x80".to_vec();
        assert_eq!(
            Value::from_surrogate_utf8(lone.clone()),
            Some(Value::SurrogateStr(lone))
        );
        assert_eq!(Value::from_surrogate_utf8(b"\xff".to_vec()), None);
    }
}
