//! From a value to bytes.

use num_bigint::{BigInt, Sign};

use super::{BUFFER_BYTES, DIGIT_BITS, MarshalError, Wire, deeper};
use crate::value::Value;
use crate::wtf8;

/// The value as bytes that `marshal.loads` reads.
///
/// # Errors
/// [`MarshalError::TooDeep`], [`MarshalError::UnhashableKey`], [`MarshalError::TooLong`], [`MarshalError::BadText`], and
/// [`MarshalError::NeedsWire`] for sound, pictures and tensors, which [`to_wire`] carries.
pub fn to_marshal(value: &Value) -> Result<Vec<u8>, MarshalError> {
    let mut writer = Writer {
        out: Vec::new(),
        buffers: None,
    };
    writer.value(value, 0, Place::Ordinary)?;
    Ok(writer.out)
}

/// The value as marshal data with its large buffers beside it, for [`from_wire`](super::from_wire) and its like in
/// Python.
///
/// # Errors
/// [`MarshalError::TooDeep`], [`MarshalError::UnhashableKey`], [`MarshalError::TooLong`], [`MarshalError::BadText`].
pub fn to_wire(value: &Value) -> Result<Wire<'_>, MarshalError> {
    let mut writer = Writer {
        out: Vec::new(),
        buffers: Some(Vec::new()),
    };
    writer.value(value, 0, Place::Ordinary)?;
    Ok(Wire {
        payload: writer.out,
        buffers: writer.buffers.unwrap_or_default(),
    })
}

/// Where a value stands, which decides whether its bytes may travel beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Key,
    Ordinary,
}

struct Writer<'a> {
    out: Vec<u8>,
    /// What travels beside the bytes; `None` if nothing can.
    buffers: Option<Vec<&'a [u8]>>,
}

impl<'a> Writer<'a> {
    fn value(&mut self, value: &'a Value, depth: usize, place: Place) -> Result<(), MarshalError> {
        match value {
            Value::Null => self.out.push(b'N'),
            Value::Bool(true) => self.out.push(b'T'),
            Value::Bool(false) => self.out.push(b'F'),
            Value::Int(i) => self.int(*i)?,
            Value::BigInt(i) => match i32::try_from(i) {
                Ok(small) => self.int(small)?,
                Err(_) => self.long(i)?,
            },
            Value::Float(f) => {
                self.out.push(b'g');
                self.out.extend(f.to_le_bytes());
            }
            Value::Str(text) => self.bytes(b'u', text.as_bytes(), "str")?,
            Value::SurrogateStr(bytes) => {
                if !wtf8::is_valid(bytes) {
                    return Err(MarshalError::BadText);
                }
                self.bytes(b'u', bytes, "str")?;
            }
            Value::Bytes(bytes) => {
                let large = bytes.len() >= BUFFER_BYTES;
                if large && place == Place::Ordinary && self.buffers.is_some() {
                    self.placeholder("bytes", 0, bytes)?;
                } else {
                    self.bytes(b's', bytes, "bytes")?;
                }
            }
            Value::List(items) | Value::Tuple(items) => {
                let depth = deeper(depth)?;
                let code = if matches!(value, Value::List(_)) {
                    b'['
                } else {
                    b'('
                };
                self.head(code, items.len(), value.type_name())?;
                for item in items {
                    self.value(item, depth, place)?;
                }
            }
            Value::Dict(entries) => {
                let depth = deeper(depth)?;
                self.out.push(b'{');
                for (key, value) in entries {
                    if !key.is_hashable() {
                        return Err(MarshalError::UnhashableKey {
                            type_name: key.type_name(),
                        });
                    }
                    self.value(key, depth, Place::Key)?;
                    self.value(value, depth, place)?;
                }
                self.out.push(b'0');
            }
            Value::Audio(_) | Value::Video(_) | Value::Tensor(_) => self.media(value)?,
        }
        Ok(())
    }

    /// Sound, a picture or a tensor.
    #[inline(never)]
    fn media(&mut self, value: &'a Value) -> Result<(), MarshalError> {
        match value {
            Value::Audio(audio) => {
                self.placeholder("audio", 2, audio.as_le_bytes())?;
                self.int(audio.sample_rate())?;
                self.int(audio.channels())?;
            }
            Value::Video(frame) => {
                self.placeholder("video", 3, frame.data())?;
                self.int(frame.width())?;
                self.int(frame.height())?;
                self.bytes(b'u', frame.format().name().as_bytes(), "str")?;
            }
            Value::Tensor(tensor) => {
                self.placeholder("tensor", 2, tensor.data())?;
                self.bytes(b'u', tensor.dtype().name().as_bytes(), "str")?;
                self.head(b'(', tensor.shape().len(), "tuple")?;
                for side in tensor.shape() {
                    self.size(*side)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Puts a buffer aside, and what stands for it into the bytes: a set of one tuple, whose further fields follow.
    #[inline(never)]
    fn placeholder(
        &mut self,
        kind: &'static str,
        further_fields: usize,
        buffer: &'a [u8],
    ) -> Result<(), MarshalError> {
        let Some(buffers) = &mut self.buffers else {
            return Err(MarshalError::NeedsWire { kind });
        };
        let index = buffers.len();
        buffers.push(buffer);
        self.head(b'>', 1, "frozenset")?;
        self.head(b'(', 2 + further_fields, "tuple")?;
        self.bytes(b'u', kind.as_bytes(), "str")?;
        self.size(index)
    }

    #[inline(never)]
    fn head(
        &mut self,
        code: u8,
        length: usize,
        type_name: &'static str,
    ) -> Result<(), MarshalError> {
        let short =
            i32::try_from(length).map_err(|_| MarshalError::TooLong { type_name, length })?;
        self.out.push(code);
        self.out.extend(short.to_le_bytes());
        Ok(())
    }

    #[inline(never)]
    fn bytes(
        &mut self,
        code: u8,
        bytes: &[u8],
        type_name: &'static str,
    ) -> Result<(), MarshalError> {
        self.out.reserve(bytes.len() + 5);
        self.head(code, bytes.len(), type_name)?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn size(&mut self, size: usize) -> Result<(), MarshalError> {
        match i64::try_from(size) {
            Ok(size) => self.int(size),
            Err(_) => self.long(&BigInt::from(size)),
        }
    }

    fn int(&mut self, value: impl Into<i64>) -> Result<(), MarshalError> {
        let value = value.into();
        match i32::try_from(value) {
            Ok(small) => {
                self.out.push(b'i');
                self.out.extend(small.to_le_bytes());
                Ok(())
            }
            Err(_) => self.long(&BigInt::from(value)),
        }
    }

    /// A sign, a count, and 15-bit digits from the least significant on.
    #[inline(never)]
    fn long(&mut self, value: &BigInt) -> Result<(), MarshalError> {
        let length =
            usize::try_from(value.bits().div_ceil(u64::from(DIGIT_BITS))).unwrap_or(usize::MAX);
        let count = i32::try_from(length).map_err(|_| MarshalError::TooLong {
            type_name: "int",
            length,
        })?;
        self.out.push(b'l');
        self.out.extend(
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
                self.digit(held);
                written += 1;
                held >>= DIGIT_BITS;
                held_bits -= DIGIT_BITS;
            }
        }
        // What is held past the last digit is either that digit or the zeros above it.
        if written < length {
            self.digit(held);
        }
        Ok(())
    }

    fn digit(&mut self, held: u32) {
        let digit = held & ((1 << DIGIT_BITS) - 1);
        self.out.extend_from_slice(&digit.to_le_bytes()[..2]);
    }
}
