//! The objects that stand for what JSON lacks; see the table in the [parent](super).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigInt;

use super::to_json;
use crate::media::{Audio, DType, PixelFormat, Tensor, VideoFrame};
use crate::value::Value;

/// The only key of such an object, and what reads the value under it; `Err` is a message.
type Form = (&'static str, fn(Value) -> Result<Value, String>);

const FORMS: [Form; 6] = [
    ("$bytes", |held| base64("$bytes", &held).map(Value::Bytes)),
    ("$float", |held| float(&held)),
    ("$audio", audio),
    ("$video", video),
    ("$tensor", tensor),
    ("$dict", dict),
];

/// The value of an object: what it stands for if its only key says so, else a dictionary; `Err` is a message.
pub(crate) fn unwrap_object(mut entries: Vec<(Value, Value)>) -> Result<Value, String> {
    let form = match &entries[..] {
        [(Value::Str(key), _)] => FORMS.iter().find(|(name, _)| name == key),
        _ => None,
    };
    match form {
        Some((_, read)) => {
            let (_, held) = entries.pop().expect("a form has one entry");
            read(held)
        }
        None => Ok(Value::Dict(entries)),
    }
}

fn base64(name: &str, held: &Value) -> Result<Vec<u8>, String> {
    match held {
        Value::Str(text) => STANDARD
            .decode(text)
            .map_err(|error| format!("`{name}` must hold padded base64 ({error})")),
        other => Err(format!(
            "`{name}` must hold padded base64, found {}",
            other.describe()
        )),
    }
}

fn float(held: &Value) -> Result<Value, String> {
    match held.as_str() {
        Some("nan") => Ok(Value::Float(f64::NAN)),
        Some("inf") => Ok(Value::Float(f64::INFINITY)),
        Some("-inf") => Ok(Value::Float(f64::NEG_INFINITY)),
        _ => Err(format!(
            "`$float` must be \"nan\", \"inf\" or \"-inf\", found {}",
            held.describe()
        )),
    }
}

fn audio(held: Value) -> Result<Value, String> {
    let fields = Fields::new("$audio", held, &["sample_rate", "channels", "samples"])?;
    let (sample_rate, channels) = (fields.integer("sample_rate")?, fields.integer("channels")?);
    Audio::from_le_bytes(&fields.base64("samples")?, sample_rate, channels)
        .map(Value::Audio)
        .map_err(|error| format!("`$audio`: {error}"))
}

fn video(held: Value) -> Result<Value, String> {
    let fields = Fields::new("$video", held, &["width", "height", "format", "data"])?;
    let (width, height) = (fields.integer("width")?, fields.integer("height")?);
    let format = fields.name(
        "format",
        PixelFormat::from_name,
        &PixelFormat::ALL.map(PixelFormat::name),
    )?;
    VideoFrame::new(fields.base64("data")?, width, height, format)
        .map(Value::Video)
        .map_err(|error| format!("`$video`: {error}"))
}

fn tensor(held: Value) -> Result<Value, String> {
    let fields = Fields::new("$tensor", held, &["shape", "dtype", "data"])?;
    let shape = match fields.get("shape") {
        Value::List(sides) => sides
            .iter()
            .map(|side| integer("$tensor.shape", side))
            .collect::<Result<_, _>>()?,
        other => {
            return Err(format!(
                "`$tensor.shape` must be a list of whole numbers, found {}",
                other.describe()
            ));
        }
    };
    let dtype = fields.name("dtype", DType::from_name, &DType::ALL.map(DType::name))?;
    Tensor::new(fields.base64("data")?, shape, dtype)
        .map(Value::Tensor)
        .map_err(|error| format!("`$tensor`: {error}"))
}

/// A dictionary as a list of pairs. As in an object, the last value of a repeated key wins, at the first's place.
fn dict(held: Value) -> Result<Value, String> {
    let Value::List(pairs) = held else {
        return Err(format!(
            "`$dict` must hold a list of pairs, found {}",
            held.describe()
        ));
    };
    let mut entries: Vec<(Value, Value)> = Vec::new();
    let mut known = HashMap::new();
    for (index, pair) in pairs.into_iter().enumerate() {
        let pair = match pair {
            Value::List(pair) => <[Value; 2]>::try_from(pair).map_err(Value::List),
            other => Err(other),
        };
        let [key, value] = pair.map_err(|found| {
            format!(
                "`$dict[{index}]` must be a list of a key and a value, found {}",
                found.describe()
            )
        })?;
        if !key.is_hashable() {
            return Err(format!(
                "`$dict[{index}]`: a {} cannot be a key of a dict",
                key.type_name()
            ));
        }
        match known.entry(identity(&key)?) {
            Entry::Occupied(place) => {
                let place: &usize = place.get();
                entries[*place].1 = value;
            }
            Entry::Vacant(place) => {
                place.insert(entries.len());
                entries.push((key, value));
            }
        }
    }
    Ok(Value::Dict(entries))
}

/// A text that keys share if Python holds them equal.
fn identity(key: &Value) -> Result<String, String> {
    match key {
        Value::Bool(b) => Ok(i32::from(*b).to_string()),
        // Adding makes the negative zero positive.
        Value::Float(float) if float.fract() == 0.0 => Ok(format!("{:.0}", float + 0.0)),
        key => to_json(key).map_err(|error| error.to_string()),
    }
}

/// What counts things: `u16`, `u32`, `usize`.
trait Size: TryFrom<i64> + for<'a> TryFrom<&'a BigInt> {}

impl<T: TryFrom<i64> + for<'a> TryFrom<&'a BigInt>> Size for T {}

/// The fields of an object that stands for media.
struct Fields {
    form: &'static str,
    entries: Vec<(Value, Value)>,
}

impl Fields {
    /// Checks that each field is there, and no other.
    fn new(form: &'static str, held: Value, names: &[&str]) -> Result<Self, String> {
        let Value::Dict(entries) = held else {
            return Err(format!(
                "`{form}` must hold an object, found {}",
                held.describe()
            ));
        };
        let is_known = |key: &Value| key.as_str().is_some_and(|key| names.contains(&key));
        if let Some((key, _)) = entries.iter().find(|(key, _)| !is_known(key)) {
            let name = key
                .as_str()
                .map_or_else(|| key.describe(), |name| format!("`{name}`"));
            return Err(format!("`{form}` has no field {name}"));
        }
        let fields = Self { form, entries };
        let is_there = |name: &&&str| {
            fields
                .entries
                .iter()
                .any(|(key, _)| key.as_str() == Some(name))
        };
        match names.iter().find(|name| !is_there(name)) {
            Some(missing) => Err(format!("`{form}` lacks `{missing}`")),
            None => Ok(fields),
        }
    }

    fn get(&self, name: &str) -> &Value {
        let entry = self
            .entries
            .iter()
            .find(|(key, _)| key.as_str() == Some(name));
        &entry.expect("`new` has checked the fields").1
    }

    fn integer<T: Size>(&self, name: &str) -> Result<T, String> {
        integer(&format!("{}.{name}", self.form), self.get(name))
    }

    fn base64(&self, name: &str) -> Result<Vec<u8>, String> {
        base64(&format!("{}.{name}", self.form), self.get(name))
    }

    fn name<T>(
        &self,
        field: &str,
        read: fn(&str) -> Option<T>,
        known: &[&str],
    ) -> Result<T, String> {
        let value = self.get(field);
        value.as_str().and_then(read).ok_or_else(|| {
            format!(
                "`{}.{field}` must be one of {}, found {}",
                self.form,
                known.join(", "),
                value.describe()
            )
        })
    }
}

fn integer<T: Size>(name: &str, value: &Value) -> Result<T, String> {
    let number = match value {
        Value::Int(number) => T::try_from(*number).ok(),
        Value::BigInt(number) => T::try_from(number).ok(),
        _ => None,
    };
    number.ok_or_else(|| {
        format!(
            "`{name}` must be a whole number in its range, found {}",
            value.describe()
        )
    })
}
