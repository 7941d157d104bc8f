//! Pass: comments go, and the blanks before them.
//!
//! That includes `#!`, encodings (the text is decoded already) and types. A comment inside an f-string or a t-string
//! stays, because those may show their own text.

use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::edit::Edit;
use super::strings::OutsideOfInterpolated;

/// The edits that take comments out.
pub(super) fn edits(text: &str, tokens: &Tokens) -> Vec<Edit> {
    let mut outside = OutsideOfInterpolated::default();
    tokens
        .iter()
        .filter(|token| outside.holds(token) && token.kind() == TokenKind::Comment)
        .map(|comment| {
            let before = text[..comment.start().to_usize()].trim_end_matches([' ', '\t', '\x0c']);
            Edit::delete(TextRange::new(TextSize::of(before), comment.end()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::minify::Pass;
    use crate::minify::tests::{becomes, stays};

    #[track_caller]
    fn without_comments(before: &str, after: &str) {
        becomes(&[Pass::Comments], before, after);
    }

    #[test]
    fn on_their_own_line_and_behind_code() {
        without_comments("# a\nx = 1  # b\n  # c\ny = 2\t# d", "\nx = 1\n\ny = 2");
        without_comments("#!/usr/bin/python\n# -*- coding: utf-8 -*-\n", "\n\n");
        without_comments("x = [] # type: list[int]\n", "x = []\n");
        without_comments("# only", "");
    }

    #[test]
    fn in_brackets_and_between_decorators() {
        without_comments("f(a, # a\n  # b\n  b)\n", "f(a,\n\n  b)\n");
        without_comments(
            "@a # a\n# b\n@b\ndef f(): pass\n",
            "@a\n\n@b\ndef f(): pass\n",
        );
        without_comments(
            "if x: # a\n# b\n  y\n   # c\nelse: # d\n  z\n",
            "if x:\n\n  y\n\nelse:\n  z\n",
        );
    }

    #[test]
    fn hashes_in_strings_stay() {
        stays(&[Pass::Comments], "x = '# a'\ny = '''\n# b\n'''\n");
        stays(&[Pass::Comments], "x = f'{a:#x} # {b}'\n");
        stays(&[Pass::Comments], "x = f'''{\na # b\n = }'''\n");
        stays(&[Pass::Comments], "x = t'''{\na # b\n}'''\n");
    }
}
