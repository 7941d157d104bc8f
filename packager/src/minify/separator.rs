//! What must stand between two tokens on a line, so that they stay two.

/// What matters of a token for its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    /// Its first byte.
    pub(super) first: u8,
    /// Its last byte.
    pub(super) last: u8,
    /// Whether it is a number.
    pub(super) is_number: bool,
}

impl Ends {
    pub(super) fn of(token: &str, is_number: bool) -> Self {
        let bytes = token.as_bytes();
        Self {
            first: bytes.first().copied().unwrap_or(b' '),
            last: bytes.last().copied().unwrap_or(b' '),
            is_number,
        }
    }
}

/// Whether a blank must stand between two tokens.
///
/// Operators need none: where the grammar lets two of them follow each other, no operator begins with both. A string needs
/// none behind a word, because no word that can stand before a string is a string prefix.
pub(super) fn needs_blank(left: Ends, right: Ends) -> bool {
    if is_in_word(right.first) {
        // `1if x` is read, but deprecated; `0x1for` is read as something else, and so is `1.else`.
        return is_in_word(left.last) || left.is_number;
    }
    match right.first {
        // `1 .real` is an attribute, `1.real` is not.
        b'.' => left.is_number,
        // `'' 'a'` would become a triple quote.
        b'\'' | b'"' => left.last == right.first,
        _ => false,
    }
}

/// Whether a byte is part of a name, a keyword, a number or a string prefix. Letters beyond ASCII are.
fn is_in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn between(left: &str, right: &str, blank: bool) {
        let is_number = |token: &str| token.starts_with(|c: char| c.is_ascii_digit());
        let left_ends = Ends::of(left, is_number(left));
        let right_ends = Ends::of(right, is_number(right));
        assert_eq!(needs_blank(left_ends, right_ends), blank, "{left} {right}");
    }

    #[test]
    fn words_are_kept_apart() {
        between("not", "x", true);
        between("return", "1", true);
        between("is", "é", true);
        between("é", "in", true);
        between("return", "f'x'", true);
        between("def", "_f", true);
    }

    #[test]
    fn numbers_are_kept_from_words_and_dots() {
        between("1", "if", true);
        between("0x1", "for", true);
        between("1.", "else", true);
        between("1", ".", true);
        between("1.", ".", true);
        between("1", "]", false);
    }

    #[test]
    fn strings_are_kept_from_their_own_quotes() {
        between("''", "'a'", true);
        between("\"a\"", "\"\"\"b\"\"\"", true);
        between("'a'", "\"b\"", false);
        between("'a'", "r'b'", false);
        between("return", "'a'", false);
        between("'a'", "in", false);
    }

    #[test]
    fn operators_need_nothing() {
        for (left, right) in [
            ("<", "-"),
            ("-", "-"),
            ("=", "*"),
            (":", ":"),
            ("x", "."),
            (".", "import"),
            ("return", ".5"),
            ("...", "."),
            ("print", "("),
            (")", "if"),
        ] {
            between(left, right, false);
        }
    }
}
