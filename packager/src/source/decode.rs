//! Python source bytes to text, as PEP 263 says.

/// Bytes are not Python source text in an encoding that is supported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The file declares an encoding other than UTF-8, Latin-1 and ASCII.
    #[error(
        "encoding {encoding:?} declared on line {line} is not supported: save the file as UTF-8"
    )]
    Encoding {
        /// The declared name, as written.
        encoding: String,
        /// The line of the declaration, from 1.
        line: usize,
    },
    /// The file has a UTF-8 byte order mark and declares another encoding.
    #[error("the file starts with a UTF-8 byte order mark, but line {line} declares {encoding:?}")]
    Contradiction {
        /// The declared name, as written.
        encoding: String,
        /// The line of the declaration, from 1.
        line: usize,
    },
    /// A byte is not valid in the file's encoding.
    #[error("byte 0x{byte:02x} on line {line} is not valid {encoding}")]
    Byte {
        /// The first byte that is wrong.
        byte: u8,
        /// Its line, from 1.
        line: usize,
        /// The encoding the file has, declared or by default.
        encoding: &'static str,
    },
    /// The file holds a NUL, which Python refuses.
    #[error("source text cannot contain null bytes (line {line})")]
    Null {
        /// The line of the first one, from 1.
        line: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Latin1,
    Ascii,
}

/// Decodes Python source: byte order mark removed, `\r\n` and `\r` turned into `\n` as Python's own tokenizer does, so
/// that line numbers and the contents of multi-line strings are the same wherever the file was checked out.
///
/// The encoding declaration stays in the text; text must therefore be given to the compiler as `str`, not as bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<String, DecodeError> {
    let (body, marked) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => (rest, true),
        None => (bytes, false),
    };
    let encoding = match declaration(body) {
        None => Encoding::Utf8,
        Some((name, line)) => match (known(&name), marked) {
            (None, _) => {
                return Err(DecodeError::Encoding {
                    encoding: name,
                    line,
                });
            }
            (Some(Encoding::Utf8), _) => Encoding::Utf8,
            (Some(_), true) => {
                return Err(DecodeError::Contradiction {
                    encoding: name,
                    line,
                });
            }
            (Some(other), false) => other,
        },
    };
    if let Some(at) = body.iter().position(|&byte| byte == 0) {
        return Err(DecodeError::Null {
            line: line_of(body, at),
        });
    }
    let invalid = |at: usize, encoding| DecodeError::Byte {
        byte: body[at],
        line: line_of(body, at),
        encoding,
    };
    let text = match encoding {
        Encoding::Utf8 => std::str::from_utf8(body)
            .map_err(|error| invalid(error.valid_up_to(), "UTF-8"))?
            .to_owned(),
        Encoding::Latin1 => body.iter().map(|&byte| char::from(byte)).collect(),
        Encoding::Ascii => match body.iter().position(|byte| !byte.is_ascii()) {
            Some(at) => return Err(invalid(at, "ASCII")),
            None => body.iter().map(|&byte| char::from(byte)).collect(),
        },
    };
    Ok(if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text
    })
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    lines(&bytes[..at]).count().max(1)
}

/// Lines as Python counts them, without their ends; a last empty line counts.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.iter().position(|&byte| byte == b'\n' || byte == b'\r') else {
            rest = None;
            return Some(text);
        };
        let width = if text[end..].starts_with(b"\r\n") {
            2
        } else {
            1
        };
        rest = Some(&text[end + width..]);
        Some(&text[..end])
    })
}

/// The encoding declaration in the first two lines, with its line number; the second counts only below a comment or a
/// blank line.
fn declaration(bytes: &[u8]) -> Option<(String, usize)> {
    for (index, line) in lines(bytes).take(2).enumerate() {
        let start = line
            .iter()
            .position(|byte| !matches!(byte, b' ' | b'\t' | b'\x0c'));
        let Some(start) = start else { continue };
        if line[start] != b'#' {
            return None;
        }
        if let Some(name) = cookie(&line[start..]) {
            return Some((name, index + 1));
        }
    }
    None
}

/// The name after `coding:` or `coding=` in a comment.
fn cookie(comment: &[u8]) -> Option<String> {
    let mut rest = comment;
    while let Some(at) = rest.windows(6).position(|window| window == b"coding") {
        rest = &rest[at + 6..];
        if !matches!(rest.first(), Some(b':' | b'=')) {
            continue;
        }
        let value: Vec<u8> = rest[1..]
            .iter()
            .copied()
            .skip_while(|byte| matches!(byte, b' ' | b'\t'))
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
            .collect();
        if !value.is_empty() {
            return String::from_utf8(value).ok();
        }
    }
    None
}

fn known(name: &str) -> Option<Encoding> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let is = |known: &str| {
        name == known
            || name
                .strip_prefix(known)
                .is_some_and(|rest| rest.starts_with('-'))
    };
    if is("utf-8") || matches!(name.as_str(), "utf8" | "u8" | "utf" | "cp65001") {
        Some(Encoding::Utf8)
    } else if is("latin-1")
        || is("iso-8859-1")
        || is("iso-latin-1")
        || matches!(name.as_str(), "latin1" | "l1" | "8859")
    {
        Some(Encoding::Latin1)
    } else if matches!(name.as_str(), "ascii" | "us-ascii" | "646") {
        Some(Encoding::Ascii)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn decodes(bytes: &[u8], expected: &str) {
        assert_eq!(decode(bytes).as_deref(), Ok(expected));
    }

    #[track_caller]
    fn fails(bytes: &[u8], expected: &str) {
        assert_eq!(
            decode(bytes).map_err(|error| error.to_string()),
            Err(expected.to_owned())
        );
    }

    #[test]
    fn utf8_with_and_without_mark() {
        decodes("é = 1\n".as_bytes(), "é = 1\n");
        decodes(b"\xef\xbb\xbfx = 1\n", "x = 1\n");
        decodes(b"\xef\xbb\xbf# coding: utf-8\n", "# coding: utf-8\n");
    }

    #[test]
    fn declared_latin1() {
        decodes(
            b"# -*- coding: latin-1 -*-\ns = '\xe9'\n",
            "# -*- coding: latin-1 -*-\ns = 'é'\n",
        );
        decodes(
            b"#!/usr/bin/python\n# vim: set fileencoding=ISO_8859_1 :\n'\xe9'",
            "#!/usr/bin/python\n# vim: set fileencoding=ISO_8859_1 :\n'é'",
        );
    }

    #[test]
    fn declaration_below_code_is_a_comment() {
        fails(
            b"x = 1\n# coding: latin-1\n'\xe9'\n",
            "byte 0xe9 on line 3 is not valid UTF-8",
        );
    }

    #[test]
    fn line_ends_become_newlines() {
        decodes(b"a\r\nb\rc\n", "a\nb\nc\n");
        fails(b"a\r\nb\r\xff", "byte 0xff on line 3 is not valid UTF-8");
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        fails(
            b"\n# coding: koi8-r\n",
            "encoding \"koi8-r\" declared on line 2 is not supported: save the file as UTF-8",
        );
        fails(
            b"\xef\xbb\xbf# coding: latin-1\n",
            "the file starts with a UTF-8 byte order mark, but line 1 declares \"latin-1\"",
        );
        fails(
            b"# coding: ascii\n\xc3\xa9",
            "byte 0xc3 on line 2 is not valid ASCII",
        );
        fails(b"a\n\0", "source text cannot contain null bytes (line 2)");
    }
}
