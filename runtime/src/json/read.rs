//! From JSON text to a value.

use num_bigint::BigInt;
use serde::Deserialize as _;
use serde::de::IgnoredAny;

use super::forms::unwrap_object;
use super::{JsonError, Misfit, Step, surrogates};
use crate::value::{MAX_DEPTH, Value};

/// The value that a JSON text stands for; the forms are those of the [module](super)'s table.
///
/// # Errors
/// [`JsonError::Syntax`] for text that is not JSON, [`JsonError::NoForm`] for an object that stands for something and
/// does not hold it, and for a number too large for a float, [`JsonError::TooDeep`] past [`MAX_DEPTH`].
pub fn from_json(text: &str) -> Result<Value, JsonError> {
    let (reader, tree) = Reader::open(text)?;
    Ok(reader.value(tree, 0)?)
}

/// The text as `serde_json`'s tree, whose numbers keep their digits.
pub(super) fn tree(text: &str) -> Result<serde_json::Value, JsonError> {
    if is_too_deep(text) {
        return Err(JsonError::TooDeep);
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // Its own limit is 128 levels; ours was just checked.
    deserializer.disable_recursion_limit();
    serde_json::Value::deserialize(&mut deserializer)
        .and_then(|tree| deserializer.end().map(|()| tree))
        .map_err(|error| syntax(text, &error))
}

/// Whether a text is JSON at all, but for escapes in its strings, for readers that build something else from it.
pub(crate) fn check(text: &str) -> Result<(), JsonError> {
    if is_too_deep(text) {
        return Err(JsonError::TooDeep);
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    IgnoredAny::deserialize(&mut deserializer)
        .and_then(|_| deserializer.end())
        .map_err(|error| syntax(text, &error))
}

pub(super) fn from_tree(tree: serde_json::Value) -> Result<Value, JsonError> {
    Ok(Reader { marked: false }.value(tree, 0)?)
}

/// Makes a value of a tree.
pub(super) struct Reader {
    /// Whether the tree's strings have marks instead of lone surrogates.
    marked: bool,
}

impl Reader {
    pub(super) fn open(text: &str) -> Result<(Self, serde_json::Value), JsonError> {
        let marked = surrogates::mark(text);
        let tree = tree(marked.as_deref().unwrap_or(text))?;
        let marked = marked.is_some();
        Ok((Self { marked }, tree))
    }

    pub(super) fn value(&self, tree: serde_json::Value, depth: usize) -> Result<Value, Misfit> {
        match tree {
            serde_json::Value::Null => Ok(Value::Null),
            serde_json::Value::Bool(b) => Ok(Value::Bool(b)),
            serde_json::Value::Number(n) => number(n.as_str()).map_err(Misfit::no_form),
            serde_json::Value::String(text) => Ok(self.text(text)),
            serde_json::Value::Array(_) | serde_json::Value::Object(_) if depth == MAX_DEPTH => {
                Err(Misfit::TooDeep)
            }
            serde_json::Value::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(index, item)| {
                    self.value(item, depth + 1)
                        .map_err(|misfit| misfit.inside(Step::Index(index)))
                })
                .collect::<Result<_, _>>()
                .map(Value::List),
            serde_json::Value::Object(map) => {
                let mut entries = Vec::with_capacity(map.len());
                for (key, item) in map {
                    let key = self.text(key);
                    match self.value(item, depth + 1) {
                        Ok(value) => entries.push((key, value)),
                        Err(misfit) => return Err(misfit.inside(Step::of(&key))),
                    }
                }
                unwrap_object(entries).map_err(Misfit::no_form)
            }
        }
    }

    fn text(&self, text: String) -> Value {
        if self.marked {
            surrogates::unmark(text)
        } else {
            Value::Str(text)
        }
    }
}

/// The text that a JSON string stands for.
#[inline(never)]
pub(crate) fn string(text: &str) -> Result<String, JsonError> {
    serde_json::from_str(text).map_err(|error| syntax(text, &error))
}

/// The value of a JSON number: an integer when it has neither point nor exponent; `Err` is a message.
pub(crate) fn number(text: &str) -> Result<Value, String> {
    if !text.contains(['.', 'e', 'E']) {
        if let Ok(small) = text.parse::<i64>() {
            return Ok(Value::Int(small));
        }
        return large_integer(text);
    }
    float(text)
}

#[inline(never)]
fn large_integer(text: &str) -> Result<Value, String> {
    let not_a_number = || format!("{text} is not a number");
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(not_a_number());
    }
    let number = integer_of(digits).ok_or_else(not_a_number)?;
    Ok(Value::from(if is_negative { -number } else { number }))
}

/// How many digits are read in one go, which takes time that grows with their square.
const DIGITS_AT_ONCE: usize = 2048;

/// The integer of decimal digits. Many are read in parts, and these put together two by two: that is multiplying large
/// numbers, which does not take quadratic time as reading digit by digit does.
fn integer_of(digits: &str) -> Option<BigInt> {
    let mut parts = Vec::new();
    let (mut end, mut power) = (digits.len(), BigInt::from(10).pow(2048));
    // From the lowest digits to the highest.
    while end > 0 {
        let start = end.saturating_sub(DIGITS_AT_ONCE);
        parts.push(digits[start..end].parse::<BigInt>().ok()?);
        end = start;
    }
    while parts.len() > 1 {
        let mut joined = Vec::with_capacity(parts.len().div_ceil(2));
        let mut pairs = parts.into_iter();
        while let Some(low) = pairs.next() {
            joined.push(match pairs.next() {
                Some(high) => high * &power + low,
                None => low,
            });
        }
        parts = joined;
        if parts.len() > 1 {
            power = &power * &power;
        }
    }
    parts.pop()
}

#[inline(never)]
fn float(text: &str) -> Result<Value, String> {
    match text.parse::<f64>() {
        Ok(float) if float.is_finite() => Ok(Value::Float(float)),
        Ok(_) => Err(format!("{text} is too large for a float")),
        Err(_) => Err(format!("{text} is not a number")),
    }
}

/// Whether brackets nest too deep. `serde_json` stops at the first error, so up to where it reads this count is exact.
fn is_too_deep(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => {
                            bytes.next();
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    false
}

/// `serde_json`'s error with the column in characters.
fn syntax(text: &str, error: &serde_json::Error) -> JsonError {
    let (line, bytes) = (error.line(), error.column());
    let message = error.to_string();
    let message = message
        .strip_suffix(&format!(" at line {line} column {bytes}"))
        .unwrap_or(&message);
    let line_text = text
        .split('\n')
        .nth(line.saturating_sub(1))
        .unwrap_or_default();
    let before = &line_text.as_bytes()[..bytes.min(line_text.len())];
    // The column counts bytes up to and including the offending one; only whole characters end there.
    let column = before
        .iter()
        .filter(|byte| (**byte & 0xC0) != 0x80)
        .count()
        .max(1);
    JsonError::Syntax {
        line: line.max(1),
        column,
        message: message.to_owned(),
    }
}
