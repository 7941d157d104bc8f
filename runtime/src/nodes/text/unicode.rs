//! Python's text methods, on the Unicode of CPython 3.14.
//!
//! Lone surrogates are no letters, without case, and end a word; so text is cut at them. The test compares code points
//! with what CPython says about them.

use crate::unicode::{is_word, lower, push_upper};
use crate::value::Value;
use crate::wtf8::{self, Piece};

/// Text that may hold lone surrogates, as Python's `str` may.
#[derive(Clone, Copy, Debug)]
pub(in crate::nodes) enum Text<'a> {
    Plain(&'a str),
    /// UTF-8 in which surrogates are encoded too.
    Surrogates(&'a [u8]),
}

/// Text being put together.
#[derive(Default)]
struct Builder(Vec<u8>);

impl<'a> Text<'a> {
    /// The text of a value; `None` for other kinds.
    pub(in crate::nodes) fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::Str(text) => Some(Self::Plain(text)),
            Value::SurrogateStr(bytes) => Some(Self::Surrogates(bytes)),
            _ => None,
        }
    }

    /// `str.upper()`.
    pub(in crate::nodes) fn upper(self) -> Value {
        self.rewritten(|text, upper| text.chars().for_each(|c| push_upper(upper, c)))
    }

    /// `str.lower()`.
    pub(in crate::nodes) fn lower(self) -> Value {
        self.rewritten(|text, lowered| lowered.push_str(&lower(text)))
    }

    /// The text with `str.capitalize()` applied to every word: runs of `\w`, which apostrophes may hold together.
    pub(in crate::nodes) fn title(self) -> Value {
        self.rewritten(|text, title| {
            let mut behind = 0;
            for (start, end) in words(text) {
                title.push_str(&text[behind..start]);
                capitalize(&text[start..end], title);
                behind = end;
            }
            title.push_str(&text[behind..]);
        })
    }

    /// `text[::-1]`: code points in reverse.
    pub(in crate::nodes) fn reversed(self) -> Value {
        let mut pieces: Vec<Piece> = self.pieces().collect();
        pieces.reverse();
        let mut reversed = Builder::default();
        for piece in pieces {
            match piece {
                Piece::Text(text) => reversed.text(&text.chars().rev().collect::<String>()),
                Piece::Surrogate(unit) => reversed.surrogate(unit),
            }
        }
        reversed.finish()
    }

    /// How many words there are, as [`Text::title`] sees them.
    pub(in crate::nodes) fn words(self) -> usize {
        let in_piece = |piece| match piece {
            Piece::Text(text) => words(text).count(),
            Piece::Surrogate(_) => 0,
        };
        self.pieces().map(in_piece).sum()
    }

    /// `len(text)`: code points.
    pub(in crate::nodes) fn length(self) -> usize {
        let of_piece = |piece| match piece {
            Piece::Text(text) => text.chars().count(),
            Piece::Surrogate(_) => 1,
        };
        self.pieces().map(of_piece).sum()
    }

    fn rewritten(self, rewrite: impl Fn(&str, &mut String)) -> Value {
        let mut rewritten = Builder::default();
        for piece in self.pieces() {
            match piece {
                Piece::Text(text) => {
                    let mut other = String::with_capacity(text.len());
                    rewrite(text, &mut other);
                    rewritten.text(&other);
                }
                Piece::Surrogate(unit) => rewritten.surrogate(unit),
            }
        }
        rewritten.finish()
    }

    fn pieces(self) -> impl Iterator<Item = Piece<'a>> {
        let (plain, bytes) = match self {
            Self::Plain(text) => (Some(text), [].as_slice()),
            Self::Surrogates(bytes) => (None, bytes),
        };
        let pieces = wtf8::pieces(bytes)
            .map(|piece| piece.expect("a value's surrogate text is checked when it is made"));
        plain.map(Piece::Text).into_iter().chain(pieces)
    }
}

/// Where words lie in a text without unassigned code points: what `\w+(?:['’]\w+)*` matches.
fn words(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(is_word)?;
        let mut end = start + run_of_word(&text[start..]);
        while let Some(apostrophe) = text[end..].chars().next().filter(|c| "'’".contains(*c)) {
            let behind = end + apostrophe.len_utf8();
            match run_of_word(&text[behind..]) {
                0 => break,
                run => end = behind + run,
            }
        }
        at = end;
        Some((start, end))
    })
}

fn run_of_word(text: &str) -> usize {
    text.find(|c| !is_word(c)).unwrap_or(text.len())
}

impl Builder {
    fn text(&mut self, text: &str) {
        self.0.extend(text.bytes());
    }

    fn surrogate(&mut self, unit: u16) {
        self.0.extend(wtf8::encode(unit));
    }

    fn finish(self) -> Value {
        Value::from_surrogate_utf8(self.0).expect("put together from valid parts")
    }
}

/// `str.capitalize()`, of a text that is not empty.
fn capitalize(word: &str, capitalized: &mut String) {
    let first = word.chars().next().expect("a word has a code point");
    match title_case(first) {
        Some(title) => capitalized.push_str(title),
        None if is_its_own_title(first) => capitalized.push(first),
        None => push_upper(capitalized, first),
    }
    // Lowered as a whole, because a sigma's form depends on what is before it.
    let lower_first = lower(&word[..first.len_utf8()]).len();
    capitalized.push_str(&lower(word)[lower_first..]);
}

/// Letters that are title case already, and Georgian ones, which have upper case only in all capitals.
fn is_its_own_title(c: char) -> bool {
    matches!(c,
        '\u{10D0}'..='\u{10FA}' | '\u{10FD}'..='\u{10FF}'
        | '\u{1C5}' | '\u{1C8}' | '\u{1CB}' | '\u{1F2}'
        | '\u{1F88}'..='\u{1F8F}' | '\u{1F98}'..='\u{1F9F}' | '\u{1FA8}'..='\u{1FAF}'
        | '\u{1FBC}' | '\u{1FCC}' | '\u{1FFC}')
}

/// The title case of code points where it is neither the upper case nor the code point itself.
#[rustfmt::skip]
fn title_case(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{DF}' => "Ss", '\u{1C4}' | '\u{1C6}' => "\u{1C5}", '\u{1C7}' | '\u{1C9}' => "\u{1C8}",
        '\u{1CA}' | '\u{1CC}' => "\u{1CB}", '\u{1F1}' | '\u{1F3}' => "\u{1F2}", '\u{587}' => "\u{535}\u{582}",
        '\u{1F80}' => "\u{1F88}", '\u{1F81}' => "\u{1F89}", '\u{1F82}' => "\u{1F8A}",
        '\u{1F83}' => "\u{1F8B}", '\u{1F84}' => "\u{1F8C}", '\u{1F85}' => "\u{1F8D}",
        '\u{1F86}' => "\u{1F8E}", '\u{1F87}' => "\u{1F8F}", '\u{1F90}' => "\u{1F98}",
        '\u{1F91}' => "\u{1F99}", '\u{1F92}' => "\u{1F9A}", '\u{1F93}' => "\u{1F9B}",
        '\u{1F94}' => "\u{1F9C}", '\u{1F95}' => "\u{1F9D}", '\u{1F96}' => "\u{1F9E}",
        '\u{1F97}' => "\u{1F9F}", '\u{1FA0}' => "\u{1FA8}", '\u{1FA1}' => "\u{1FA9}",
        '\u{1FA2}' => "\u{1FAA}", '\u{1FA3}' => "\u{1FAB}", '\u{1FA4}' => "\u{1FAC}",
        '\u{1FA5}' => "\u{1FAD}", '\u{1FA6}' => "\u{1FAE}", '\u{1FA7}' => "\u{1FAF}",
        '\u{1FB2}' => "\u{1FBA}\u{345}", '\u{1FB3}' => "\u{1FBC}", '\u{1FB4}' => "\u{386}\u{345}",
        '\u{1FB7}' => "\u{391}\u{342}\u{345}", '\u{1FC2}' => "\u{1FCA}\u{345}", '\u{1FC3}' => "\u{1FCC}",
        '\u{1FC4}' => "\u{389}\u{345}", '\u{1FC7}' => "\u{397}\u{342}\u{345}",
        '\u{1FF2}' => "\u{1FFA}\u{345}", '\u{1FF3}' => "\u{1FFC}", '\u{1FF4}' => "\u{38F}\u{345}",
        '\u{1FF7}' => "\u{3A9}\u{342}\u{345}", '\u{FB00}' => "Ff", '\u{FB01}' => "Fi", '\u{FB02}' => "Fl",
        '\u{FB03}' => "Ffi", '\u{FB04}' => "Ffl", '\u{FB05}' | '\u{FB06}' => "St",
        '\u{FB13}' => "\u{544}\u{576}", '\u{FB14}' => "\u{544}\u{565}", '\u{FB15}' => "\u{544}\u{56B}",
        '\u{FB16}' => "\u{54E}\u{576}", '\u{FB17}' => "\u{544}\u{56D}",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    /// What CPython 3.14 gives for (beyond lie ideographs and planes without letters)
    ///
    /// ```python
    /// digest, was_word = hashlib.sha256(), False
    /// for c in map(chr, range(0x20000)):
    ///     lower = c.lower()
    ///     for usual, result in [
    ///         (c, c.upper()),
    ///         (c, lower),
    ///         (c, re.sub(r"\w", lambda word: word[0].capitalize(), c)),
    ///         ("a" + lower + "σ", ("A" + c + "Σ").lower()),
    ///         (lower + "σ", (c + "Σ").lower()),
    ///         ("aς" + lower + "a", ("AΣ" + c + "A").lower()),
    ///         (was_word, was_word := re.match(r"\w", c) is not None),
    ///     ]:
    ///         if result != usual:
    ///             digest.update(f"{c}\n{result}\n".encode("utf-8", "surrogatepass"))
    /// digest.hexdigest()
    /// ```
    const OF_CPYTHON: &str = "74b3d9b546029ca1c7eef39ee6fae60685185c486429eae1f3309cd542137346";

    #[test]
    fn code_points_are_as_in_cpython() {
        let bytes = |value| match value {
            Value::Str(text) => text.into_bytes(),
            Value::SurrogateStr(bytes) => bytes,
            other => panic!("{}", other.describe()),
        };
        let (mut said, mut was_word) = (Vec::new(), false);
        for code_point in 0..0x2_0000 {
            let mut c = Builder::default();
            match char::from_u32(code_point) {
                Some(known) => c.text(known.encode_utf8(&mut [0; 4])),
                None => c.surrogate(u16::try_from(code_point).unwrap()),
            }
            let around = |before: &str, middle: &[u8], after: &str| {
                [before.as_bytes(), middle, after.as_bytes()].concat()
            };
            let lower = |before, after| {
                let text = around(before, &c.0, after);
                bytes(Text::Surrogates(&text).lower())
            };
            let text = Text::Surrogates(&c.0);
            let lower_c = lower("", "");
            let is_word = text.words() == 1;
            let python_bool = |truth| Vec::from(if truth { "True" } else { "False" });
            for (usual, result) in [
                (c.0.clone(), bytes(text.upper())),
                (c.0.clone(), lower_c.clone()),
                (c.0.clone(), bytes(text.title())),
                (around("a", &lower_c, "σ"), lower("A", "Σ")),
                (around("", &lower_c, "σ"), lower("", "Σ")),
                (around("aς", &lower_c, "a"), lower("AΣ", "A")),
                (python_bool(was_word), python_bool(is_word)),
            ] {
                if result != usual {
                    said.extend([c.0.as_slice(), b"\n", &result, b"\n"].concat());
                }
            }
            was_word = is_word;
        }
        assert_eq!(Digest::of(&said).to_string(), OF_CPYTHON);
    }

    #[test]
    fn words_are_held_together_by_apostrophes() {
        let title = |text| Text::Plain(text).title();
        assert_eq!(
            title("it's o’clock 'QUOTED'"),
            "It's O’clock 'Quoted'".into()
        );
        assert_eq!(title("''a' 'b_C"), "''A' 'B_c".into());
        assert_eq!(title("ΟΔΟΣ'Σ ΣΑΣ. ǆEP ß ﬁ"), "Οδοσ'ς Σας. ǅep Ss Fi".into());
        assert_eq!(Text::Plain("a''b 1½ 漢字'").words(), 4);
        assert_eq!(Text::Plain("").words(), 0);
    }

    #[test]
    fn unassigned_code_points_and_surrogates_end_words() {
        assert_eq!(Text::Plain("aΣ\u{378}b").title(), "Aς\u{378}B".into());
        let text = b"ab\xed\xb2\x80cd\xed\xa0\x80";
        let text = Text::Surrogates(text);
        assert_eq!((text.words(), text.length()), (2, 6));
        assert_eq!(
            text.title(),
            Value::SurrogateStr(b"Ab\xed\xb2\x80Cd\xed\xa0\x80".to_vec())
        );
        assert_eq!(
            text.reversed(),
            Value::SurrogateStr(b"\xed\xa0\x80dc\xed\xb2\x80ba".to_vec())
        );
    }
}
