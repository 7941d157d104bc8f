//! From a value to JSON text.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{JsonError, Misfit, Step, float_text};
use crate::value::{MAX_DEPTH, Value};
use crate::wtf8::{self, Piece};

/// The value as compact JSON, non-ASCII text as it is; the forms are those of the [module](super)'s table.
///
/// # Errors
/// [`JsonError::NoForm`] for a dictionary key that JSON cannot hold, [`JsonError::TooDeep`] past
/// [`MAX_DEPTH`].
pub fn to_json(value: &Value) -> Result<String, JsonError> {
    let mut out = String::new();
    write(value, 0, &mut out)?;
    Ok(out)
}

fn write(value: &Value, depth: usize, out: &mut String) -> Result<(), Misfit> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Int(i) => push(out, i),
        Value::BigInt(i) => push(out, i),
        Value::Float(f) if f.is_finite() => out.push_str(&float_text(*f)),
        Value::Float(f) => {
            deeper(depth)?;
            push(out, format_args!(r#"{{"$float":"{}"}}"#, float_text(*f)));
        }
        Value::Str(text) => write_str(text, out),
        Value::SurrogateStr(bytes) => write_surrogates(bytes, out)?,
        Value::Bytes(bytes) => {
            deeper(depth)?;
            out.push_str(r#"{"$bytes":"#);
            write_base64(bytes, out);
            out.push('}');
        }
        Value::List(items) | Value::Tuple(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, deeper(depth)?, out)
                    .map_err(|misfit| misfit.inside(Step::Index(index)))?;
            }
            deeper(depth)?;
            out.push(']');
        }
        Value::Dict(entries) => match &entries[..] {
            [(key, value)] if looks_like_a_form(key) => {
                out.push_str(r#"{"$dict":[["#);
                write_key(key, out)?;
                out.push(',');
                let depth = deeper(deeper(deeper(depth)?)?)?;
                write(value, depth, out).map_err(|misfit| misfit.inside(Step::of(key)))?;
                out.push_str("]]}");
            }
            entries => {
                out.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_key(key, out)?;
                    out.push(':');
                    write(value, deeper(depth)?, out)
                        .map_err(|misfit| misfit.inside(Step::of(key)))?;
                }
                deeper(depth)?;
                out.push('}');
            }
        },
        Value::Audio(audio) => {
            deeper(deeper(depth)?)?;
            push(
                out,
                format_args!(
                    r#"{{"$audio":{{"sample_rate":{},"channels":{},"samples":"#,
                    audio.sample_rate(),
                    audio.channels()
                ),
            );
            write_base64(audio.as_le_bytes(), out);
            out.push_str("}}");
        }
        Value::Video(frame) => {
            deeper(deeper(depth)?)?;
            push(
                out,
                format_args!(
                    r#"{{"$video":{{"width":{},"height":{},"format":"{}","data":"#,
                    frame.width(),
                    frame.height(),
                    frame.format().name()
                ),
            );
            write_base64(frame.data(), out);
            out.push_str("}}");
        }
        Value::Tensor(tensor) => {
            deeper(deeper(deeper(depth)?)?)?;
            out.push_str(r#"{"$tensor":{"shape":["#);
            for (index, side) in tensor.shape().iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                push(out, format_args!("{comma}{side}"));
            }
            push(
                out,
                format_args!(r#"],"dtype":"{}","data":"#, tensor.dtype().name()),
            );
            write_base64(tensor.data(), out);
            out.push_str("}}");
        }
    }
    Ok(())
}

/// Whether a dictionary with this key alone could be taken for an object that stands for something else.
fn looks_like_a_form(key: &Value) -> bool {
    match key {
        Value::Str(text) => text.starts_with('$'),
        Value::SurrogateStr(bytes) => bytes.starts_with(b"$"),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::BigInt(_)
        | Value::Float(_)
        | Value::Bytes(_)
        | Value::List(_)
        | Value::Tuple(_)
        | Value::Dict(_)
        | Value::Audio(_)
        | Value::Video(_)
        | Value::Tensor(_) => false,
    }
}

fn write_base64(bytes: &[u8], out: &mut String) {
    out.push('"');
    STANDARD.encode_string(bytes, out);
    out.push('"');
}

/// The depth of what a container at `depth` holds.
fn deeper(depth: usize) -> Result<usize, Misfit> {
    if depth == MAX_DEPTH {
        Err(Misfit::TooDeep)
    } else {
        Ok(depth + 1)
    }
}

fn push(out: &mut String, item: impl std::fmt::Display) {
    write!(out, "{item}").expect("writing to a string does not fail");
}

fn write_key(key: &Value, out: &mut String) -> Result<(), Misfit> {
    match key {
        Value::Str(text) => write_str(text, out),
        Value::SurrogateStr(bytes) => write_surrogates(bytes, out)?,
        Value::Null => out.push_str("\"null\""),
        Value::Bool(b) => push(out, format_args!("\"{b}\"")),
        Value::Int(i) => push(out, format_args!("\"{i}\"")),
        Value::BigInt(i) => push(out, format_args!("\"{i}\"")),
        Value::Float(f) => {
            let text = match *f {
                f64::INFINITY => "Infinity".to_owned(),
                f64::NEG_INFINITY => "-Infinity".to_owned(),
                f if f.is_nan() => "NaN".to_owned(),
                f => float_text(f),
            };
            push(out, format_args!("\"{text}\""));
        }
        Value::Bytes(_)
        | Value::Tuple(_)
        | Value::List(_)
        | Value::Dict(_)
        | Value::Audio(_)
        | Value::Video(_)
        | Value::Tensor(_) => {
            return Err(Misfit::no_form(format!(
                "a {} cannot be an object key in JSON",
                key.type_name()
            )));
        }
    }
    Ok(())
}

fn write_str(text: &str, out: &mut String) {
    out.push('"');
    write_escaped(text, out);
    out.push('"');
}

fn write_escaped(text: &str, out: &mut String) {
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0C => "\\f",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[plain_from..at]);
        plain_from = at + 1;
        if escape.is_empty() {
            push(out, format_args!("\\u{byte:04x}"));
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[plain_from..]);
}

fn write_surrogates(bytes: &[u8], out: &mut String) -> Result<(), Misfit> {
    out.push('"');
    for piece in wtf8::pieces(bytes) {
        match piece {
            Ok(Piece::Text(text)) => write_escaped(text, out),
            Ok(Piece::Surrogate(unit)) => push(out, format_args!("\\u{unit:04x}")),
            Err(at) => {
                return Err(Misfit::no_form(format!(
                    "text that is neither UTF-8 nor surrogates, at byte {at}"
                )));
            }
        }
    }
    out.push('"');
    Ok(())
}
