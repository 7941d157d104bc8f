//! The lines of a text.

use rustpython_ruff_text_size::TextSize;

/// Where the lines of a text begin, in order. Texts have no line ends but `\n`: reading them has seen to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lines(Vec<TextSize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let starts = memchr::memchr_iter(b'\n', text.as_bytes())
            // The parser's offsets are 32 bits, and it reads no longer text than that.
            .map_while(|at| TextSize::try_from(at + 1).ok());
        Self(std::iter::once(TextSize::new(0)).chain(starts).collect())
    }

    /// The line of `at`, from 1; the last one for what lies behind the text.
    pub(super) fn line(&self, at: TextSize) -> u32 {
        let line = self.0.partition_point(|start| *start <= at);
        u32::try_from(line).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_with_its_newline() {
        let lines = Lines::of("a\n\nbc\n");
        let line = |at| lines.line(TextSize::new(at));
        let all: Vec<u32> = (0..7).map(line).collect();
        assert_eq!(all, [1, 1, 2, 3, 3, 3, 4]);
        assert_eq!(line(100), 4);
        assert_eq!(Lines::of("").line(TextSize::new(0)), 1);
    }
}
