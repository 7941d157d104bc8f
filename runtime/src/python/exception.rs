//! A Python exception, as data.

use std::fmt::{self, Write as _};

use crate::value::Value;

/// An exception that left Python: what it was, where, and what led to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PythonException {
    /// The class, with its module unless that is `builtins`: `ValueError`, `json.decoder.JSONDecodeError`.
    pub kind: String,
    /// `str()` of the exception.
    pub message: String,
    /// The traceback, outermost call first; frames of the engine itself are left out.
    pub frames: Vec<Frame>,
    /// What `add_note` added.
    pub notes: Vec<String>,
    /// For `SyntaxError`: where.
    pub syntax: Option<SyntaxPlace>,
    /// For `ImportError`: which module could not be imported.
    pub missing: Option<String>,
    /// What it was raised from, or what was being handled when it was raised.
    pub origin: Option<Box<(Origin, PythonException)>>,
    /// The parts of an `ExceptionGroup`.
    pub group: Vec<PythonException>,
}

/// A frame of a traceback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A line of a function.
    Line {
        /// The file as the packer named it: relative to its source root.
        file: String,
        /// From 1.
        line: i64,
        /// The qualified name, such as `Captions.process`, or `<module>`.
        function: String,
    },
    /// So many frames in the middle of a deep recursion were left out.
    Omitted(i64),
}

/// How an exception is connected to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `raise ... from ...`
    Cause,
    /// It happened while the other was being handled.
    Context,
}

/// Where a syntax error is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxPlace {
    /// The file as the packer named it.
    pub file: String,
    /// From 1; 0 when not known.
    pub line: i64,
    /// In characters, from 1; 0 when not known.
    pub column: i64,
    /// The line itself.
    pub text: String,
}

impl PythonException {
    /// Read what the guest's `_rm_errors.describe` made. Missing or odd fields become empty: an error must not be lost
    /// because its description is.
    pub fn from_value(value: &Value) -> Self {
        let field = |name: &str| value.get(name);
        let text = |name: &str| field(name).map(text_of).unwrap_or_default();
        let origin = [("cause", Origin::Cause), ("context", Origin::Context)]
            .into_iter()
            .find_map(|(name, origin)| {
                field(name).map(|value| Box::new((origin, Self::from_value(value))))
            });
        Self {
            kind: text("type"),
            message: text("message"),
            frames: items(field("frames"))
                .iter()
                .filter_map(Frame::from_value)
                .collect(),
            notes: items(field("notes")).iter().map(text_of).collect(),
            syntax: field("syntax").map(SyntaxPlace::from_value),
            missing: field("missing")
                .filter(|value| !matches!(value, Value::Null))
                .map(text_of),
            origin,
            group: items(field("group")).iter().map(Self::from_value).collect(),
        }
    }

    /// The last line of a traceback: class and message.
    pub fn summary(&self) -> String {
        if self.message.is_empty() {
            self.kind.clone()
        } else {
            format!("{}: {}", self.kind, self.message)
        }
    }

    /// Whether it says that something cannot be imported.
    pub fn is_import_error(&self) -> bool {
        matches!(self.kind.as_str(), "ImportError" | "ModuleNotFoundError")
    }

    /// As Python prints it, with the source lines that `source_line` gives for a file and a line from 1.
    pub fn with_source(&self, source_line: &dyn Fn(&str, i64) -> Option<String>) -> String {
        let mut text = String::new();
        self.write_to(&mut text, source_line);
        text
    }

    fn write_to(&self, out: &mut String, source_line: &dyn Fn(&str, i64) -> Option<String>) {
        if let Some(origin) = &self.origin {
            origin.1.write_to(out, source_line);
            out.push_str(match origin.0 {
                Origin::Cause => {
                    "\n\nThe above exception was the direct cause of the following exception:\n\n"
                }
                Origin::Context => {
                    "\n\nDuring handling of the above exception, another exception occurred:\n\n"
                }
            });
        }
        if !self.frames.is_empty() {
            out.push_str("Traceback (most recent call last):\n");
        }
        for frame in &self.frames {
            let _ = writeln!(out, "  {frame}");
            if let Frame::Line { file, line, .. } = frame
                && let Some(code) = source_line(file, *line)
            {
                let _ = writeln!(out, "    {}", code.trim());
            }
        }
        if let Some(place) = &self.syntax {
            let _ = writeln!(out, "  File \"{}\", line {}", place.file, place.line);
            let _ = writeln!(out, "    {}", place.text.trim_end());
        }
        out.push_str(&self.summary());
        for note in &self.notes {
            let _ = write!(out, "\n{note}");
        }
        for (index, part) in self.group.iter().enumerate() {
            let mut text = String::new();
            part.write_to(&mut text, source_line);
            let _ = write!(out, "\n  +-- {} --", index + 1);
            text.lines().for_each(|line| {
                let _ = write!(out, "\n  | {line}");
            });
        }
    }
}

/// As Python prints it, without the source lines.
impl fmt::Display for PythonException {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.with_source(&|_, _| None))
    }
}

impl std::error::Error for PythonException {}

impl fmt::Display for Frame {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line {
                file,
                line,
                function,
            } => write!(formatter, "File \"{file}\", line {line}, in {function}"),
            Self::Omitted(count) => write!(formatter, "[{count} more frames]"),
        }
    }
}

impl Frame {
    fn from_value(value: &Value) -> Option<Self> {
        match items(Some(value)) {
            [file, Value::Int(number), function] => {
                let file = text_of(file);
                Some(if file.is_empty() {
                    Self::Omitted(*number)
                } else {
                    Self::Line {
                        file,
                        line: *number,
                        function: text_of(function),
                    }
                })
            }
            _ => None,
        }
    }
}

impl SyntaxPlace {
    fn from_value(value: &Value) -> Self {
        let part = |index: usize| items(Some(value)).get(index);
        let number = |index| {
            if let Some(Value::Int(number)) = part(index) {
                *number
            } else {
                0
            }
        };
        Self {
            file: part(0).map(text_of).unwrap_or_default(),
            line: number(1),
            column: number(2),
            text: part(3).map(text_of).unwrap_or_default(),
        }
    }
}

fn items(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::List(items) | Value::Tuple(items)) => items,
        _ => &[],
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Str(text) => text.clone(),
        Value::SurrogateStr(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_as_python_prints_it() {
        let first = PythonException {
            kind: "KeyError".into(),
            message: "'text'".into(),
            frames: vec![Frame::Line {
                file: "nodes/a.py".into(),
                line: 3,
                function: "Node.process".into(),
            }],
            ..PythonException::default()
        };
        let second = PythonException {
            kind: "ValueError".into(),
            message: "no text".into(),
            frames: vec![
                Frame::Line {
                    file: "nodes/a.py".into(),
                    line: 5,
                    function: "Node.process".into(),
                },
                Frame::Omitted(936),
            ],
            notes: vec!["a note".into()],
            origin: Some(Box::new((Origin::Cause, first))),
            ..PythonException::default()
        };
        let expected = "\
Traceback (most recent call last):
  File \"nodes/a.py\", line 3, in Node.process
KeyError: 'text'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File \"nodes/a.py\", line 5, in Node.process
  [936 more frames]
ValueError: no text
a note";
        assert_eq!(second.to_string(), expected);
    }
}
