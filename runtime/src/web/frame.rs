//! Values as bytes in one piece, as they cross to JavaScript and back.

use super::arguments::Problem;
use crate::marshal::{self, MarshalError, Wire};
use crate::value::Value;

/// A value as bytes: the length of the marshal data, the number of buffers beside it and their lengths, each four bytes,
/// little-endian; then the data and the buffers.
pub fn frame(value: &Value) -> Vec<u8> {
    let wire = marshal::to_wire(value).unwrap_or_else(|error| unwritten(&error));
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = Vec::new();
    bytes.extend(count(wire.payload.len()));
    bytes.extend(count(wire.buffers.len()));
    for buffer in &wire.buffers {
        bytes.extend(count(buffer.len()));
    }
    bytes.extend_from_slice(&wire.payload);
    for buffer in &wire.buffers {
        bytes.extend_from_slice(buffer);
    }
    bytes
}

/// What cannot be written was given by a node of ours, and is told in place of it.
#[inline(never)]
fn unwritten(error: &MarshalError) -> Wire<'static> {
    let problem = Value::Tuple(vec![Value::Int(1), Problem::new(error).into_value()]);
    Wire {
        payload: marshal::to_marshal(&problem).unwrap_or_default(),
        buffers: Vec::new(),
    }
}

/// Marshal data and the buffers beside it.
pub type Framed<'a> = (&'a [u8], Vec<&'a [u8]>);

/// The parts that [`frame`] put together, if these bytes have them.
pub fn unframe(bytes: &[u8]) -> Option<Framed<'_>> {
    let mut rest = bytes;
    let mut count = || {
        let (head, tail) = rest.split_first_chunk::<4>()?;
        rest = tail;
        usize::try_from(u32::from_le_bytes(*head)).ok()
    };
    let length = count()?;
    let buffers = count()?;
    let mut lengths = Vec::new();
    for _ in 0..buffers {
        lengths.push(count()?);
    }
    let (payload, mut rest) = rest.split_at_checked(length)?;
    let mut parts = Vec::new();
    for length in lengths {
        let (buffer, tail) = rest.split_at_checked(length)?;
        parts.push(buffer);
        rest = tail;
    }
    rest.is_empty().then_some((payload, parts))
}
