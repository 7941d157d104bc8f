//! Where f-strings and t-strings are, nested ones included.
//!
//! `f"{a = }"` and every t-string can show the text of their expressions, so nothing in them is ever changed.

use ruff_python_ast::token::{Token, TokenKind, Tokens};
use ruff_text_size::{Ranged, TextRange};

/// Follows tokens in order and knows whether they are in an f-string or a t-string.
#[derive(Debug, Default)]
pub(super) struct OutsideOfInterpolated {
    depth: usize,
}

impl OutsideOfInterpolated {
    /// Whether the token after the last one is.
    pub(super) fn is_outside(&self) -> bool {
        self.depth == 0
    }

    /// Whether `token`, the next one, is outside of interpolated strings; their first and last tokens are not.
    pub(super) fn holds(&mut self, token: &Token) -> bool {
        let was_outside = self.depth == 0;
        match token.kind() {
            TokenKind::FStringStart | TokenKind::TStringStart => self.depth += 1,
            TokenKind::FStringEnd | TokenKind::TStringEnd => {
                self.depth = self.depth.saturating_sub(1);
            }
            _ => {}
        }
        was_outside && self.depth == 0
    }
}

/// The interpolated strings of a text, outermost ones only.
pub(super) fn interpolated(tokens: &Tokens) -> impl Iterator<Item = TextRange> {
    let mut outside = OutsideOfInterpolated::default();
    let mut start = None;
    tokens.iter().filter_map(move |token| {
        let was_outside = outside.is_outside();
        if outside.holds(token) {
            return None;
        }
        if was_outside {
            start = Some(token.start());
        }
        if !outside.is_outside() {
            return None;
        }
        start.take().map(|start| TextRange::new(start, token.end()))
    })
}

#[cfg(test)]
mod tests {
    use ruff_python_parser::parse_module;

    use super::*;

    #[test]
    fn outermost_strings_are_found() {
        let text = "a = f'{b:{c}}' 'd' f'''\n{e!r:>{t'{f}'}}'''\ng = t'' + f'{ '' }'\n";
        let parsed = parse_module(text).expect("Python");
        let found: Vec<_> = interpolated(parsed.tokens())
            .map(|range| &text[range])
            .collect();
        let expected = ["f'{b:{c}}'", "f'''\n{e!r:>{t'{f}'}}'''", "t''", "f'{ '' }'"];
        assert_eq!(found, expected);
    }
}
