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

/// Where requests are handed in and answers handed out.
struct Counter {
    desk: Desk,
    request: Vec<u8>,
    response: Vec<u8>,
}

thread_local! {
    static COUNTER: RefCell<Counter> = RefCell::new(Counter {
        desk: Desk::new(|| now()),
        request: Vec::new(),
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
        counter.request.clear();
        counter.request.resize(length, 0);
        counter.request.as_mut_ptr() as usize
    })
}

/// Do what was requested; the length of the answer.
#[unsafe(no_mangle)]
extern "C" fn call(operation: u32) -> usize {
    COUNTER.with_borrow_mut(|counter| {
        let request = std::mem::take(&mut counter.request);
        let answer = match unframe(&request) {
            Some((payload, buffers)) => counter.desk.call(operation, payload, &buffers),
            None => Value::Null,
        };
        counter.response = frame(&answer);
        counter.response.len()
    })
}

/// Where the answer is, until the next [`call`].
#[unsafe(no_mangle)]
extern "C" fn response() -> usize {
    COUNTER.with_borrow(|counter| counter.response.as_ptr() as usize)
}
