//! The functions that the wasm module exports: one request at a time through one buffer.
//!
//! The host asks for a buffer ([`request`]), writes a framed tuple of arguments into it, names the operation ([`call`]), and
//! reads the framed answer at [`response`]. There is nothing else to agree on, and no generated code on either side.
#![allow(
    unsafe_code,
    reason = "exporting a function by name, and naming an imported one, counts as unsafe; no pointer is read here"
)]

use std::cell::RefCell;

use super::calls::{ABI, Desk};
use super::frame::{frame, unframe};
use crate::value::Value;

/// How much room for requests is kept for the next one.
const KEPT: usize = 4 << 20;

/// Where requests are handed in and answers handed out.
struct Counter {
    desk: Desk,
    /// Longer than the request in it, if one before that was.
    room: Vec<u8>,
    length: usize,
    response: Vec<u8>,
}

thread_local! {
    static COUNTER: RefCell<Counter> = RefCell::new(Counter {
        desk: Desk::new(|| now()),
        room: Vec::new(),
        length: 0,
        response: Vec::new(),
    });
}

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// The host's clock in milliseconds.
    safe fn now() -> f64;
    /// Where in memory the text about a panic is, and its length; the module stops right after.
    safe fn panicked(address: usize, length: usize);
}

/// The version of this interface.
#[unsafe(no_mangle)]
extern "C" fn abi() -> u32 {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.to_string();
        panicked(text.as_ptr() as usize, text.len());
    }));
    ABI
}

/// A place for a request of so many bytes, until [`call`].
#[unsafe(no_mangle)]
extern "C" fn request(length: usize) -> usize {
    COUNTER.with_borrow_mut(|counter| {
        // What is there is written over, and clearing a MiB takes longer than all else that is done with it.
        if counter.room.len() < length {
            counter.room.resize(length, 0);
        }
        counter.length = length;
        counter.room.as_mut_ptr() as usize
    })
}

/// Do what was requested; the length of the answer.
#[unsafe(no_mangle)]
extern "C" fn call(operation: u32) -> usize {
    COUNTER.with_borrow_mut(|counter| {
        let Counter { desk, room, .. } = counter;
        let request = room.get(..counter.length).unwrap_or_default();
        let answer = match unframe(request) {
            Some((payload, buffers)) => desk.call(operation, payload, &buffers),
            None => Value::Null,
        };
        if room.len() > KEPT {
            *room = Vec::new();
        }
        counter.response = frame(&answer);
        counter.response.len()
    })
}

/// Where the answer is, until the next [`call`].
#[unsafe(no_mangle)]
extern "C" fn response() -> usize {
    COUNTER.with_borrow(|counter| counter.response.as_ptr() as usize)
}
