//! Source text to a syntax tree, and the error when it is not Python.

use std::fmt;

use ruff_python_ast::ModModule;
use ruff_python_parser::parse_module;
use ruff_text_size::{Ranged, TextSize};

use super::Link;
use super::lines::Lines;
use crate::nesting::{DEEPEST, nested_too_deep};
use crate::source::ModuleSource;

/// A module's syntax tree with the means to tell line numbers.
#[derive(Debug)]
pub struct ParsedModule {
    /// The tree.
    pub syntax: ModModule,
    pub(super) lines: Lines,
}

impl ParsedModule {
    /// Parses `source`.
    ///
    /// # Errors
    /// [`SyntaxError`] for the first place that is not Python.
    pub fn parse(source: &ModuleSource) -> Result<Self, Box<SyntaxError>> {
        if let Some(offset) = nested_too_deep(&source.text) {
            let message = format!("brackets are nested deeper than {DEEPEST} levels");
            // The parser's offsets are 32 bits, and it reads no longer text than that.
            let offset = TextSize::try_from(offset).unwrap_or_default();
            return Err(Box::new(SyntaxError::new(source, message, offset)));
        }
        match parse_module(&source.text) {
            Ok(parsed) => Ok(Self {
                syntax: parsed.into_syntax(),
                lines: Lines::of(&source.text),
            }),
            Err(error) => Err(Box::new(SyntaxError::new(
                source,
                error.error.to_string(),
                error.location.start(),
            ))),
        }
    }

    /// The line, from 1, that `node` starts on.
    pub fn line(&self, node: impl Ranged) -> u32 {
        self.lines.line(node.start())
    }
}

/// A place in a module that is not Python.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SyntaxError {
    /// The module's dotted name.
    pub module: String,
    /// The file, as it is shown to the user.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The text of the line.
    pub source_line: String,
    /// What the parser expected.
    pub message: String,
    /// The imports that led from a node to the module; empty for a node's own module.
    pub chain: Vec<Link>,
}

impl SyntaxError {
    /// An error that the engine's compiler found in `source`; `line` and `column` count from 1, 0 where not known.
    pub fn from_compiler(
        source: &ModuleSource,
        message: String,
        line: usize,
        column: usize,
    ) -> Self {
        Self {
            module: source.name.clone(),
            file: source.shown_path(),
            line: line.max(1),
            column: column.max(1),
            source_line: source
                .text
                .lines()
                .nth(line.max(1) - 1)
                .unwrap_or_default()
                .to_owned(),
            message,
            chain: Vec::new(),
        }
    }

    fn new(source: &ModuleSource, message: String, at: TextSize) -> Self {
        let text: &str = &source.text;
        let mut offset = at.to_usize().min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[offset..]
            .find('\n')
            .map_or(text.len(), |newline| offset + newline);
        Self {
            module: source.name.clone(),
            file: source.shown_path(),
            line: before.matches('\n').count() + 1,
            column: text[start..offset].chars().count() + 1,
            source_line: text[start..end].to_owned(),
            message,
            chain: Vec::new(),
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            source_line,
            message,
            chain,
            ..
        } = self;
        writeln!(f, "{file}:{line}:{column}: syntax error: {message}")?;
        // Tabs are kept in the padding so that the caret stands below its character whatever the tab width.
        let padding: String = source_line
            .chars()
            .take(column - 1)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        let number = line.to_string();
        writeln!(f, "  {number} | {source_line}")?;
        write!(f, "  {:width$} | {padding}^", "", width = number.len())?;
        for link in chain {
            write!(f, "\n  {link}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::Origin;

    fn error(text: &str) -> String {
        let source = ModuleSource {
            name: "m".to_owned(),
            is_package: false,
            origin: Origin::Node,
            display_path: "m.py".to_owned(),
            real_path: None,
            text: Arc::from(text),
        };
        ParsedModule::parse(&source)
            .expect_err("the text is not Python")
            .to_string()
    }

    #[test]
    fn caret_stands_below_the_character() {
        assert_eq!(
            error("x = 'é'\ny = 'é' = )\n"),
            "m.py:2:11: syntax error: Expected an expression\n  2 | y = 'é' = )\n    |           ^"
        );
        assert_eq!(
            error("def f():\n\treturn (\n"),
            "m.py:3:1: syntax error: unexpected EOF while parsing\n  3 | \n    | ^"
        );
    }
}
