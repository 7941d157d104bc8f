//! Whether a minified text still says what it is to say.

use ruff_python_ast::ModModule;
use ruff_python_ast::comparable::ComparableStmt;
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::edit::Edit;

/// A text and what the parser made of it.
pub(super) struct Read<'a> {
    pub(super) text: &'a str,
    pub(super) tree: ModModule,
    /// Where f-strings and t-strings are: trees do not have all of their text, but programs can see it.
    pub(super) shown: Vec<TextRange>,
}

/// Compare the tree that is wanted with that of `minified`, and the text of f-strings and t-strings with that before
/// `edits`.
///
/// # Errors
///
/// The first place of the wanted text that is not the same any more.
pub(super) fn compare(
    wanted: &Read<'_>,
    edits: &[Edit],
    minified: &Read<'_>,
) -> Result<(), TextSize> {
    compare_trees(wanted, minified)?;
    compare_shown(wanted, edits, minified)
}

fn compare_trees(wanted: &Read<'_>, minified: &Read<'_>) -> Result<(), TextSize> {
    let end = TextSize::of(wanted.text);
    let (wanted, read) = (&wanted.tree.body, &minified.tree.body);
    // One statement at a time: what is made for the comparison is as large as the tree.
    for (wanted, read) in wanted.iter().zip(read) {
        if ComparableStmt::from(wanted) != ComparableStmt::from(read) {
            return Err(wanted.start());
        }
    }
    match wanted.get(read.len()) {
        Some(missing) => Err(missing.start()),
        None if read.len() > wanted.len() => Err(end),
        None => Ok(()),
    }
}

fn compare_shown(wanted: &Read<'_>, edits: &[Edit], minified: &Read<'_>) -> Result<(), TextSize> {
    let mut edits = edits.iter().peekable();
    let mut left = minified.shown.iter();
    for &range in &wanted.shown {
        while edits.next_if(|edit| edit.end() <= range.start()).is_some() {}
        if edits
            .peek()
            .is_some_and(|edit| edit.range().contains_range(range))
        {
            // It went with its statement, or it would be missed in the tree.
            continue;
        }
        let same = left
            .next()
            .is_some_and(|&left| minified.text[left] == wanted.text[range]);
        if !same {
            return Err(range.start());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ruff_python_parser::parse_module;

    use super::*;
    use crate::minify::strings::interpolated;

    #[track_caller]
    fn compared(original: &str, minified: &str, expected: Result<(), u32>) {
        let [original, minified] = [original, minified].map(|text| {
            let parsed = parse_module(text).expect("Python");
            Read {
                text,
                shown: interpolated(parsed.tokens()).collect(),
                tree: parsed.into_syntax(),
            }
        });
        assert_eq!(
            compare(&original, &[], &minified).map_err(u32::from),
            expected
        );
    }

    #[test]
    fn layout_makes_no_difference() {
        compared(
            "def f( a ):\n\n    return (a)  # b\n",
            "def f(a):\n return a",
            Ok(()),
        );
        compared("x = 'a' 'b'\n", "x='a''b'", Ok(()));
    }

    #[test]
    fn everything_else_does() {
        compared("a\nb = 1\n", "a\nb = 2\n", Err(2));
        compared("a\nb = 1\n", "a\nc = 1\n", Err(2));
        compared("a\nb = 'x'\n", "a\nb = 'y'\n", Err(2));
        compared("a\nb\n", "a\n", Err(2));
        compared("a\n", "a\nb\n", Err(2));
        compared("if a:\n b\n c\n", "if a:\n b\nc\n", Err(0));
        compared("a - (b - c)\n", "a - b - c\n", Err(0));
        compared("f(a, b=1)\n", "f(a, c=1)\n", Err(0));
        compared("x: int = 1\n", "x = 1\n", Err(0));
    }

    #[test]
    fn text_that_is_shown_is_compared() {
        compared("a = f'{b  =}'\n", "a=f'{b  =}'\n", Ok(()));
        compared("a = f'{b  =}'\n", "a=f'{b =}'\n", Err(0));
        compared("a = f'{b+c=}'\n", "a=f'{b + c=}'\n", Err(0));
        compared("a = t'{b + c}'\n", "a=t'{b+c}'\n", Err(4));
        compared("a = f'' + t'{b + c}'\n", "a=f''+t'{b+c}'\n", Err(10));
    }
}
