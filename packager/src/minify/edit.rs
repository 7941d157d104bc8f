//! Changes to a text as spans of it, and the one place that carries them out.

use std::borrow::Cow;

use ruff_text_size::{Ranged, TextRange, TextSize};

use super::line_map::{LineMap, LineMapBuilder};

/// Replace a span of the original text by something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    range: TextRange,
    pub(super) replacement: Cow<'static, str>,
}

impl Edit {
    pub(super) fn delete(range: TextRange) -> Self {
        Self::replace(range, "")
    }

    pub(super) fn replace(range: TextRange, replacement: impl Into<Cow<'static, str>>) -> Self {
        Self {
            range,
            replacement: replacement.into(),
        }
    }

    /// Whether `inner` lies in what this edit replaces. An insertion at its start does not.
    fn swallows(&self, inner: &Self) -> bool {
        self.range.contains_range(inner.range)
            && !(inner.range.is_empty() && inner.start() == self.start())
    }
}

impl Ranged for Edit {
    fn range(&self) -> TextRange {
        self.range
    }
}

/// Edits in the order of the text, each once. Where a wide edit covers narrower ones (a gap between two tokens covers the
/// comments in it), the wide one has been made knowing of them and is the only one that counts.
///
/// Two edits that overlap without one covering the other are a mistake of a pass; the later one is dropped, and the
/// comparison of the trees finds what comes of it.
pub(super) fn in_order(mut edits: Vec<Edit>) -> Vec<Edit> {
    edits.sort_by_key(|edit| {
        let insertion_first = !edit.range.is_empty();
        (edit.start(), insertion_first, std::cmp::Reverse(edit.end()))
    });
    let mut ordered: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        let fits = ordered
            .last()
            .is_none_or(|last| last.end() <= edit.start() && !last.swallows(&edit));
        if fits {
            ordered.push(edit);
        }
    }
    ordered
}

/// Carry out `edits`, which are [in order](in_order).
pub(super) fn apply(text: &str, edits: &[Edit]) -> (String, LineMap) {
    let mut output = Output {
        source: text,
        text: String::with_capacity(text.len()),
        lines: LineMapBuilder::new(text),
        at_line_start: true,
    };
    let mut done = TextSize::new(0);
    for edit in edits {
        output.keep(TextRange::new(done, edit.start()));
        output.replace(edit);
        done = edit.end();
    }
    output.keep(TextRange::new(done, TextSize::of(text)));
    (output.text, output.lines.finish())
}

struct Output<'a> {
    source: &'a str,
    text: String,
    lines: LineMapBuilder<'a>,
    at_line_start: bool,
}

impl Output<'_> {
    fn keep(&mut self, range: TextRange) {
        let mut offset = range.start();
        for line in self.source[range].split_inclusive('\n') {
            self.push(line, offset);
            offset += TextSize::of(line);
        }
    }

    fn replace(&mut self, edit: &Edit) {
        let mut offset = edit.start();
        for line in edit.replacement.split_inclusive('\n') {
            if line.bytes().all(|byte| byte == b' ') {
                // Indentation stands for whatever follows it: that is what names the line.
                self.text.push_str(line);
                continue;
            }
            self.push(line, offset);
            // Newlines that are left over stand for those that were there.
            let rest = &self.source[TextRange::new(offset, edit.end())];
            if let Some(line) = rest.split_inclusive('\n').next()
                && line.ends_with('\n')
            {
                offset += TextSize::of(line);
            }
        }
    }

    /// Append a line, or a part of one, that comes from `offset` of the original.
    fn push(&mut self, line: &str, offset: TextSize) {
        if self.at_line_start {
            self.lines.line_starts_at(offset);
        }
        self.at_line_start = line.ends_with('\n');
        self.text.push_str(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u32, end: u32) -> TextRange {
        TextRange::new(start.into(), end.into())
    }

    #[track_caller]
    fn applied(text: &str, edits: Vec<Edit>, expected: &str, lines: &[u32]) {
        let (output, map) = apply(text, &in_order(edits));
        assert_eq!(output, expected);
        let mapped: Vec<_> = (1..).map_while(|line| map.original(line)).collect();
        assert_eq!(mapped, lines);
    }

    #[test]
    fn edits_are_carried_out_in_the_order_of_the_text() {
        applied(
            "a b c",
            vec![
                Edit::replace(range(4, 5), "C"),
                Edit::replace(range(0, 1), "A"),
                Edit::delete(range(1, 2)),
            ],
            "Ab C",
            &[1],
        );
    }

    #[test]
    fn a_wide_edit_counts_alone() {
        applied(
            "a # b\nc",
            vec![Edit::delete(range(2, 5)), Edit::replace(range(1, 6), "\n")],
            "a\nc",
            &[1, 2],
        );
    }

    #[test]
    fn an_insertion_stands_before_what_is_replaced_there() {
        applied(
            "ab",
            vec![
                Edit::replace(range(1, 2), "B"),
                Edit::replace(range(1, 1), "-"),
            ],
            "a-B",
            &[1],
        );
    }

    #[test]
    fn a_line_comes_from_where_its_first_character_comes_from() {
        applied(
            "a\n\n\n  b\n  c\n",
            vec![
                Edit::replace(range(1, 6), "\n "),
                Edit::delete(range(8, 10)),
            ],
            "a\n b\nc\n",
            &[1, 4, 5],
        );
    }

    #[test]
    fn newlines_that_are_left_keep_their_lines() {
        applied(
            "if a:\n  'b\n\nc'\nd\n",
            vec![Edit::replace(range(8, 14), "(0\n\n)")],
            "if a:\n  (0\n\n)\nd\n",
            &[1, 2, 3, 4, 5],
        );
    }

    #[test]
    fn nothing_has_no_lines() {
        applied("# c\n", vec![Edit::delete(range(0, 4))], "", &[]);
        applied("", vec![], "", &[]);
    }

    #[test]
    fn a_text_may_end_without_a_newline() {
        applied("a\nb", vec![Edit::delete(range(0, 2))], "b", &[2]);
    }
}
