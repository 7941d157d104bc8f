//! The lines of a text.

use std::sync::Arc;

use ruff_text_size::TextSize;

/// So many bytes are looked through to tell the line of one: few enough to count line ends in eight bits.
const BLOCK: usize = 128;

/// The lines of a text. It has no line ends but `\n`: reading it has seen to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lines {
    text: Arc<str>,
    /// How many line ends are before each block. That is quicker to find out than where each line begins.
    before: Vec<u32>,
}

impl Lines {
    pub(super) fn of(text: &Arc<str>) -> Self {
        let mut count = 0;
        let blocks = text.as_bytes().chunks(BLOCK);
        let before = blocks.map(|block| {
            let before = count;
            count += newlines_of_block(block);
            before
        });
        Self {
            before: before.collect(),
            text: Arc::clone(text),
        }
    }

    /// The line of `at`, from 1; the last one for what lies behind the text.
    pub(super) fn line(&self, at: TextSize) -> u32 {
        let text = self.text.as_bytes();
        let at = at.to_usize().min(text.len());
        // What stands at the very end belongs to the last block, also where that is full.
        let block = (at / BLOCK).min(self.before.len().saturating_sub(1));
        let before = self.before.get(block).copied().unwrap_or(0);
        1 + before + newlines_of_block(&text[block * BLOCK..at])
    }
}

/// How many line ends are in a [`BLOCK`]: counting in bytes is what processors do many at a time.
fn newlines_of_block(block: &[u8]) -> u32 {
    let count = block
        .iter()
        .fold(0_u8, |count, byte| count + u8::from(*byte == b'\n'));
    u32::from(count)
}

/// How many line ends are in `text`.
pub(super) fn newlines(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Lines {
        Lines::of(&Arc::from(text))
    }

    #[test]
    fn a_line_ends_with_its_newline() {
        let lines_of_three = lines("a\n\nbc\n");
        let line = |at| lines_of_three.line(TextSize::new(at));
        let all: Vec<u32> = (0..7).map(line).collect();
        assert_eq!(all, [1, 1, 2, 3, 3, 3, 4]);
        assert_eq!(line(100), 4);
        assert_eq!(lines("").line(TextSize::new(0)), 1);
    }

    #[test]
    fn lines_of_long_texts_are_counted_on() {
        for text in [
            "\n".repeat(BLOCK),
            "\n".repeat(3 * BLOCK + 1),
            "ab\nc".repeat(BLOCK),
            format!("{}\n", "x".repeat(2 * BLOCK - 1)),
        ] {
            let lines = lines(&text);
            for at in 0..=text.len() {
                let expected = 1 + newlines(&text[..at]);
                let offset = TextSize::try_from(at).expect("it is short");
                assert_eq!(lines.line(offset) as usize, expected, "{at} of {text:?}");
            }
        }
    }
}
