//! Letters and their case, on the Unicode of CPython 3.14.
//!
//! The standard library has most of it in tables for speed, which are ten times as large, and of another Unicode. These
//! here are packed, and unpacked when one is first asked for. A set is the lengths of what is alternately outside and
//! inside, from 0. A mapping is runs of three numbers each: how far behind the last code point of the run before, the
//! count of code points after the first with, in the lowest bit, whether every second one is meant, and what to add, with
//! the sign in the lowest bit; 0 is added to what becomes several code points. All numbers are LEB128.

mod tables;

use std::sync::LazyLock;

/// A set of code points: where it begins and ends, alternately.
struct Set(Vec<u32>);

/// Some code points, and what to add to them.
struct Run {
    first: u32,
    last: u32,
    step: u32,
    delta: i32,
}

static WORD: LazyLock<Set> = LazyLock::new(|| Set::unpacked(tables::WORD));
static CASED: LazyLock<Set> = LazyLock::new(|| Set::unpacked(tables::CASED));
static IGNORABLE: LazyLock<Set> = LazyLock::new(|| Set::unpacked(tables::IGNORABLE));
static UPPER: LazyLock<Vec<Run>> = LazyLock::new(|| runs(tables::UPPER));
static LOWER: LazyLock<Vec<Run>> = LazyLock::new(|| runs(tables::LOWER));

/// What `\w` matches: letters, numbers of all kinds, and the underscore.
pub(crate) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    WORD.has(c)
}

/// Appends a code point's upper case.
pub(crate) fn push_upper(upper: &mut String, c: char) {
    if c.is_ascii() {
        return upper.push(c.to_ascii_uppercase());
    }
    if let Some(one) = mapped(&UPPER, c) {
        upper.push(one);
    } else {
        let mut many = tables::MANY_UPPER.split(' ');
        upper.push_str(many.find_map(|entry| entry.strip_prefix(c)).unwrap_or(""));
    }
}

/// A text in lower case, in which a sigma's form depends on what is around it.
pub(crate) fn lower(text: &str) -> String {
    let mut lower = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            'Σ' if ends_word(&text[..at], &text[at + c.len_utf8()..]) => lower.push('ς'),
            c if c.is_ascii() => lower.push(c.to_ascii_lowercase()),
            c => match mapped(&LOWER, c) {
                Some(one) => lower.push(one),
                // The only one that becomes several.
                None => lower.push_str("i\u{307}"),
            },
        }
    }
    lower
}

/// Whether a sigma is the last letter of a word, after others.
fn ends_word(before: &str, behind: &str) -> bool {
    let is_cased = |c: Option<char>| c.is_some_and(|c| CASED.has(c));
    is_cased(before.chars().rev().find(|c| !IGNORABLE.has(*c)))
        && !is_cased(behind.chars().find(|c| !IGNORABLE.has(*c)))
}

/// The code point, or the one that it becomes; `None` for several.
fn mapped(runs: &[Run], c: char) -> Option<char> {
    let code_point = u32::from(c);
    let at = runs.partition_point(|run| run.last < code_point);
    match runs.get(at) {
        Some(run)
            if run.first <= code_point && (code_point - run.first).is_multiple_of(run.step) =>
        {
            let other = code_point
                .checked_add_signed(run.delta)
                .and_then(char::from_u32);
            other.filter(|_| run.delta != 0)
        }
        _ => Some(c),
    }
}

impl Set {
    fn unpacked(packed: &[u8]) -> Self {
        let ends = numbers(packed).scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        Self(ends.collect())
    }

    fn has(&self, c: char) -> bool {
        self.0.partition_point(|end| *end <= u32::from(c)) % 2 == 1
    }
}

fn runs(packed: &[u8]) -> Vec<Run> {
    let (mut runs, mut behind) = (Vec::new(), 0);
    let mut numbers = numbers(packed);
    while let (Some(gap), Some(length), Some(delta)) =
        (numbers.next(), numbers.next(), numbers.next())
    {
        let step = length % 2 + 1;
        let first = behind + gap;
        behind = first + length / 2 * step;
        runs.push(Run {
            first,
            last: behind,
            step,
            delta: (delta >> 1).cast_signed() ^ -(delta & 1).cast_signed(),
        });
    }
    runs
}

fn numbers(packed: &[u8]) -> impl Iterator<Item = u32> {
    let mut bytes = packed.iter();
    std::iter::from_fn(move || {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = *bytes.next()?;
            number |= u32::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
    })
}
