//! zstd frames for browsers, which do not read them: a wasm module beside the executor, as only bundles with Python nodes
//! have such frames.
//!
//! The host writes a frame to `frame`, lets it be decompressed by `decompress`, and reads what came of it at `result`. The
//! other side is `browser-demo/src/runtime/zstd.ts`.

use ruzstd::decoding::FrameDecoder;

/// What a frame of at most so many bytes holds.
///
/// # Errors
/// Why it is not such a frame.
pub fn decompressed(frame: &[u8], size: usize) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; size];
    let written = FrameDecoder::new()
        .decode_all(frame, &mut bytes)
        .map_err(|error| error.to_string())?;
    bytes.truncate(written);
    Ok(bytes)
}

#[cfg(target_arch = "wasm32")]
mod exports {
    //! What the module exports; an instance is for one frame.
    #![allow(
        unsafe_code,
        reason = "exporting a function by name counts as unsafe; no pointer is read here"
    )]

    use std::cell::RefCell;

    thread_local! {
        static FRAME: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        static RESULT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }

    /// Where a frame of so many bytes is to be written.
    #[unsafe(no_mangle)]
    extern "C" fn frame(length: usize) -> usize {
        FRAME.with_borrow_mut(|frame| {
            frame.resize(length, 0);
            frame.as_mut_ptr() as usize
        })
    }

    /// Decompress it; whether it holds at most so many bytes, and is whole.
    #[unsafe(no_mangle)]
    extern "C" fn decompress(size: usize) -> bool {
        let result = FRAME.with_borrow(|frame| super::decompressed(frame, size));
        let is_whole = result.is_ok();
        RESULT.set(result.unwrap_or_else(String::into_bytes));
        is_whole
    }

    /// Where what it holds is, or the text that says what is wrong.
    #[unsafe(no_mangle)]
    extern "C" fn result() -> usize {
        RESULT.with_borrow(|result| result.as_ptr() as usize)
    }

    /// How long that is.
    #[unsafe(no_mangle)]
    extern "C" fn length() -> usize {
        RESULT.with_borrow(Vec::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `zstd --no-check`, of "to be or not to be".
    const FRAME: &[u8] = b"\x28\xB5\x2F\xFD\x20\x12\x91\x00\x00to be or not to be";

    #[test]
    fn frames_are_read_and_refused() {
        assert_eq!(decompressed(FRAME, 18).unwrap(), b"to be or not to be");
        assert_eq!(decompressed(FRAME, 30).unwrap(), b"to be or not to be");
        assert!(decompressed(FRAME, 17).is_err());
        assert!(decompressed(&FRAME[..20], 18).is_err());
        assert!(decompressed(b"no frame", 8).is_err());
    }
}
