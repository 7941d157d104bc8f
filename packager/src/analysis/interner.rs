//! Texts by number: a text that was numbered before has the number it had.

use std::hash::BuildHasher as _;
use std::ops::Range;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

/// Texts, one behind the other, by number.
#[derive(Debug, Default)]
pub(super) struct Texts {
    all: String,
    /// Where each text ends; it begins where the one before it ends.
    ends: Vec<usize>,
}

impl Texts {
    /// The text of a number that was given out.
    pub(super) fn get(&self, number: u32) -> &str {
        &self.all[self.range(number)]
    }

    /// The same where nobody asks whether characters begin and end there.
    fn bytes(&self, number: u32) -> &[u8] {
        &self.all.as_bytes()[self.range(number)]
    }

    fn range(&self, number: u32) -> Range<usize> {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[number]
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All of them, in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends
            .iter()
            .map(move |end| &self.all[std::mem::replace(&mut start, *end)..*end])
    }
}

/// Gives numbers to texts, from 0 on.
#[derive(Debug, Default)]
pub(super) struct Interner {
    numbers: HashTable<u32>,
    texts: Texts,
}

impl Interner {
    /// With room for `texts` texts.
    pub(super) fn with_capacity(texts: usize) -> Self {
        Self {
            numbers: HashTable::with_capacity(texts),
            texts: Texts {
                all: String::with_capacity(8 * texts),
                ends: Vec::with_capacity(texts),
            },
        }
    }

    /// The number of `text`.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        let Self { numbers, texts } = self;
        let hash = |text: &str| FxBuildHasher.hash_one(text);
        let hash_of_text = hash(text);
        // Most are known: those need no room.
        let known = numbers.find(hash_of_text, |number| {
            texts.bytes(*number) == text.as_bytes()
        });
        if let Some(number) = known {
            return *number;
        }
        // The parser's offsets are 32 bits, and no text is a name twice.
        let number = u32::try_from(texts.len()).unwrap_or(u32::MAX);
        numbers.insert_unique(hash_of_text, number, |number| hash(texts.get(*number)));
        texts.all.push_str(text);
        texts.ends.push(texts.all.len());
        number
    }

    /// The text of a number that was given out.
    pub(super) fn text(&self, number: u32) -> &str {
        self.texts.get(number)
    }

    /// The texts alone.
    pub(super) fn into_texts(self) -> Texts {
        self.texts
    }
}

#[cfg(test)]
mod tests {
    use super::Interner;

    #[test]
    fn a_text_keeps_its_number() {
        let mut interner = Interner::default();
        let numbers: Vec<u32> = ["a", "", "bc", "a", "", "b"]
            .into_iter()
            .map(|text| interner.number(text))
            .collect();
        assert_eq!(numbers, [0, 1, 2, 0, 1, 3]);
        assert_eq!(interner.text(2), "bc");
        let texts = interner.into_texts();
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["a", "", "bc", "b"]);
        assert_eq!(texts.len(), 4);
    }
}
