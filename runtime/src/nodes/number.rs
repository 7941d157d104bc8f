//! Arithmetic as Python does it.

use num_bigint::BigInt;

use super::{FromParam, NodeError};
use crate::value::Value;

/// A value known to be an `int` or a `float`.
#[derive(Clone, Debug)]
pub(super) struct Number(Value);

impl Number {
    /// The number of a value; `None` for other kinds, `bool` among them.
    pub(super) fn of(value: &Value) -> Option<Self> {
        is_number(value).then(|| Number(value.clone()))
    }

    pub(super) fn value(&self) -> &Value {
        &self.0
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Value::Int(value))
    }
}

impl FromParam for Number {
    const EXPECTED: &'static str = "a number";

    fn from_param(value: &Value) -> Option<Self> {
        Self::of(value)
    }
}

pub(super) const ADD: Operation = Operation {
    small: i64::checked_add,
    big: |left, right| left + right,
    float: |left, right| left + right,
};

pub(super) const SUBTRACT: Operation = Operation {
    small: i64::checked_sub,
    big: |left, right| left - right,
    float: |left, right| left - right,
};

pub(super) const MULTIPLY: Operation = Operation {
    small: i64::checked_mul,
    big: |left, right| left * right,
    float: |left, right| left * right,
};

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
        Ok(Value::Float((self.float)(
            required_float(left)?,
            required_float(right)?,
        )))
    }
}

/// Python counts `bool` among the integers; in data it is a mistake.
fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::BigInt(_) | Value::Float(_))
}

/// A number as a float, or Python's words for one that is too large.
pub(super) fn required_float(value: &Value) -> Result<f64, NodeError> {
    to_float(value).ok_or_else(|| NodeError::failed("int too large to convert to float"))
}

pub(super) fn to_int(value: &Value) -> Option<BigInt> {
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
        Value::BigInt(value) if value.bits() > 1024 => None,
        Value::BigInt(value) => value
            .to_string()
            .parse()
            .ok()
            .filter(|float: &f64| float.is_finite()),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}
