//! JSON text as a document.

use super::document::{Entry, Kind, Located, SyntaxError, check_new_key};
use super::error::Position;
use crate::json::{self, JsonError};
use crate::value::Value;

pub(super) fn read(text: &str) -> Result<Located, SyntaxError> {
    // `serde_json` decides what JSON is, here as for items; what is left to do is to tell where everything stands.
    json::check(text).map_err(not_json)?;
    let start = Position { line: 1, column: 1 };
    Reader {
        rest: text,
        here: start,
    }
    .value()
}

#[inline(never)]
fn not_json(error: JsonError) -> SyntaxError {
    match error {
        JsonError::Syntax {
            line,
            column,
            message,
        } => SyntaxError::new(Position { line, column }, message),
        JsonError::TooDeep | JsonError::NoForm { .. } => {
            SyntaxError::new(Position { line: 1, column: 1 }, error.to_string())
        }
    }
}

/// For a string that begins there, whose own places count from there; it is within one line.
#[inline(never)]
fn not_a_string(error: JsonError, begin: Position) -> SyntaxError {
    let SyntaxError { at, message } = not_json(error);
    let column = begin.column + at.column - 1;
    SyntaxError::new(Position { column, ..begin }, message)
}

/// Goes through a text that is JSON, no deeper than [`json::check`] lets pass, and keeps count of lines and columns.
struct Reader<'a> {
    rest: &'a str,
    /// Where the rest begins.
    here: Position,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Located, SyntaxError> {
        self.skip_space();
        let at = self.here;
        match self.first() {
            b'{' => self.map(at),
            b'[' => self.list(at),
            b'"' => Ok(Located::scalar(self.string()?, at)),
            _ => {
                let scalar = match self.word() {
                    "null" => Value::Null,
                    "true" => true.into(),
                    "false" => false.into(),
                    number => {
                        json::number(number).map_err(|message| SyntaxError::new(at, message))?
                    }
                };
                Ok(Located::scalar(scalar, at))
            }
        }
    }

    fn list(&mut self, at: Position) -> Result<Located, SyntaxError> {
        let mut items = Vec::new();
        self.take(1);
        while !self.is_over(b']') {
            items.push(self.value()?);
        }
        Ok(Located {
            at: Some(at),
            kind: Kind::List(items),
        })
    }

    fn map(&mut self, at: Position) -> Result<Located, SyntaxError> {
        let mut entries = Vec::new();
        self.take(1);
        while !self.is_over(b'}') {
            let key_at = self.here;
            let key = self.string()?;
            check_new_key(&entries, &key, key_at)?;
            self.skip_space();
            self.take(1); // the colon
            entries.push(Entry {
                key,
                key_at: Some(key_at),
                value: self.value()?,
            });
        }
        Located::map(entries, at)
    }

    /// Goes to the next item of a list or map; behind its closing bracket if there is none.
    fn is_over(&mut self, bracket: u8) -> bool {
        self.skip_space();
        let is_over = self.first() == bracket;
        if is_over || self.first() == b',' {
            self.take(1);
            self.skip_space();
        }
        is_over
    }

    fn string(&mut self) -> Result<String, SyntaxError> {
        let at = self.here;
        let mut bytes = self.rest.bytes().enumerate().skip(1);
        let mut has_escapes = false;
        let mut end = self.rest.len();
        while let Some((index, byte)) = bytes.next() {
            match byte {
                b'"' => {
                    end = index + 1;
                    break;
                }
                b'\\' => {
                    has_escapes = true;
                    bytes.next();
                }
                _ => {}
            }
        }
        let literal = self.take(end);
        if has_escapes {
            json::string(literal).map_err(|error| not_a_string(error, at))
        } else {
            Ok(literal[1..literal.len() - 1].to_owned())
        }
    }

    /// A number, or one of the three words.
    fn word(&mut self) -> &'a str {
        let ends = |byte: u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
        let end = self.rest.bytes().position(ends);
        self.take(end.unwrap_or(self.rest.len()))
    }

    fn first(&self) -> u8 {
        *self.rest.as_bytes().first().unwrap_or(&b' ')
    }

    fn skip_space(&mut self) {
        let is_space = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        while !self.rest.is_empty() && is_space(self.first()) {
            if self.take(1) == "\n" {
                self.here.line += 1;
                self.here.column = 1;
            }
        }
    }

    /// Goes on by so many bytes, none of which begins a line.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.here.column += taken.chars().count();
        taken
    }
}
