//! From bytes that are not to be trusted to a value.

use num_bigint::{BigInt, Sign};

use super::{DIGIT_BITS, MarshalError, deeper};
use crate::media::{Audio, DType, PixelFormat, Tensor, VideoFrame};
use crate::value::{MAX_DEPTH, Value};

/// The bit of a type code that asks the reader to remember the object for later back references.
const FLAG_REF: u8 = 0x80;

/// The value that bytes written by `marshal.dumps(value, 2)` hold.
///
/// # Errors
/// Any [`MarshalError`] except those of writing; each names the offset.
pub fn from_marshal(bytes: &[u8]) -> Result<Value, MarshalError> {
    from_wire(bytes, &[])
}

/// The value that marshal data and the buffers beside it hold; each buffer that is used is copied, once.
///
/// # Errors
/// Any [`MarshalError`] except those of writing; each names the offset.
pub fn from_wire(payload: &[u8], buffers: &[&[u8]]) -> Result<Value, MarshalError> {
    let mut reader = Reader {
        bytes: payload,
        offset: 0,
        buffers: buffers.iter().copied().map(Some).collect(),
        plain: false,
    };
    let value = reader.value(0)?;
    match reader.left() {
        0 => Ok(value),
        count => Err(MarshalError::Trailing {
            offset: reader.offset,
            count,
        }),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
    /// What travels beside the bytes, `None` once it was used.
    buffers: Vec<Option<&'a [u8]>>,
    /// Whether what is being read is part of a dictionary's key or of a placeholder, where no placeholder can be.
    plain: bool,
}

impl<'a> Reader<'a> {
    fn left(&self) -> usize {
        self.bytes.len() - self.offset
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], MarshalError> {
        let left = self.left();
        if count > left {
            return Err(MarshalError::Truncated {
                offset: self.offset,
                needed: count,
                left,
            });
        }
        let taken = &self.bytes[self.offset..self.offset + count];
        self.offset += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], MarshalError> {
        Ok(self
            .take(N)?
            .try_into()
            .expect("`take` gives as many bytes as asked for"))
    }

    fn byte(&mut self) -> Result<u8, MarshalError> {
        Ok(self.array::<1>()?[0])
    }

    #[inline(never)]
    fn length(&mut self) -> Result<usize, MarshalError> {
        let offset = self.offset;
        usize::try_from(i32::from_le_bytes(self.array()?)).map_err(|_| MarshalError::Malformed {
            offset,
            message: "negative length",
        })
    }

    fn value(&mut self, depth: usize) -> Result<Value, MarshalError> {
        let offset = self.offset;
        let code = self.byte()?;
        self.value_of(code, offset, depth)
    }

    /// The value whose type code was read at `offset`.
    fn value_of(&mut self, code: u8, offset: usize, depth: usize) -> Result<Value, MarshalError> {
        if code & FLAG_REF != 0 {
            return Err(MarshalError::Reference { offset });
        }
        match code {
            b'N' => Ok(Value::Null),
            b'T' => Ok(Value::Bool(true)),
            b'F' => Ok(Value::Bool(false)),
            b'i' => Ok(Value::Int(i32::from_le_bytes(self.array()?).into())),
            b'l' => self.long(offset),
            b'g' => Ok(Value::Float(f64::from_le_bytes(self.array()?))),
            b'u' | b't' => {
                let length = self.length()?;
                let bytes = self.take(length)?.to_vec();
                Value::from_surrogate_utf8(bytes).ok_or(MarshalError::Malformed {
                    offset,
                    message: "text that is not UTF-8",
                })
            }
            b'a' | b'A' => {
                let length = self.length()?;
                self.ascii(length, offset)
            }
            b'z' | b'Z' => {
                let length = self.byte()?.into();
                self.ascii(length, offset)
            }
            b's' => {
                let length = self.length()?;
                Ok(Value::Bytes(self.take(length)?.to_vec()))
            }
            b'(' => {
                let length = self.length()?;
                Ok(Value::Tuple(self.items(length, depth)?))
            }
            b')' => {
                let length = self.byte()?.into();
                Ok(Value::Tuple(self.items(length, depth)?))
            }
            b'[' => {
                let length = self.length()?;
                Ok(Value::List(self.items(length, depth)?))
            }
            b'{' => self.dict(depth),
            b'>' if !self.buffers.is_empty() && !self.plain => self.placeholder(offset),
            _ => Err(MarshalError::UnsupportedType { code, offset }),
        }
    }

    #[inline(never)]
    fn ascii(&mut self, length: usize, offset: usize) -> Result<Value, MarshalError> {
        let bytes = self.take(length)?;
        match std::str::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => Ok(Value::Str(text.to_owned())),
            _ => Err(MarshalError::Malformed {
                offset,
                message: "ASCII text with other bytes",
            }),
        }
    }

    #[inline(never)]
    fn long(&mut self, offset: usize) -> Result<Value, MarshalError> {
        let malformed = |message| MarshalError::Malformed { offset, message };
        let count = i32::from_le_bytes(self.array()?);
        let length = usize::try_from(count.unsigned_abs())
            .ok()
            .and_then(|digits| digits.checked_mul(2))
            .ok_or(malformed("int too long"))?;
        let digits = self.take(length)?;
        let mut magnitude = Vec::with_capacity(digits.len());
        let mut held = 0_u32;
        let mut held_bits = 0;
        let mut last = 1;
        for digit in digits.chunks_exact(2) {
            last = u32::from(digit[0]) | u32::from(digit[1]) << 8;
            if last >> DIGIT_BITS != 0 {
                return Err(malformed("int with a digit of 16 bits"));
            }
            held |= last << held_bits;
            held_bits += DIGIT_BITS;
            while held_bits >= 8 {
                magnitude.extend_from_slice(&held.to_le_bytes()[..1]);
                held >>= 8;
                held_bits -= 8;
            }
        }
        magnitude.extend_from_slice(&held.to_le_bytes()[..1]);
        if last == 0 {
            return Err(malformed("int with a leading zero digit"));
        }
        let sign = if count < 0 { Sign::Minus } else { Sign::Plus };
        Ok(Value::from(BigInt::from_bytes_le(sign, &magnitude)))
    }

    #[inline(never)]
    fn items(&mut self, count: usize, depth: usize) -> Result<Vec<Value>, MarshalError> {
        let depth = deeper(depth)?;
        let left = self.left();
        // An item takes a byte at least, so a larger count is a lie; and room is made as items come, since one byte of
        // input must not reserve a whole `Value`.
        if count > left {
            return Err(MarshalError::Truncated {
                offset: self.offset,
                needed: count,
                left,
            });
        }
        let mut items = Vec::with_capacity(count.min(64));
        for _ in 0..count {
            items.push(self.value(depth)?);
        }
        Ok(items)
    }

    #[inline(never)]
    fn dict(&mut self, depth: usize) -> Result<Value, MarshalError> {
        let depth = deeper(depth)?;
        let mut entries = Vec::new();
        loop {
            let offset = self.offset;
            let code = self.byte()?;
            if code == b'0' {
                return Ok(Value::Dict(entries));
            }
            let outer = std::mem::replace(&mut self.plain, true);
            let key = self.value_of(code, offset, depth)?;
            self.plain = outer;
            if !key.is_hashable() {
                return Err(MarshalError::Malformed {
                    offset,
                    message: "dict key that Python cannot hash",
                });
            }
            entries.push((key, self.value(depth)?));
        }
    }

    /// What a set stands for that begins at `offset`.
    #[inline(never)]
    fn placeholder(&mut self, offset: usize) -> Result<Value, MarshalError> {
        let malformed = |message| MarshalError::Malformed { offset, message };
        if self.length()? != 1 {
            return Err(malformed("frozenset that is no placeholder"));
        }
        // A tuple and a shape in it are all that may follow.
        self.plain = true;
        let fields = self.value(MAX_DEPTH - 2)?;
        self.plain = false;
        let Value::Tuple(fields) = fields else {
            return Err(malformed("frozenset that is no placeholder"));
        };
        let [Value::Str(kind), Value::Int(index), details @ ..] = &fields[..] else {
            return Err(malformed("frozenset that is no placeholder"));
        };
        let number = |number: i64| {
            u32::try_from(number).map_err(|_| malformed("placeholder with a number out of range"))
        };
        let mut buffer = || {
            usize::try_from(*index)
                .ok()
                .and_then(|index| self.buffers.get_mut(index))
                .ok_or(malformed("placeholder for a buffer that is not there"))?
                .take()
                .ok_or(malformed("placeholder for a buffer that was used before"))
        };
        let media = match (kind.as_str(), details) {
            ("bytes", []) => return Ok(Value::Bytes(buffer()?.to_vec())),
            ("audio", [Value::Int(sample_rate), Value::Int(channels)]) => {
                let sample_rate = number(*sample_rate)?;
                let channels = u16::try_from(*channels)
                    .map_err(|_| malformed("placeholder with a number out of range"))?;
                Audio::from_le_bytes(buffer()?, sample_rate, channels).map(Value::Audio)
            }
            ("video", [Value::Int(width), Value::Int(height), Value::Str(format)]) => {
                let (width, height) = (number(*width)?, number(*height)?);
                let format = PixelFormat::from_name(format)
                    .ok_or(malformed("placeholder with an unknown pixel format"))?;
                VideoFrame::new(buffer()?.to_vec(), width, height, format).map(Value::Video)
            }
            ("tensor", [Value::Str(dtype), Value::Tuple(sides)]) => {
                let dtype = DType::from_name(dtype)
                    .ok_or(malformed("placeholder with an unknown element type"))?;
                let shape = sides
                    .iter()
                    .map(|side| match side {
                        Value::Int(side) => usize::try_from(*side).ok(),
                        Value::BigInt(side) => usize::try_from(side).ok(),
                        _ => None,
                    })
                    .collect::<Option<Vec<_>>>()
                    .ok_or(malformed("placeholder with a number out of range"))?;
                Tensor::new(buffer()?.to_vec(), shape, dtype).map(Value::Tensor)
            }
            _ => return Err(malformed("frozenset that is no placeholder")),
        };
        media.map_err(|source| MarshalError::Media { offset, source })
    }
}
