//! Pass: as few blanks, newlines and backslashes as keep the tokens and their lines apart.
//!
//! One blank of indentation for each level, no empty lines, no line ends with a blank or `;`. Every statement keeps a line of
//! its own if it had one, and what is in brackets keeps its lines, without indentation: so no two lines of the original meet
//! in one, except inside a statement where a backslash had joined them, and tracebacks can be led back.

use std::borrow::Cow;

use ruff_python_ast::token::{Token, TokenKind, Tokens};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::edit::Edit;
use super::separator::{Ends, needs_blank};
use super::strings::OutsideOfInterpolated;

/// A newline and the indentation of the deepest level that CPython reads.
const DEEPEST: &str = "\n                                                                                                    ";

/// The edits that lay out what is left of a text after `earlier`, which are in order.
pub(super) fn edits(text: &str, tokens: &Tokens, earlier: &[Edit]) -> Vec<Edit> {
    let mut layout = Layout {
        text,
        edits: Vec::new(),
        level: 0,
        brackets: 0,
        end: TextSize::new(0),
        before: None,
        line: Line::Fresh,
        joined: false,
        semicolon: None,
    };
    let mut outside = OutsideOfInterpolated::default();
    let mut interpolated = None;
    let mut earlier = earlier.iter().peekable();
    for token in tokens {
        // What levels there are and where lines end holds for statements that are gone, too.
        match token.kind() {
            TokenKind::Indent => layout.level += 1,
            TokenKind::Dedent => layout.level = layout.level.saturating_sub(1),
            _ => {}
        }
        while let Some(edit) = earlier.next_if(|edit| edit.end() <= token.start()) {
            layout.replaced(edit);
        }
        let gone = earlier.peek().is_some_and(|edit| {
            edit.range().contains_range(token.range()) && !token.range().is_empty()
        });
        if gone {
            continue;
        }
        if outside.holds(token) {
            layout.token(token);
        } else {
            // The whole string is one token, whatever it is made of.
            let start = *interpolated.get_or_insert(token.start());
            if outside.is_outside() {
                interpolated = None;
                layout.piece(TextRange::new(start, token.end()), false);
            }
        }
    }
    earlier.for_each(|edit| layout.replaced(edit));
    layout.finish()
}

/// Where on its line the next token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// It is the first of a logical line.
    Fresh,
    /// It follows another one on the same line.
    Goes,
    /// It is the first of a line inside brackets.
    Broken,
}

struct Layout<'a> {
    text: &'a str,
    edits: Vec<Edit>,
    level: usize,
    /// How many brackets are open.
    brackets: usize,
    /// The end of the last token that stays.
    end: TextSize,
    /// That token; none before the first.
    before: Option<Ends>,
    line: Line,
    /// Whether a newline behind a backslash has been left out of the line so far.
    joined: bool,
    /// A semicolon that stays only if something follows it on its line.
    semicolon: Option<TextRange>,
}

impl Layout<'_> {
    fn token(&mut self, token: &Token) {
        match token.kind() {
            TokenKind::Indent | TokenKind::Dedent | TokenKind::EndOfFile => {}
            TokenKind::Newline => {
                self.semicolon = None;
                self.line = Line::Fresh;
            }
            TokenKind::NonLogicalNewline if self.brackets > 0 => self.line = Line::Broken,
            // Behind a comment on its own line, or an empty line.
            TokenKind::NonLogicalNewline => self.line = Line::Fresh,
            TokenKind::Semi => self.semicolon = Some(token.range()),
            kind => {
                match kind {
                    TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => self.brackets += 1,
                    TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                        self.brackets = self.brackets.saturating_sub(1);
                    }
                    _ => {}
                }
                let number = matches!(kind, TokenKind::Int | TokenKind::Float | TokenKind::Complex);
                self.piece(token.range(), number);
            }
        }
    }

    /// What an earlier pass put in the place of something.
    fn replaced(&mut self, edit: &Edit) {
        if !edit.replacement.trim().is_empty() {
            self.put(
                edit.range(),
                Ends::of(&edit.replacement, edit.replacement == "0"),
            );
        }
    }

    /// A token, or several that are as good as one, that stays as it is.
    fn piece(&mut self, range: TextRange, number: bool) {
        self.put(range, Ends::of(&self.text[range], number));
    }

    fn put(&mut self, range: TextRange, ends: Ends) {
        if let Some(semicolon) = self.semicolon.take() {
            self.put(semicolon, Ends::of(";", false));
        }
        let gap = TextRange::new(self.end, range.start());
        let separator = match (self.line, self.before) {
            (Line::Goes, Some(before)) if self.begins_statement_below(before, gap) => {
                Cow::Borrowed("\\\n")
            }
            (Line::Fresh, Some(_)) => line_start(self.level),
            (Line::Broken, Some(_)) => Cow::Borrowed("\n"),
            (Line::Goes, Some(before)) if needs_blank(before, ends) => Cow::Borrowed(" "),
            (_, None) | (Line::Goes, Some(_)) => Cow::Borrowed(""),
        };
        let joins = self.line == Line::Goes && self.text[gap].contains('\n');
        self.joined = !separator.contains('\n') && (self.joined || joins);
        self.fill(gap, separator);
        self.end = range.end();
        self.before = Some(ends);
        self.line = Line::Goes;
    }

    /// Whether what follows `gap` may be a statement that shares a logical line, but not a line, with what is before it:
    /// it keeps its line. Newlines between them are behind backslashes.
    fn begins_statement_below(&self, before: Ends, gap: TextRange) -> bool {
        self.brackets == 0
            && matches!(before.last, b':' | b';')
            && (self.joined || self.text[gap].contains('\n'))
    }

    /// Put `separator` between two tokens.
    fn fill(&mut self, gap: TextRange, separator: Cow<'static, str>) {
        if self.text[gap] != *separator {
            self.edits.push(Edit::replace(gap, separator));
        }
    }

    fn finish(mut self) -> Vec<Edit> {
        let end = if self.before.is_some() { "\n" } else { "" };
        let rest = TextRange::new(self.end, TextSize::of(self.text));
        self.fill(rest, Cow::Borrowed(end));
        self.edits
    }
}

fn line_start(level: usize) -> Cow<'static, str> {
    match DEEPEST.get(..=level) {
        Some(start) => Cow::Borrowed(start),
        None => Cow::Owned(format!("\n{:level$}", "")),
    }
}
