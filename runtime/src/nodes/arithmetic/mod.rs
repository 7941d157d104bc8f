//! The operations of `Calculator`, computed as Python computes them.

mod division;
#[cfg(test)]
mod tests;

use num_bigint::{BigInt, Sign};

use self::division::{float_modulo, int_modulo, true_quotient};
use super::number::{ADD, MULTIPLY, Number, SUBTRACT, required_float, to_int};
use super::{FromParam, NodeError};
use crate::value::Value;

/// The longest integer that a result may be, so that a short item cannot ask for more memory than there is.
pub(super) const MAX_BITS: u64 = 1 << 20;

/// What `Calculator` can compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Modulo,
}

impl Arithmetic {
    const ALL: [Self; 6] = [
        Self::Add,
        Self::Subtract,
        Self::Multiply,
        Self::Divide,
        Self::Power,
        Self::Modulo,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Subtract => "subtract",
            Self::Multiply => "multiply",
            Self::Divide => "divide",
            Self::Power => "power",
            Self::Modulo => "modulo",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.name() == name)
    }

    /// The operation that an item names.
    pub(super) fn of(value: &Value) -> Result<Self, NodeError> {
        let Some(name) = value.as_str() else {
            return Err(NodeError::input(Self::EXPECTED, value));
        };
        Self::from_name(name).ok_or_else(|| {
            NodeError::unknown_name("unknown operation", value, &Self::ALL.map(Self::name))
        })
    }

    pub(super) fn apply(self, left: &Number, right: &Number) -> Result<Value, NodeError> {
        let result = match self {
            Self::Add => ADD.apply(left.value(), right),
            Self::Subtract => SUBTRACT.apply(left.value(), right),
            Self::Multiply => MULTIPLY.apply(left.value(), right),
            Self::Divide => divide(left, right),
            Self::Power => power(left, right),
            Self::Modulo => modulo(left, right),
        }?;
        match &result {
            Value::BigInt(integer) if integer.bits() > MAX_BITS => Err(too_long()),
            _ => Ok(result),
        }
    }
}

impl FromParam for Arithmetic {
    const EXPECTED: &'static str =
        "one of `add`, `subtract`, `multiply`, `divide`, `power`, `modulo`";

    fn from_param(value: &Value) -> Option<Self> {
        Self::from_name(value.as_str()?)
    }
}

/// Two operands, both integers or, where one is a float, both floats.
enum Pair {
    Int(BigInt, BigInt),
    Float(f64, f64),
}

impl Pair {
    fn of(left: &Number, right: &Number) -> Result<Self, NodeError> {
        if let (Some(left), Some(right)) = (to_int(left.value()), to_int(right.value())) {
            return Ok(Self::Int(left, right));
        }
        Ok(Self::Float(
            required_float(left.value())?,
            required_float(right.value())?,
        ))
    }
}

fn divide(left: &Number, right: &Number) -> Result<Value, NodeError> {
    match Pair::of(left, right)? {
        Pair::Int(_, right) if right.sign() == Sign::NoSign => Err(division_by_zero()),
        Pair::Int(left, right) => true_quotient(&left, &right)
            .map(Value::Float)
            .ok_or_else(|| NodeError::failed("integer division result too large for a float")),
        Pair::Float(_, 0.0) => Err(division_by_zero()),
        Pair::Float(left, right) => Ok(Value::Float(left / right)),
    }
}

fn modulo(left: &Number, right: &Number) -> Result<Value, NodeError> {
    match Pair::of(left, right)? {
        Pair::Int(_, right) if right.sign() == Sign::NoSign => Err(division_by_zero()),
        Pair::Int(left, right) => Ok(int_modulo(&left, &right).into()),
        Pair::Float(_, 0.0) => Err(division_by_zero()),
        Pair::Float(left, right) => Ok(Value::Float(float_modulo(left, right))),
    }
}

fn power(left: &Number, right: &Number) -> Result<Value, NodeError> {
    match Pair::of(left, right)? {
        Pair::Int(base, exponent) if exponent.sign() != Sign::Minus => {
            int_power(&base, &exponent).map(Value::from)
        }
        Pair::Int(..) => float_power(
            required_float(left.value())?,
            required_float(right.value())?,
        ),
        Pair::Float(base, exponent) => float_power(base, exponent),
    }
}

fn int_power(base: &BigInt, exponent: &BigInt) -> Result<BigInt, NodeError> {
    if base.bits() <= 1 {
        // 0, 1 and -1 to any power are 0, 1 or -1; 0 to the power of 0 is 1.
        let odd = exponent.bit(0);
        let zeroth = exponent.sign() == Sign::NoSign;
        return Ok(if zeroth || (base.sign() == Sign::Minus && !odd) {
            BigInt::from(1)
        } else {
            base.clone()
        });
    }
    // A power has more bits than this product, and it is computed only if that is few.
    match u32::try_from(exponent) {
        Ok(exponent) if (base.bits() - 1).saturating_mul(exponent.into()) < MAX_BITS => {
            Ok(base.pow(exponent))
        }
        _ => Err(too_long()),
    }
}

fn float_power(base: f64, exponent: f64) -> Result<Value, NodeError> {
    if base == 0.0 && exponent < 0.0 && exponent.is_finite() {
        return Err(NodeError::failed("zero to a negative power"));
    }
    if base < 0.0 && base.is_finite() && exponent.is_finite() && exponent.fract() != 0.0 {
        return Err(NodeError::failed(
            "a negative number to a fractional power is a complex number, which no value is",
        ));
    }
    let result = base.powf(exponent);
    if result.is_infinite() && base.is_finite() && exponent.is_finite() {
        return Err(NodeError::failed("the power is too large for a float"));
    }
    Ok(Value::Float(result))
}

fn division_by_zero() -> NodeError {
    NodeError::failed("division by zero")
}

fn too_long() -> NodeError {
    NodeError::failed(format!("the result has more than {MAX_BITS} bits"))
}
