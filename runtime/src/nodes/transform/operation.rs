//! One operation of `RustTransformNode`.

use crate::manifest::Params;
use crate::nodes::number::{ADD, MULTIPLY, Number};
use crate::nodes::text::Text;
use crate::nodes::{FromParam, NodeError, ParamReader};
use crate::value::Value;

type Entries = Vec<(Value, Value)>;

/// One change to an item.
#[derive(Debug)]
pub(super) enum Operation {
    Select(Fields),
    Remove(Fields),
    Rename {
        from: String,
        to: String,
    },
    Set {
        field: String,
        value: Value,
    },
    Get {
        field: String,
    },
    Scale {
        field: Option<String>,
        factor: Number,
        offset: Number,
    },
    Uppercase {
        field: Option<String>,
    },
    Lowercase {
        field: Option<String>,
    },
}

#[derive(Debug)]
pub(super) struct Fields(Vec<String>);

impl FromParam for Fields {
    const EXPECTED: &'static str = "a list of field names";

    fn from_param(value: &Value) -> Option<Self> {
        let Value::List(names) = value else {
            return None;
        };
        let names = names.iter().map(|name| name.as_str().map(str::to_owned));
        names.collect::<Option<_>>().map(Fields)
    }
}

impl Operation {
    const NAMES: [&'static str; 8] = [
        "select",
        "remove",
        "rename",
        "set",
        "get",
        "scale",
        "uppercase",
        "lowercase",
    ];

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Select(_) => "select",
            Self::Remove(_) => "remove",
            Self::Rename { .. } => "rename",
            Self::Set { .. } => "set",
            Self::Get { .. } => "get",
            Self::Scale { .. } => "scale",
            Self::Uppercase { .. } => "uppercase",
            Self::Lowercase { .. } => "lowercase",
        }
    }

    pub(super) fn read(operation: &Value) -> Result<Self, NodeError> {
        let expected = || NodeError::input("a dict with `op`", operation);
        let Value::Dict(entries) = operation else {
            return Err(expected());
        };
        let params = entries
            .iter()
            .map(|(name, value)| Some((name.as_str()?, value.clone())));
        let params: Params = params.collect::<Option<_>>().ok_or_else(expected)?;
        let mut reader = ParamReader::new(&params);
        let op: Value = reader.required("op")?;
        let operation = match op.as_str() {
            Some("select") => Self::Select(reader.required("fields")?),
            Some("remove") => Self::Remove(reader.required("fields")?),
            Some("rename") => Self::Rename {
                from: reader.required("from")?,
                to: reader.required("to")?,
            },
            Some("set") => Self::Set {
                field: reader.required("field")?,
                value: reader.required("value")?,
            },
            Some("get") => Self::Get {
                field: reader.required("field")?,
            },
            Some("scale") => Self::Scale {
                field: reader.optional("field")?,
                factor: reader.optional("factor")?.unwrap_or_else(|| 1.into()),
                offset: reader.optional("offset")?.unwrap_or_else(|| 0.into()),
            },
            Some("uppercase") => Self::Uppercase {
                field: reader.optional("field")?,
            },
            Some("lowercase") => Self::Lowercase {
                field: reader.optional("field")?,
            },
            _ => return Err(NodeError::unknown_name("`op` is", &op, &Operation::NAMES)),
        };
        reader.finish()?;
        Ok(operation)
    }

    pub(super) fn apply(&self, item: Value) -> Result<Value, NodeError> {
        match self {
            Self::Select(Fields(names)) => {
                let mut entries = entries(item)?;
                let mut selected = Entries::new();
                for name in names {
                    if !selected.iter().any(|(known, _)| is(known, name)) {
                        let index = find(&entries, name)?;
                        selected.push(entries.swap_remove(index));
                    }
                }
                Ok(Value::Dict(selected))
            }
            Self::Remove(Fields(names)) => {
                let mut entries = entries(item)?;
                entries.retain(|(key, _)| !names.iter().any(|name| is(key, name)));
                Ok(Value::Dict(entries))
            }
            Self::Rename { from, to } => {
                let mut entries = entries(item)?;
                let index = find(&entries, from)?;
                entries[index].0 = to.as_str().into();
                // Another field of the new name gives way.
                let mut place = 0..;
                entries.retain(|(key, _)| place.next() == Some(index) || !is(key, to));
                Ok(Value::Dict(entries))
            }
            Self::Set { field, value } => {
                let mut entries = entries(item)?;
                match entries.iter_mut().find(|(key, _)| is(key, field)) {
                    Some((_, old)) => *old = value.clone(),
                    None => entries.push((field.as_str().into(), value.clone())),
                }
                Ok(Value::Dict(entries))
            }
            Self::Get { field } => {
                let mut entries = entries(item)?;
                let index = find(&entries, field)?;
                Ok(entries.swap_remove(index).1)
            }
            Self::Scale {
                field,
                factor,
                offset,
            } => change(item, field.as_deref(), |number| {
                ADD.apply(&MULTIPLY.apply(number, factor)?, offset)
            }),
            Self::Uppercase { field } => {
                change(item, field.as_deref(), |value| Ok(text(value)?.upper()))
            }
            Self::Lowercase { field } => {
                change(item, field.as_deref(), |value| Ok(text(value)?.lower()))
            }
        }
    }
}

/// Changes one field, or the item itself.
fn change(
    item: Value,
    field: Option<&str>,
    change: impl Fn(&Value) -> Result<Value, NodeError>,
) -> Result<Value, NodeError> {
    let Some(field) = field else {
        return change(&item);
    };
    let mut entries = entries(item)?;
    let index = find(&entries, field)?;
    let value = &mut entries[index].1;
    *value =
        change(value).map_err(|error| NodeError::failed(format!("field `{field}`: {error}")))?;
    Ok(Value::Dict(entries))
}

fn entries(item: Value) -> Result<Entries, NodeError> {
    match item {
        Value::Dict(entries) => Ok(entries),
        other => Err(NodeError::input("a dict", &other)),
    }
}

fn is(key: &Value, name: &str) -> bool {
    key.as_str() == Some(name)
}

fn find(entries: &Entries, name: &str) -> Result<usize, NodeError> {
    const SHOWN: usize = 10;
    let index = entries.iter().position(|(key, _)| is(key, name));
    index.ok_or_else(|| {
        let names = entries.iter().filter_map(|(key, _)| key.as_str());
        let mut names: Vec<_> = names
            .map(|name| format!("`{name}`"))
            .take(SHOWN + 1)
            .collect();
        if names.len() > SHOWN {
            "...".clone_into(&mut names[SHOWN]);
        }
        let names = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        NodeError::failed(format!("no field `{name}`; there are {names}"))
    })
}

fn text(value: &Value) -> Result<Text<'_>, NodeError> {
    Text::of(value).ok_or_else(|| NodeError::input("text", value))
}
