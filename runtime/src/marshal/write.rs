//! From a value to bytes.

use num_bigint::{BigInt, Sign};

use super::{DIGIT_BITS, MarshalError, deeper};
use crate::value::Value;
use crate::wtf8;

/// The value as bytes that `marshal.loads` reads.
///
/// # Errors
/// [`MarshalError::TooDeep`], [`MarshalError::UnhashableKey`], [`MarshalError::TooLong`], [`MarshalError::BadText`].
pub fn to_marshal(value: &Value) -> Result<Vec<u8>, MarshalError> {
    let mut out = Vec::new();
    write(value, 0, &mut out)?;
    Ok(out)
}

fn write(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), MarshalError> {
    match value {
        Value::Null => out.push(b'N'),
        Value::Bool(true) => out.push(b'T'),
        Value::Bool(false) => out.push(b'F'),
        Value::Int(i) => match i32::try_from(*i) {
            Ok(small) => {
                out.push(b'i');
                out.extend(small.to_le_bytes());
            }
            Err(_) => write_long(&BigInt::from(*i), out)?,
        },
        Value::BigInt(i) => match i32::try_from(i) {
            Ok(small) => {
                out.push(b'i');
                out.extend(small.to_le_bytes());
            }
            Err(_) => write_long(i, out)?,
        },
        Value::Float(f) => {
            out.push(b'g');
            out.extend(f.to_le_bytes());
        }
        Value::Str(text) => write_bytes(b'u', text.as_bytes(), value, out)?,
        Value::SurrogateStr(bytes) => {
            if !wtf8::is_valid(bytes) {
                return Err(MarshalError::BadText);
            }
            write_bytes(b'u', bytes, value, out)?;
        }
        Value::Bytes(bytes) => write_bytes(b's', bytes, value, out)?,
        Value::List(items) | Value::Tuple(items) => {
            let depth = deeper(depth)?;
            out.push(if matches!(value, Value::List(_)) {
                b'['
            } else {
                b'('
            });
            write_length(items.len(), value.type_name(), out)?;
            for item in items {
                write(item, depth, out)?;
            }
        }
        Value::Dict(entries) => {
            let depth = deeper(depth)?;
            out.push(b'{');
            for (key, value) in entries {
                if !key.is_hashable() {
                    return Err(MarshalError::UnhashableKey {
                        type_name: key.type_name(),
                    });
                }
                write(key, depth, out)?;
                write(value, depth, out)?;
            }
            out.push(b'0');
        }
        Value::Audio(_) | Value::Video(_) | Value::Tensor(_) => {
            return Err(MarshalError::BadText);
        }
    }
    Ok(())
}

fn write_length(
    length: usize,
    type_name: &'static str,
    out: &mut Vec<u8>,
) -> Result<(), MarshalError> {
    let short = i32::try_from(length).map_err(|_| MarshalError::TooLong { type_name, length })?;
    out.extend(short.to_le_bytes());
    Ok(())
}

fn write_bytes(
    code: u8,
    bytes: &[u8],
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<(), MarshalError> {
    out.reserve(bytes.len() + 5);
    out.push(code);
    write_length(bytes.len(), value.type_name(), out)?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// A sign, a count, and 15-bit digits from the least significant on.
fn write_long(value: &BigInt, out: &mut Vec<u8>) -> Result<(), MarshalError> {
    let length =
        usize::try_from(value.bits().div_ceil(u64::from(DIGIT_BITS))).unwrap_or(usize::MAX);
    let count = i32::try_from(length).map_err(|_| MarshalError::TooLong {
        type_name: "int",
        length,
    })?;
    out.push(b'l');
    out.extend(
        if value.sign() == Sign::Minus {
            -count
        } else {
            count
        }
        .to_le_bytes(),
    );
    let mut held = 0_u32;
    let mut held_bits = 0;
    let mut written = 0;
    for byte in value.magnitude().to_bytes_le() {
        held |= u32::from(byte) << held_bits;
        held_bits += 8;
        if held_bits >= DIGIT_BITS {
            push_digit(held, out);
            written += 1;
            held >>= DIGIT_BITS;
            held_bits -= DIGIT_BITS;
        }
    }
    // What is held past the last digit is either that digit or the zeros above it.
    if written < length {
        push_digit(held, out);
    }
    Ok(())
}

fn push_digit(held: u32, out: &mut Vec<u8>) {
    let digit = held & ((1 << DIGIT_BITS) - 1);
    out.extend_from_slice(&digit.to_le_bytes()[..2]);
}
