//! Quotients and remainders that Rust has otherwise than Python.

use num_bigint::{BigInt, BigUint, Sign};

/// Digits of a float's mantissa.
const MANTISSA: i64 = f64::MANTISSA_DIGITS as i64;

/// `left / right`: the float nearest to the exact quotient, or `None` if that is too large for a float.
///
/// Converting both sides first would round three times, and fail where only the quotient is small. This is CPython's
/// `long_true_divide`: the quotient's leading bits, two more than a float has, and whether anything is behind them.
pub(super) fn true_quotient(left: &BigInt, right: &BigInt) -> Option<f64> {
    let negative = (left.sign() == Sign::Minus) != (right.sign() == Sign::Minus);
    let magnitude = magnitude(left.magnitude(), right.magnitude())?;
    Some(if negative { -magnitude } else { magnitude })
}

fn magnitude(left: &BigUint, right: &BigUint) -> Option<f64> {
    let bits = |of: &BigUint| i64::try_from(of.bits()).expect("no number in memory is that long");
    // The quotient lies between 2^(order-1) and 2^(order+1).
    let order = bits(left) - bits(right);
    if order > i64::from(f64::MAX_EXP) {
        return None;
    }
    if left.bits() == 0 || order < i64::from(f64::MIN_EXP) - MANTISSA - 1 {
        return Some(0.0);
    }
    // Below the smallest exponent, floats have fewer digits.
    let shift = order.max(f64::MIN_EXP.into()) - MANTISSA - 2;
    let (left, right) = if shift < 0 {
        (left << shift.unsigned_abs(), right.clone())
    } else {
        (left.clone(), right << shift.unsigned_abs())
    };
    let quotient = &left / &right;
    let inexact = &quotient * &right != left;
    let quotient = u64::try_from(quotient).expect("two or three bits more than a mantissa");

    let length = i64::from(u64::BITS - quotient.leading_zeros());
    let extra = length.max(i64::from(f64::MIN_EXP) - shift) - MANTISSA;
    let half = 1_u64 << (extra - 1);
    let below_half = quotient & (half - 1) != 0 || inexact;
    let odd = quotient & (half << 1) != 0;
    let mut rounded = quotient & !((half << 1) - 1);
    if quotient & half != 0 && (below_half || odd) {
        rounded += half << 1;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "rounded to a float's digits already"
    )]
    let digits = rounded as f64;
    // In two steps, because the power of two alone may be no float.
    let shift = i32::try_from(shift).expect("between the exponents of floats");
    let result = digits * 2_f64.powi(shift / 2) * 2_f64.powi(shift - shift / 2);
    result.is_finite().then_some(result)
}

/// `left % right` with the sign of the divisor.
pub(super) fn int_modulo(left: &BigInt, right: &BigInt) -> BigInt {
    let remainder = left % right;
    if remainder.sign() != Sign::NoSign && remainder.sign() != right.sign() {
        remainder + right
    } else {
        remainder
    }
}

/// `left % right` with the sign of the divisor, also for zero.
pub(super) fn float_modulo(left: f64, right: f64) -> f64 {
    let remainder = left % right;
    if remainder == 0.0 {
        0.0_f64.copysign(right)
    } else if (remainder < 0.0) != (right < 0.0) {
        remainder + right
    } else {
        remainder
    }
}
