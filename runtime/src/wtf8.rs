//! UTF-8 that may also encode surrogates: what Python's `surrogatepass` error handler reads and writes.

/// A stretch of such text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Ordinary text, never empty.
    Text(&'a str),
    /// One surrogate, `0xD800..=0xDFFF`.
    Surrogate(u16),
}

/// Cuts bytes into text and surrogates; an `Err` ends the iteration and is the offset of a byte that is neither.
pub(crate) fn pieces(bytes: &[u8]) -> impl Iterator<Item = Result<Piece<'_>, usize>> {
    let mut at = 0;
    let mut failed = false;
    std::iter::from_fn(move || {
        let rest = &bytes[at..];
        if rest.is_empty() || failed {
            return None;
        }
        let text = match std::str::from_utf8(rest) {
            Ok(text) => text,
            Err(error) => {
                let valid = &rest[..error.valid_up_to()];
                std::str::from_utf8(valid).expect("`valid_up_to` is the end of valid UTF-8")
            }
        };
        if !text.is_empty() {
            at += text.len();
            return Some(Ok(Piece::Text(text)));
        }
        // A surrogate is `1101_1xxx xxxx_xxxx`, as three bytes: ED, then A0..BF, then 80..BF.
        if let [0xED, b @ 0xA0..=0xBF, c @ 0x80..=0xBF, ..] = *rest {
            at += 3;
            return Some(Ok(Piece::Surrogate(
                0xD000 | u16::from(b & 0x3F) << 6 | u16::from(c & 0x3F),
            )));
        }
        failed = true;
        Some(Err(at))
    })
}

/// A unit of UTF-16 from `0x800` on, the surrogates among them, as three bytes.
pub(crate) fn encode(unit: u16) -> [u8; 3] {
    let [high, low] = unit.to_be_bytes();
    [
        0xE0 | high >> 4,
        0x80 | (high & 0x0F) << 2 | low >> 6,
        0x80 | low & 0x3F,
    ]
}

/// The text with `U+FFFD` for each surrogate, and for what follows a byte that is neither.
pub(crate) fn to_string_lossy(bytes: &[u8]) -> String {
    pieces(bytes)
        .map(|piece| match piece {
            Ok(Piece::Text(text)) => text,
            Ok(Piece::Surrogate(_)) | Err(_) => "\u{FFFD}",
        })
        .collect()
}

/// Whether the bytes are UTF-8 with surrogates allowed.
pub(crate) fn is_valid(bytes: &[u8]) -> bool {
    pieces(bytes).all(|piece| piece.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_are_told_apart() {
        let found: Vec<_> = pieces(b"a\xed\xa0\x80\xed\xbf\xbf\xc3\xa9").collect();
        assert_eq!(
            found,
            [
                Ok(Piece::Text("a")),
                Ok(Piece::Surrogate(0xD800)),
                Ok(Piece::Surrogate(0xDFFF)),
                Ok(Piece::Text("é")),
            ]
        );
    }

    #[test]
    fn units_are_encoded_as_they_are_read() {
        for unit in 0xD800..=0xDFFF {
            assert_eq!(
                pieces(&encode(unit)).last(),
                Some(Ok(Piece::Surrogate(unit)))
            );
        }
        assert_eq!(encode(0x800), *"\u{800}".as_bytes());
        assert_eq!(encode(0xE000), *"\u{E000}".as_bytes());
    }

    #[test]
    fn other_bytes_are_refused_with_their_offset() {
        assert_eq!(pieces(b"ab\xffcd").last(), Some(Err(2)));
        assert_eq!(pieces(b"\xed\xa0").last(), Some(Err(0)));
        assert_eq!(
            to_string_lossy(b"a\xed\xa0\x80b\xffc"),
            "a\u{FFFD}b\u{FFFD}"
        );
        assert!(!is_valid(b"\xc3"));
        assert!(is_valid(b""));
    }
}
