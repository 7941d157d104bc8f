//! A JSON or YAML text as one tree that remembers where everything stood.

use std::path::Path;

use super::error::{ManifestError, Position, excerpt};
use super::{from_json, from_yaml};
use crate::json;
use crate::value::Value;

/// A value and its place in the text.
#[derive(Clone, Debug)]
pub(super) struct Located {
    pub(super) at: Option<Position>,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Anything without parts to look into.
    Scalar(Value),
    List(Vec<Located>),
    Map(Vec<Entry>),
}

/// A field of a [`Kind::Map`]; keys are unique in it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_at: Option<Position>,
    pub(super) value: Located,
}

/// What the readers of the two formats report.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) at: Position,
    pub(super) message: String,
}

impl SyntaxError {
    pub(super) fn new(at: Position, message: impl Into<String>) -> Self {
        SyntaxError {
            at,
            message: message.into(),
        }
    }
}

enum Format {
    Json,
    Yaml,
}

impl Format {
    /// By the file's extension, else by the first character: JSON documents of interest begin with a brace.
    fn of(text: &str, file: &Path) -> Self {
        let extension = file
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default();
        if extension.eq_ignore_ascii_case("json") {
            Format::Json
        } else if extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml") {
            Format::Yaml
        } else if text.trim_start().starts_with('{') {
            Format::Json
        } else {
            Format::Yaml
        }
    }
}

/// Reads a text in the format that its file's name says.
pub(super) fn read(text: &str, file: &Path) -> Result<Located, ManifestError> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let document = match Format::of(text, file) {
        Format::Json => from_json::read(text),
        Format::Yaml => from_yaml::read(text),
    };
    document.map_err(|error| not_a_document(error, text, file))
}

#[inline(never)]
fn not_a_document(
    SyntaxError { at, message }: SyntaxError,
    text: &str,
    file: &Path,
) -> ManifestError {
    ManifestError::Syntax {
        file: file.to_owned(),
        position: at,
        message,
        excerpt: excerpt(text, at),
    }
}

impl Located {
    pub(super) fn scalar(value: impl Into<Value>, at: Position) -> Self {
        Located {
            at: Some(at),
            kind: Kind::Scalar(value.into()),
        }
    }

    /// A map, or the scalar that a map with the single key `$bytes` or `$float` stands for.
    pub(super) fn map(entries: Vec<Entry>, at: Position) -> Result<Self, SyntaxError> {
        let map = Located {
            at: Some(at),
            kind: Kind::Map(entries),
        };
        match &map.kind {
            Kind::Map(entries) if matches!(&entries[..], [entry] if entry.key.starts_with('$')) => {
                map.stood_for(at)
            }
            Kind::Map(_) | Kind::Scalar(_) | Kind::List(_) => Ok(map),
        }
    }

    #[inline(never)]
    fn stood_for(self, at: Position) -> Result<Self, SyntaxError> {
        if let Kind::Map(entries) = &self.kind
            && let [
                Entry {
                    key,
                    value:
                        Located {
                            kind: Kind::Scalar(value),
                            ..
                        },
                    ..
                },
            ] = &entries[..]
        {
            let entry = (Value::Str(key.clone()), value.clone());
            let value = json::unwrap_object(vec![entry])
                .map_err(|message| SyntaxError::new(at, message))?;
            if !matches!(value, Value::Dict(_)) {
                return Ok(Located::scalar(value, at));
            }
        }
        Ok(self)
    }

    /// A value that was never text.
    pub(super) fn from_value(value: Value) -> Self {
        let kind = match value {
            Value::List(items) => Kind::List(items.into_iter().map(Located::from_value).collect()),
            Value::Dict(entries) => Kind::Map(
                entries
                    .into_iter()
                    .filter_map(|(key, value)| match key {
                        Value::Str(key) => Some(Entry {
                            key,
                            key_at: None,
                            value: Located::from_value(value),
                        }),
                        // Never there: what comes here was read from a document, whose keys are text.
                        _ => None,
                    })
                    .collect(),
            ),
            scalar => Kind::Scalar(scalar),
        };
        Located { at: None, kind }
    }

    pub(super) fn into_value(self) -> Value {
        match self.kind {
            Kind::Scalar(value) => value,
            Kind::List(items) => Value::List(items.into_iter().map(Located::into_value).collect()),
            Kind::Map(entries) => Value::Dict(
                entries
                    .into_iter()
                    .map(|entry| (Value::Str(entry.key), entry.value.into_value()))
                    .collect(),
            ),
        }
    }

    /// Where something stands that is named as problems name it, such as `nodes[2].params`; where it is not there, where
    /// what should hold it stands.
    pub(super) fn position_of(&self, place: &str) -> Option<Position> {
        let mut here = self;
        let mut at = self.at;
        let steps = place
            .split(['.', '['])
            .map(|step| step.trim_end_matches(']'));
        for step in steps.filter(|step| !step.is_empty()) {
            let next = match &here.kind {
                Kind::Map(entries) => entries
                    .iter()
                    .find(|entry| entry.key == step)
                    .map(|entry| &entry.value),
                Kind::List(items) => step.parse().ok().and_then(|index: usize| items.get(index)),
                Kind::Scalar(_) => None,
            };
            let Some(next) = next else {
                break;
            };
            here = next;
            at = next.at.or(at);
        }
        at
    }

    /// The same below a field, if it is there.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(entries) => entries
                .iter()
                .find(|entry| entry.key == name)
                .map(|entry| &entry.value),
            Kind::Scalar(_) | Kind::List(_) => None,
        }
    }

    /// What is there, in the words of the document rather than Python's.
    pub(super) fn describe(&self) -> String {
        match &self.kind {
            Kind::Scalar(Value::Null) => "nothing (null)".to_owned(),
            Kind::Scalar(Value::Bool(b)) => b.to_string(),
            Kind::Scalar(Value::Int(i)) => format!("the number {i}"),
            Kind::Scalar(value @ Value::Str(_)) => value.describe().replacen("str", "the text", 1),
            Kind::Scalar(value) => value.describe(),
            Kind::List(items) => format!("a list of {}", items.len()),
            Kind::Map(_) => "an object".to_owned(),
        }
    }
}

/// Refuses a key that an object already has.
pub(super) fn check_new_key(entries: &[Entry], key: &str, at: Position) -> Result<(), SyntaxError> {
    match entries
        .iter()
        .find(|entry| entry.key == key)
        .and_then(|entry| entry.key_at)
    {
        Some(first) => Err(duplicate_key(key, at, first)),
        None => Ok(()),
    }
}

#[inline(never)]
fn duplicate_key(key: &str, at: Position, first: Position) -> SyntaxError {
    let message = format!("duplicate key {key:?}, first on line {}", first.line);
    SyntaxError::new(at, message)
}
