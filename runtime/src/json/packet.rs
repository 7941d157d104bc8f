//! A value with its metadata on a line of input.

use std::sync::Arc;

use super::read::Reader;
use super::{JsonError, Misfit, Step};
use crate::value::Value;

/// A value, its session and its timestamp in microseconds.
type Line = (Value, Option<Arc<str>>, Option<i64>);

/// What a line of input stands for: a value, its session and its timestamp in microseconds.
///
/// `{"$packet": {"data": VALUE, "session": "a", "timestamp_us": 5}}` has all three; the latter two can be absent or
/// `null`. Any other JSON is a value alone.
///
/// ```
/// use rm_runtime::json::from_json_packet;
/// use rm_runtime::value::Value;
///
/// let (value, session, timestamp_us) = from_json_packet(r#"{"$packet": {"data": [1], "session": "a"}}"#)?;
/// assert_eq!(value, Value::from(vec![Value::Int(1)]));
/// assert_eq!((session.as_deref(), timestamp_us), (Some("a"), None));
/// assert_eq!(from_json_packet("5")?, (Value::Int(5), None, None));
/// # Ok::<(), rm_runtime::json::JsonError>(())
/// ```
///
/// # Errors
/// Those of [`from_json`](super::from_json), and [`JsonError::NoForm`] for a `$packet` with other fields.
pub fn from_json_packet(text: &str) -> Result<Line, JsonError> {
    let (reader, mut tree) = Reader::open(text)?;
    // Looked for in the tree: what `$dict` escapes is a plain dictionary.
    let packet = match &mut tree {
        serde_json::Value::Object(map) if map.len() == 1 => map.remove("$packet"),
        _ => None,
    };
    match packet {
        Some(packet) => Ok(read(&reader, packet)
            .map_err(|misfit| misfit.inside(Step::Key("$packet".to_owned())))?),
        None => Ok((reader.value(tree, 0)?, None, None)),
    }
}

fn read(reader: &Reader, packet: serde_json::Value) -> Result<Line, Misfit> {
    let serde_json::Value::Object(fields) = packet else {
        return Err(Misfit::no_form("`$packet` must hold an object with `data`"));
    };
    let (mut data, mut session, mut timestamp_us) = (None, None, None);
    for (key, field) in fields {
        let value = reader
            .value(field, 2)
            .map_err(|misfit| misfit.inside(Step::Key(key.clone())))?;
        match (key.as_str(), value) {
            ("data", value) => data = Some(value),
            ("session" | "timestamp_us", Value::Null) => {}
            ("session", Value::Str(text)) => session = Some(text.into()),
            ("timestamp_us", Value::Int(number)) => timestamp_us = Some(number),
            (name @ ("session" | "timestamp_us"), value) => {
                let expected = if name == "session" {
                    "text"
                } else {
                    "a whole number of 64 bits"
                };
                return Err(Misfit::no_form(format!(
                    "`{name}` must be {expected}, found {}",
                    value.describe()
                )));
            }
            (name, _) => {
                return Err(Misfit::no_form(format!(
                    "`$packet` has `data`, `session` and `timestamp_us`, but no `{name}`"
                )));
            }
        }
    }
    let data = data.ok_or_else(|| Misfit::no_form("`$packet` lacks `data`"))?;
    Ok((data, session, timestamp_us))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn message(text: &str) -> String {
        from_json_packet(text).unwrap_err().to_string()
    }

    #[test]
    fn packets_are_read() {
        let full =
            r#"{"$packet": {"timestamp_us": -5, "session": "é", "data": {"$bytes": "AA=="}}}"#;
        let expected = (Value::Bytes(vec![0]), Some("é".into()), Some(-5));
        assert_eq!(from_json_packet(full), Ok(expected));
        let bare = r#"{"$packet": {"data": null, "session": null, "timestamp_us": null}}"#;
        assert_eq!(from_json_packet(bare), Ok((Value::Null, None, None)));
    }

    #[test]
    fn everything_else_is_a_value() {
        let cases = [
            r#"{"$packet": {"data": 1}, "a": 2}"#,
            r#"[{"$packet": {"data": 1}}]"#,
            r#"{"$dict": [["$packet", {"data": 1}]]}"#,
            r#"{"a": 1}"#,
            "{}",
        ];
        for text in cases {
            let value = super::super::from_json(text).unwrap();
            assert_eq!(from_json_packet(text), Ok((value, None, None)), "{text}");
        }
        let lone = from_json_packet(r#"{"$packet": {"data": "\udc00"}}"#).unwrap();
        assert_eq!(lone.0, Value::SurrogateStr(b"\xed\xb0\x80".to_vec()));
    }

    #[test]
    fn errors_name_the_place() {
        assert_eq!(
            message(r#"{"$packet": 5}"#),
            "$.$packet: `$packet` must hold an object with `data`"
        );
        assert_eq!(
            message(r#"{"$packet": {}}"#),
            "$.$packet: `$packet` lacks `data`"
        );
        assert_eq!(
            message(r#"{"$packet": {"data": 1, "time": 2}}"#),
            "$.$packet: `$packet` has `data`, `session` and `timestamp_us`, but no `time`"
        );
        assert_eq!(
            message(r#"{"$packet": {"data": 1, "session": 2}}"#),
            "$.$packet: `session` must be text, found int 2"
        );
        assert_eq!(
            message(r#"{"$packet": {"data": 1, "timestamp_us": 1.5}}"#),
            "$.$packet: `timestamp_us` must be a whole number of 64 bits, found float 1.5"
        );
        assert_eq!(
            message(r#"{"$packet": {"data": [1e400]}}"#),
            "$.$packet.data[0]: 1e+400 is too large for a float"
        );
        assert!(message(r#"{"$packet": "#).starts_with("line 1, column 12: EOF"));
    }
}
