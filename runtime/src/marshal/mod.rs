//! Values in the format of CPython's `marshal` module, the wire between this crate and a Python interpreter.
//!
//! Every interpreter holds a fast reader and writer of it in C, and it carries what Python values need: integers of any
//! size, tuples, bytes, NaN, text with lone surrogates. Only plain data is read and written here. What the format has
//! besides (code objects, sets, complex numbers) is refused by name, and so are back references: Python must write with
//! version 2, `marshal.dumps(value, 2)`, which has none. What is written here is version 2 too, byte for byte what
//! CPython writes, and `marshal.loads` of any version reads it.
//!
//! The reader trusts nothing: every length is checked against the bytes that are there before anything is allocated for
//! it, nesting is bounded by [`MAX_DEPTH`], and bytes left over are an error.
//!
//! ```
//! use rm_runtime::marshal::{from_marshal, to_marshal};
//! use rm_runtime::value::Value;
//!
//! let bytes = to_marshal(&Value::from("hi"))?;
//! assert_eq!(bytes, b"u\x02\0\0\0hi"); // marshal.dumps("hi", 2)
//! assert_eq!(from_marshal(&bytes)?, Value::from("hi"));
//! # Ok::<(), rm_runtime::marshal::MarshalError>(())
//! ```
//!
//! # Beside the bytes
//!
//! Sound, pictures and tensors, and [`BUFFER_BYTES`] and more of `bytes`, would be copied once more on each side if they
//! stood in the middle of marshal data. [`to_wire`] leaves them where they are and lists them; a [`Wire`] is marshal data
//! and that list. Where a buffer belongs, the data has a placeholder, a `frozenset` (which no value here is) of one tuple
//! that begins with a name and the buffer's index:
//!
//! | value | tuple in the set |
//! |---|---|
//! | `bytes`, not in the key of a dictionary | `("bytes", index)` |
//! | [`Audio`](crate::media::Audio) | `("audio", index, sample_rate, channels)`; samples are 32-bit floats |
//! | [`VideoFrame`](crate::media::VideoFrame) | `("video", index, width, height, format_name)` |
//! | [`Tensor`](crate::media::Tensor) | `("tensor", index, dtype_name, shape)`, the shape a tuple |
//!
//! What is in a buffer is little-endian. [`from_wire`] accepts a buffer once at most, so that data cannot grow, and lets
//! buffers go unused.
//!
//! ```
//! use rm_runtime::marshal::{from_wire, to_wire};
//! use rm_runtime::media::Audio;
//! use rm_runtime::value::Value;
//!
//! let sound = Value::from(Audio::new(vec![0.0, 1.0], 16_000, 1)?);
//! let wire = to_wire(&sound)?;
//! assert_eq!(wire.buffers, [[0, 0, 0, 0, 0, 0, 0x80, 0x3F]]);
//! assert_eq!(from_wire(&wire.payload, &wire.buffers)?, sound);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use self::read::{from_marshal, from_wire};
pub use self::write::{to_marshal, to_wire};
use crate::media::MediaError;
use crate::value::MAX_DEPTH;

/// Bytes at least this long travel beside the marshalled value instead of in it.
pub const BUFFER_BYTES: usize = 4096;

/// A value as it crosses to Python: see [Beside the bytes](self#beside-the-bytes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire<'a> {
    /// Marshal data, with placeholders where buffers belong.
    pub payload: Vec<u8>,
    /// The buffers that the placeholders count, still in the value.
    pub buffers: Vec<&'a [u8]>,
}

/// Bits in one digit of the format's long integers.
const DIGIT_BITS: u32 = 15;

/// Why bytes are not a value of the supported subset, or a value cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MarshalError {
    /// The bytes end inside a value.
    #[error(
        "marshal data ends inside a value: {needed} bytes needed at offset {offset}, {left} left"
    )]
    Truncated {
        /// Where the missing bytes should begin.
        offset: usize,
        /// How many are needed.
        needed: usize,
        /// How many there are.
        left: usize,
    },
    /// Bytes follow the value.
    #[error("{count} bytes follow the marshal value that ends at offset {offset}")]
    Trailing {
        /// Where the value ends.
        offset: usize,
        /// How many bytes follow.
        count: usize,
    },
    /// A type of object that is not plain data.
    #[error("unsupported marshal type {} ({}) at offset {offset}", code.escape_ascii(), code_name(*code))]
    UnsupportedType {
        /// The type code.
        code: u8,
        /// Where it stands.
        offset: usize,
    },
    /// An object marked for back references, which version 2 of the format does not have.
    #[error(
        "marshal object with a reference flag at offset {offset}; write with `marshal.dumps(value, 2)`"
    )]
    Reference {
        /// Where the type code stands.
        offset: usize,
    },
    /// Contents that no such type can have.
    #[error("bad marshal data at offset {offset}: {message}")]
    Malformed {
        /// Where the object begins.
        offset: usize,
        /// What is wrong.
        message: &'static str,
    },
    /// Containers are nested deeper than [`MAX_DEPTH`].
    #[error("value nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A dictionary key to write that Python cannot hash.
    #[error("a {type_name} cannot be a key of a Python dict")]
    UnhashableKey {
        /// The Python name of the key's type.
        type_name: &'static str,
    },
    /// A length that the format's 32 bits cannot hold.
    #[error("a {type_name} of {length} items is too long for the marshal format")]
    TooLong {
        /// The Python name of the value's type.
        type_name: &'static str,
        /// Its length in items, bytes or 15-bit digits.
        length: usize,
    },
    /// A [`Value::SurrogateStr`](crate::value::Value::SurrogateStr) to write that is neither UTF-8 nor surrogates.
    #[error("text that is neither UTF-8 nor surrogates")]
    BadText,
    /// A value to write that needs a place beside the bytes.
    #[error("{kind} travels beside marshal data; use `to_wire`")]
    NeedsWire {
        /// What it is: `audio`, `video` or `tensor`.
        kind: &'static str,
    },
    /// A buffer that does not hold what its placeholder says.
    #[error("the buffer of the placeholder at offset {offset} does not hold what that says")]
    Media {
        /// Where the placeholder stands.
        offset: usize,
        /// What is wrong with it.
        source: MediaError,
    },
}

fn code_name(code: u8) -> &'static str {
    match code {
        b'0' => "end of dict",
        b'S' => "StopIteration",
        b'.' => "Ellipsis",
        b'f' => "float as text",
        b'x' => "complex as text",
        b'y' => "complex",
        b'c' => "code",
        b'<' => "set",
        b'>' => "frozenset",
        b'r' | b'R' => "back reference",
        b'I' => "64-bit int",
        b':' => "slice",
        b'?' => "unknown",
        _ => "not a marshal type",
    }
}

/// The depth of what a container at `depth` holds.
fn deeper(depth: usize) -> Result<usize, MarshalError> {
    if depth == MAX_DEPTH {
        Err(MarshalError::TooDeep)
    } else {
        Ok(depth + 1)
    }
}
