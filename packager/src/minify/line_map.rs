//! From the lines of a minified text to the lines of the text it was made from.

use ruff_text_size::TextSize;
use serde::{Deserialize, Serialize};

/// Which line of the original each line of a minified text comes from.
///
/// A line comes from where its first character comes from. A statement never moves to the line of another, so the first
/// line of each statement leads to the first line of that statement; lines are numbered from 1, as in tracebacks.
///
/// Kept as runs: from `(minified, original)` on, both count up together until the next run begins. As JSON it is the
/// list of these pairs after the number of lines, `[6, [[1, 1], [2, 5]]]` for six lines that come from line 1 and lines 5
/// to 9.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Encoded", into = "Encoded")]
pub struct LineMap {
    lines: u32,
    runs: Vec<(u32, u32)>,
}

type Encoded = (u32, Vec<(u32, u32)>);

impl LineMap {
    /// The line of the original that `line` of the minified text comes from; none if there is no such line.
    pub fn original(&self, line: u32) -> Option<u32> {
        if line == 0 || line > self.lines {
            return None;
        }
        let after = self.runs.partition_point(|&(minified, _)| minified <= line);
        let &(minified, original) = self.runs.get(after.checked_sub(1)?)?;
        Some(original + (line - minified))
    }

    /// How many lines the minified text has.
    pub fn lines(&self) -> u32 {
        self.lines
    }

    /// The map of a text that was not changed.
    pub(super) fn unchanged(text: &str) -> Self {
        let lines = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
        Self {
            lines,
            runs: if lines == 0 { vec![] } else { vec![(1, 1)] },
        }
    }
}

impl From<LineMap> for Encoded {
    fn from(map: LineMap) -> Self {
        (map.lines, map.runs)
    }
}

/// What was read is no line map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a line map is [lines, [[minified, original], ...]] with pairs from line 1 on, each beyond the one before and none beyond the lines"
)]
pub struct NotALineMap;

impl TryFrom<Encoded> for LineMap {
    type Error = NotALineMap;

    fn try_from((lines, runs): Encoded) -> Result<Self, NotALineMap> {
        let from_the_first = runs
            .first()
            .map_or(lines == 0, |&(minified, _)| minified == 1);
        let rising = runs.windows(2).all(|pair| {
            let ((minified, original), (next_minified, next_original)) = (pair[0], pair[1]);
            next_minified
                .checked_sub(minified)
                .filter(|&count| count > 0)
                .and_then(|count| original.checked_add(count))
                .is_some_and(|end| next_original >= end)
        });
        let within = runs.last().is_none_or(|&(minified, original)| {
            lines
                .checked_sub(minified)
                .is_some_and(|rest| original.checked_add(rest).is_some())
        });
        let numbered = runs.iter().all(|&(_, original)| original > 0);
        if from_the_first && rising && within && numbered {
            Ok(Self { lines, runs })
        } else {
            Err(NotALineMap)
        }
    }
}

/// Makes a [`LineMap`] while a text is written from front to back.
pub(super) struct LineMapBuilder<'a> {
    source: &'a [u8],
    /// As far as lines of the original have been counted.
    counted: usize,
    original: u32,
    map: LineMap,
}

impl<'a> LineMapBuilder<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self {
            source: source.as_bytes(),
            counted: 0,
            original: 1,
            map: LineMap {
                lines: 0,
                runs: Vec::new(),
            },
        }
    }

    /// The next line of the minified text begins with what is at `offset` of the original. Offsets never go back.
    pub(super) fn line_starts_at(&mut self, offset: TextSize) {
        let offset = offset.to_usize();
        for &byte in &self.source[self.counted..offset] {
            self.original += u32::from(byte == b'\n');
        }
        self.counted = offset;
        self.map.lines += 1;
        let minified = self.map.lines;
        let goes_on = self
            .map
            .runs
            .last()
            .is_some_and(|&(first, original)| original + (minified - first) == self.original);
        if !goes_on {
            self.map.runs.push((minified, self.original));
        }
    }

    pub(super) fn finish(self) -> LineMap {
        self.map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(json: &str) -> Result<LineMap, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn lines_are_found_in_their_run() {
        let map = map("[6,[[1,1],[2,5]]]").expect("a map");
        let found: Vec<_> = (0..8).map(|line| map.original(line)).collect();
        let expected = [
            None,
            Some(1),
            Some(5),
            Some(6),
            Some(7),
            Some(8),
            Some(9),
            None,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_map_survives_being_written() {
        let mut builder = LineMapBuilder::new("a\nb\n\nc\nd\n");
        for offset in [0, 2, 5, 7] {
            builder.line_starts_at(TextSize::new(offset));
        }
        let built = builder.finish();
        let written = serde_json::to_string(&built).expect("plain data");
        assert_eq!(written, "[4,[[1,1],[3,4]]]");
        assert_eq!(map(&written).expect("a map"), built);
    }

    #[test]
    fn what_is_no_map_is_refused() {
        for wrong in [
            "[1,[]]",
            "[3,[[2,1]]]",
            "[3,[[1,0]]]",
            "[3,[[1,4],[1,9]]]",
            "[3,[[1,4],[3,5]]]",
            "[3,[[1,1],[9,9]]]",
            "[4294967295,[[1,2]]]",
            "[4294967295,[[1,4294967295],[2,1]]]",
        ] {
            let error = map(wrong).expect_err(wrong).to_string();
            assert!(error.starts_with("a line map is"), "{error}");
        }
        map("[0,[]]").expect("the map of an empty text");
    }

    #[test]
    fn an_unchanged_text_has_its_own_lines() {
        let map = LineMap::unchanged("a\nb");
        assert_eq!(
            [1, 2, 3].map(|line| map.original(line)),
            [Some(1), Some(2), None]
        );
        assert_eq!(LineMap::unchanged("").lines(), 0);
    }
}
