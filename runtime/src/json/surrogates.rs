//! Escapes of lone surrogates, such as `"\ud800"`, which JSON's grammar allows and `serde_json` refuses in text.
//!
//! Before a text that has any is parsed, a mark takes the place of the backslash of each, so that the parser sees
//! ordinary characters in the same columns. The mark itself is treated as a surrogate is, wherever it stands.

use std::fmt::Write as _;

use crate::value::Value;
use crate::wtf8;

/// The first character for private use. Any would do; this one is rarely in a text.
const MARK: char = '\u{E000}';
const MARK_UNIT: u16 = 0xE000;

/// The text with marks, or `None` if it has no lone surrogates.
pub(super) fn mark(text: &str) -> Option<String> {
    if !text.contains(r"\ud") && !text.contains(r"\uD") {
        return None;
    }
    let mut marked = String::with_capacity(text.len());
    let mut any_lone = false;
    let mut rest = text;
    while let Some(start) = rest.find(['\\', MARK]) {
        marked.push_str(&rest[..start]);
        rest = &rest[start..];
        let (length, unit) = match escaped_unit(rest) {
            None if rest.starts_with(MARK) => (MARK.len_utf8(), Some(MARK_UNIT)),
            Some(0xD800..0xDC00) if matches!(escaped_unit(&rest[6..]), Some(0xDC00..0xE000)) => {
                (12, None)
            }
            Some(unit @ 0xD800..0xE000) => {
                any_lone = true;
                (6, Some(unit))
            }
            Some(MARK_UNIT) => (6, Some(MARK_UNIT)),
            Some(_) => (6, None),
            // Another escape: of one character, which may be a backslash.
            None => {
                let escaped = rest[1..].chars().next();
                (1 + escaped.map_or(0, char::len_utf8), None)
            }
        };
        match unit {
            Some(unit) => write!(marked, "{MARK}u{unit:04x}").expect("a string takes all text"),
            None => marked.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    marked.push_str(rest);
    any_lone.then_some(marked)
}

/// What a string of a marked text stands for.
pub(super) fn unmark(marked: String) -> Value {
    let mut pieces = marked.split(MARK);
    let start = pieces.next().unwrap_or_default();
    if start.len() == marked.len() {
        return Value::Str(marked);
    }
    let mut bytes = start.as_bytes().to_vec();
    for piece in pieces {
        let (unit, text) = piece.split_at("ud800".len());
        let unit = u16::from_str_radix(&unit[1..], 16)
            .expect("`mark` writes four hexadecimal digits behind every mark");
        bytes.extend(wtf8::encode(unit));
        bytes.extend_from_slice(text.as_bytes());
    }
    Value::from_surrogate_utf8(bytes).expect("only surrogates were put between text")
}

/// The unit of UTF-16 that a text begins with, if it begins with the escape of one.
fn escaped_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix(r"\u")?.get(..4)?;
    // The parsing of numbers would take a sign.
    let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    hexadecimal.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn there_and_back(text: &str, value: &[u8]) {
        let marked = mark(text).unwrap();
        assert_eq!(marked.chars().count(), text.chars().count());
        let parsed: String = serde_json::from_str(&marked).unwrap();
        assert_eq!(unmark(parsed), Value::SurrogateStr(value.to_vec()));
    }

    #[test]
    fn lone_surrogates_come_back() {
        there_and_back(r#""\ud800""#, b"\xed\xa0\x80");
        there_and_back(r#""a\uDFFFé\udc00""#, b"a\xed\xbf\xbf\xc3\xa9\xed\xb0\x80");
        // The low one comes first, and then two high ones, the last of which has a partner.
        there_and_back(
            r#""\udc00\ud83d\ud83d\ude00""#,
            b"\xed\xb0\x80\xed\xa0\xbd\xf0\x9f\x98\x80",
        );
        there_and_back(r#""\\\ud800\\ud800""#, b"\\\xed\xa0\x80\\ud800");
        there_and_back(
            r#""\ud800\ue000\uE000""#,
            b"\xed\xa0\x80\xee\x80\x80\xee\x80\x80",
        );
    }

    #[test]
    fn the_mark_itself_comes_back() {
        let marked = mark("\"\u{E000}\\ud800\u{E000}ud800\"").unwrap();
        let parsed: String = serde_json::from_str(&marked).unwrap();
        let expected = b"\xee\x80\x80\xed\xa0\x80\xee\x80\x80ud800".to_vec();
        assert_eq!(unmark(parsed), Value::SurrogateStr(expected));
    }

    #[test]
    fn other_texts_are_left_alone() {
        for text in [
            r#""\ud83d\ude00""#,
            r#""\\ud800""#,
            r#""\ud80""#,
            r#""\ud8+0""#,
            r#""\ud8é""#,
            r#""\é\"\u0041 \ue000 \ud83d\ude00""#,
            "\"\u{E000}\"",
            r"\ud83",
            "\\",
        ] {
            assert_eq!(mark(text), None, "{text}");
        }
        assert_eq!(unmark("plain".to_owned()), Value::from("plain"));
    }
}
