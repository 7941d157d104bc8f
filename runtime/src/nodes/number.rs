//! Arithmetic as Python does it.

use num_bigint::BigInt;

use super::{FromParam, NodeError};
use crate::value::Value;

/// A value known to be an `int` or a `float`.
#[derive(Clone, Debug)]
pub(super) struct Number(Value);

impl FromParam for Number {
    const EXPECTED: &'static str = "a number";

    fn from_param(value: &Value) -> Option<Self> {
        is_number(value).then(|| Number(value.clone()))
    }
}

/// One operation in the three forms that it takes.
pub(super) struct Operation {
    /// On small integers; `None` when the result is not small.
    pub(super) small: fn(i64, i64) -> Option<i64>,
    pub(super) big: fn(BigInt, BigInt) -> BigInt,
    pub(super) float: fn(f64, f64) -> f64,
}

impl Operation {
    /// The operation on a value that came and a number.
    pub(super) fn apply(&self, left: &Value, Number(right): &Number) -> Result<Value, NodeError> {
        if !is_number(left) {
            return Err(NodeError::input("a number (int or float)", left));
        }
        if let (Value::Int(left), Value::Int(right)) = (left, right)
            && let Some(result) = (self.small)(*left, *right)
        {
            return Ok(Value::Int(result));
        }
        if let (Some(left), Some(right)) = (to_int(left), to_int(right)) {
            return Ok(Value::from((self.big)(left, right)));
        }
        let float = |value| {
            to_float(value).ok_or_else(|| NodeError::failed("int too large to convert to float"))
        };
        Ok(Value::Float((self.float)(float(left)?, float(right)?)))
    }
}

/// Python counts `bool` among the integers; in data it is a mistake.
fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::BigInt(_) | Value::Float(_))
}

fn to_int(value: &Value) -> Option<BigInt> {
    match value {
        Value::Int(value) => Some(BigInt::from(*value)),
        Value::BigInt(value) => Some(value.clone()),
        _ => None,
    }
}

/// The nearest float; `None` for what is no number or too large.
pub(super) fn to_float(value: &Value) -> Option<f64> {
    match value {
        #[expect(
            clippy::cast_precision_loss,
            reason = "the cast rounds to the nearest float, as Python does"
        )]
        Value::Int(value) => Some(*value as f64),
        // The way by text rounds to the nearest float as well.
        Value::BigInt(value) => value
            .to_string()
            .parse()
            .ok()
            .filter(|float: &f64| float.is_finite()),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}
