//! JSON text as a document.

use jsonc_parser::ast::Value as Tree;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::document::{Entry, Kind, Located, SyntaxError, check_new_key};
use super::error::Position;
use crate::json::{self, JsonError};
use crate::value::{MAX_DEPTH, Value};

/// JSON and nothing but JSON.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

pub(super) fn read(text: &str) -> Result<Located, SyntaxError> {
    const START: Position = Position { line: 1, column: 1 };
    // `serde_json` decides what JSON is, here as for items; the other parser adds the positions.
    json::check(text).map_err(|error| match error {
        JsonError::Syntax {
            line,
            column,
            message,
        } => SyntaxError::new(Position { line, column }, message),
        JsonError::TooDeep | JsonError::NoForm { .. } => SyntaxError::new(START, error.to_string()),
    })?;
    let lines = Lines::new(text);
    let collect = CollectOptions::default();
    let tree = parse_to_ast(text, &collect, &STRICT)
        .map_err(|error| {
            SyntaxError::new(
                lines.position(error.range().start),
                error.kind().to_string(),
            )
        })?
        .value
        .ok_or_else(|| SyntaxError::new(START, "empty document"))?;
    convert(tree, &lines)
}

/// Recurses no deeper than [`MAX_DEPTH`], which `json::check` has checked.
fn convert(tree: Tree<'_>, lines: &Lines<'_>) -> Result<Located, SyntaxError> {
    const { assert!(MAX_DEPTH <= 512, "the parser's own bound") };
    let at = lines.position(tree.start());
    match tree {
        Tree::NullKeyword(_) => Ok(Located::scalar(Value::Null, at)),
        Tree::BooleanLit(literal) => Ok(Located::scalar(literal.value, at)),
        Tree::NumberLit(literal) => {
            let value =
                json::number(literal.value).map_err(|message| SyntaxError::new(at, message))?;
            Ok(Located::scalar(value, at))
        }
        Tree::StringLit(literal) => Ok(Located::scalar(literal.value.into_owned(), at)),
        Tree::Array(array) => {
            let items = array
                .elements
                .into_iter()
                .map(|item| convert(item, lines))
                .collect::<Result<_, _>>()?;
            Ok(Located {
                at: Some(at),
                kind: Kind::List(items),
            })
        }
        Tree::Object(object) => {
            let mut entries = Vec::with_capacity(object.properties.len());
            for property in object.properties {
                let key_at = lines.position(property.range.start);
                let key = property.name.into_string();
                check_new_key(&entries, &key, key_at)?;
                entries.push(Entry {
                    key,
                    key_at: Some(key_at),
                    value: convert(property.value, lines)?,
                });
            }
            Located::map(entries, at)
        }
    }
}

/// Finds lines and columns of byte offsets.
struct Lines<'a> {
    text: &'a str,
    /// The offset at which each line starts.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Lines { text, starts }
    }

    fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let before = self
            .text
            .get(self.starts[line - 1]..offset)
            .unwrap_or_default();
        Position {
            line,
            column: before.chars().count() + 1,
        }
    }
}
