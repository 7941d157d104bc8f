//! YAML text as a document, by the core schema of YAML 1.2: `yes`, `on` and dates are text, `1.0` is a float.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::document::{Entry, Kind, Located, SyntaxError, check_new_key};
use super::error::Position;
use crate::json;
use crate::sorted::SortedMap;
use crate::value::{MAX_DEPTH, Value};

/// How much anchors and aliases may copy in all, in nodes and bytes of text: a few lines of nested aliases would
/// otherwise stand for more than any memory.
const COPY_BUDGET: usize = 1 << 20;

#[inline(never)]
pub(super) fn read(text: &str) -> Result<Located, SyntaxError> {
    let mut builder = Builder {
        open: Vec::new(),
        anchors: SortedMap::new(),
        copied: 0,
        root: None,
    };
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| SyntaxError::new(position(error.marker()), error.info()))?;
        builder.event(event, position(&span.start))?;
    }
    Ok(builder.root.unwrap_or(Located::scalar(
        Value::Null,
        Position { line: 1, column: 1 },
    )))
}

fn position(marker: &Marker) -> Position {
    Position {
        line: marker.line().max(1),
        column: marker.col() + 1,
    }
}

struct Builder {
    open: Vec<Open>,
    anchors: SortedMap<usize, Located>,
    copied: usize,
    root: Option<Located>,
}

/// A collection whose end has not come yet.
struct Open {
    at: Position,
    /// The number of its anchor, 0 for none.
    anchor: usize,
    held: Held,
}

enum Held {
    List(Vec<Located>),
    Map {
        entries: Vec<Entry>,
        key: Option<(String, Position)>,
    },
}

impl Builder {
    fn event(&mut self, event: Event<'_>, at: Position) -> Result<(), SyntaxError> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => Err(SyntaxError::new(
                at,
                "expected one document, found another `---`",
            )),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                if plain && text == "<<" && self.awaits_key() {
                    return Err(SyntaxError::new(
                        at,
                        "merge keys (`<<`) are not part of YAML 1.2: repeat the entries",
                    ));
                }
                let value = resolve(&text, plain, tag.as_deref())
                    .map_err(|message| SyntaxError::new(at, message))?;
                self.finish(Located::scalar(value, at), anchor, at)
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(at, anchor, tag.as_deref(), "seq", Held::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => self.begin(
                at,
                anchor,
                tag.as_deref(),
                "map",
                Held::Map {
                    entries: Vec::new(),
                    key: None,
                },
            ),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { at, anchor, held }) = self.open.pop() else {
                    return Ok(());
                };
                let located = match held {
                    Held::List(items) => Located {
                        at: Some(at),
                        kind: Kind::List(items),
                    },
                    Held::Map { entries, .. } => Located::map(entries, at)?,
                };
                self.finish(located, anchor, at)
            }
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor) else {
                    return Err(SyntaxError::new(
                        at,
                        "alias to a collection that contains it",
                    ));
                };
                let depth = self.open.len() + depth(target);
                if depth > MAX_DEPTH {
                    return Err(too_deep(at));
                }
                self.copied += weight(target);
                self.check_budget(at)?;
                let mut copy = self.anchors[&anchor].clone();
                copy.at = Some(at);
                self.finish(copy, 0, at)
            }
        }
    }

    fn begin(
        &mut self,
        at: Position,
        anchor: usize,
        tag: Option<&Tag>,
        expected: &str,
        held: Held,
    ) -> Result<(), SyntaxError> {
        if let Some(tag) = tag
            && !(tag.is_yaml_core_schema() && tag.suffix == expected)
        {
            return Err(SyntaxError::new(at, format!("unsupported tag `{tag}`")));
        }
        if self.awaits_key() {
            return Err(SyntaxError::new(
                at,
                "expected text as a key, found a collection",
            ));
        }
        if self.open.len() == MAX_DEPTH {
            return Err(too_deep(at));
        }
        self.open.push(Open { at, anchor, held });
        Ok(())
    }

    /// Whether what comes next is a key.
    fn awaits_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                held: Held::Map { key: None, .. },
                ..
            })
        )
    }

    /// Puts a complete node where it belongs.
    fn finish(&mut self, located: Located, anchor: usize, at: Position) -> Result<(), SyntaxError> {
        if anchor != 0 {
            self.copied += weight(&located);
            self.check_budget(at)?;
            self.anchors.insert(anchor, located.clone());
        }
        match self.open.last_mut().map(|open| &mut open.held) {
            None => self.root = Some(located),
            Some(Held::List(items)) => items.push(located),
            Some(Held::Map { entries, key }) => match key.take() {
                Some((key, key_at)) => entries.push(Entry {
                    key,
                    key_at: Some(key_at),
                    value: located,
                }),
                None => match located.kind {
                    Kind::Scalar(Value::Str(text)) => {
                        check_new_key(entries, &text, at)?;
                        *key = Some((text, at));
                    }
                    Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => {
                        let message = format!(
                            "expected text as a key, found {}: quote it",
                            located.describe()
                        );
                        return Err(SyntaxError::new(at, message));
                    }
                },
            },
        }
        Ok(())
    }

    fn check_budget(&self, at: Position) -> Result<(), SyntaxError> {
        if self.copied > COPY_BUDGET {
            return Err(SyntaxError::new(
                at,
                "anchors and aliases that copy too much",
            ));
        }
        Ok(())
    }
}

fn too_deep(at: Position) -> SyntaxError {
    SyntaxError::new(at, format!("nested deeper than {MAX_DEPTH} levels"))
}

/// Nodes and bytes of text in a tree.
fn weight(located: &Located) -> usize {
    1 + match &located.kind {
        Kind::Scalar(Value::Str(text)) => text.len(),
        Kind::Scalar(Value::Bytes(bytes)) => bytes.len(),
        Kind::Scalar(Value::BigInt(int)) => usize::try_from(int.bits() / 8).unwrap_or(usize::MAX),
        Kind::Scalar(_) => 0,
        Kind::List(items) => items.iter().map(weight).sum(),
        Kind::Map(entries) => entries
            .iter()
            .map(|entry| entry.key.len() + weight(&entry.value))
            .sum(),
    }
}

/// How many collections are nested in a tree.
fn depth(located: &Located) -> usize {
    match &located.kind {
        Kind::Scalar(_) => 0,
        Kind::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Kind::Map(entries) => {
            1 + entries
                .iter()
                .map(|entry| depth(&entry.value))
                .max()
                .unwrap_or(0)
        }
    }
}

/// The value of a scalar; `Err` is a message.
fn resolve(text: &str, plain: bool, tag: Option<&Tag>) -> Result<Value, String> {
    let Some(tag) = tag else {
        return if plain {
            core_schema(text)
        } else {
            Ok(Value::from(text))
        };
    };
    let wrong = || format!("{text:?} does not fit its tag `{tag}`");
    if !tag.is_yaml_core_schema() {
        return Err(format!("unsupported tag `{tag}`"));
    }
    match (tag.suffix.as_str(), core_schema(text)?) {
        ("str", _) => Ok(Value::from(text)),
        ("null", value @ Value::Null)
        | ("bool", value @ Value::Bool(_))
        | ("int", value @ (Value::Int(_) | Value::BigInt(_)))
        | ("float", value @ Value::Float(_)) => Ok(value),
        ("float", Value::Int(_) | Value::BigInt(_)) => {
            text.parse().map(Value::Float).map_err(|_| wrong())
        }
        ("null" | "bool" | "int" | "float", _) => Err(wrong()),
        _ => Err(format!("unsupported tag `{tag}`")),
    }
}

/// What a plain scalar means (YAML 1.2.2, section 10.3.2).
fn core_schema(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return Ok(Value::Float(f64::NAN)),
        _ => {}
    }
    let (negative, unsigned) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Ok(Value::Float(if negative {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        }));
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(radix))
        {
            let int = num_bigint::BigInt::parse_bytes(digits.as_bytes(), radix);
            return int
                .map(Value::from)
                .ok_or_else(|| format!("{text} is not a number"));
        }
    }
    if is_decimal(unsigned) {
        return json::number(text.strip_prefix('+').unwrap_or(text));
    }
    Ok(Value::from(text))
}

/// Whether a text without sign is digits with at most one point and an exponent.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if exponent.is_empty() || !digits(exponent) {
            return false;
        }
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}
