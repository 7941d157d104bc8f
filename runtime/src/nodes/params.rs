//! Reading a node's params.

use super::NodeError;
use crate::manifest::Params;
use crate::suggest::nearest;
use crate::value::Value;

/// Reads params one by one, then refuses those that nobody asked for.
#[derive(Debug)]
pub struct ParamReader<'a> {
    params: &'a Params,
    asked: Vec<&'static str>,
}

/// A type that a param can be read as.
pub trait FromParam: Sized {
    /// What to expect, for messages: `a number`.
    const EXPECTED: &'static str;

    /// The value as this type; `None` if it is of another.
    fn from_param(value: &Value) -> Option<Self>;
}

impl<'a> ParamReader<'a> {
    /// A reader of these params.
    pub fn new(params: &'a Params) -> Self {
        ParamReader {
            params,
            asked: Vec::new(),
        }
    }

    /// A param that must be there.
    ///
    /// # Errors
    /// [`NodeError::MissingParam`], [`NodeError::ParamType`].
    pub fn required<T: FromParam>(&mut self, name: &'static str) -> Result<T, NodeError> {
        self.ask(name);
        match self.params.get(name) {
            Some(value) => read(name, value),
            None => Err(NodeError::MissingParam {
                name,
                expected: T::EXPECTED,
            }),
        }
    }

    /// A param that may be left out or null.
    ///
    /// # Errors
    /// [`NodeError::ParamType`].
    pub fn optional<T: FromParam>(&mut self, name: &'static str) -> Result<Option<T>, NodeError> {
        self.ask(name);
        match self.params.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(name, value).map(Some),
        }
    }

    fn ask(&mut self, name: &'static str) {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
    }

    /// Checks that there is no param that was not asked for.
    ///
    /// # Errors
    /// [`NodeError::UnknownParam`] for the first one.
    pub fn finish(self) -> Result<(), NodeError> {
        match self
            .params
            .iter()
            .find(|(name, _)| !self.asked.contains(name))
        {
            None => Ok(()),
            Some((name, _)) => Err(NodeError::UnknownParam {
                name: name.to_owned(),
                nearest: nearest(name, self.asked.iter().copied()).map(str::to_owned),
                known: self.asked.into(),
            }),
        }
    }
}

fn read<T: FromParam>(name: &'static str, value: &Value) -> Result<T, NodeError> {
    let wrong = || NodeError::ParamType {
        name,
        expected: T::EXPECTED,
        found: value.describe(),
    };
    T::from_param(value).ok_or_else(wrong)
}

impl FromParam for bool {
    const EXPECTED: &'static str = "true or false";

    fn from_param(value: &Value) -> Option<Self> {
        if let Value::Bool(value) = value {
            Some(*value)
        } else {
            None
        }
    }
}

impl FromParam for i64 {
    const EXPECTED: &'static str = "an integer of 64 bits";

    fn from_param(value: &Value) -> Option<Self> {
        if let Value::Int(value) = value {
            Some(*value)
        } else {
            None
        }
    }
}

impl FromParam for u64 {
    const EXPECTED: &'static str = "an integer of 64 bits, not negative";

    fn from_param(value: &Value) -> Option<Self> {
        match value {
            Value::Int(value) => u64::try_from(*value).ok(),
            Value::BigInt(value) => u64::try_from(value).ok(),
            _ => None,
        }
    }
}

impl FromParam for f64 {
    const EXPECTED: &'static str = "a number";

    /// Integers are taken too, if they fit a float's range.
    fn from_param(value: &Value) -> Option<Self> {
        super::number::to_float(value)
    }
}

impl FromParam for String {
    const EXPECTED: &'static str = "text";

    fn from_param(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl FromParam for Value {
    const EXPECTED: &'static str = "a value";

    fn from_param(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn params_are_read_and_the_rest_refused() {
        let params: Params = [
            ("gain", Value::Int(2)),
            ("mode", Value::from("x")),
            ("off", Value::Null),
        ]
        .into_iter()
        .collect();
        let mut reader = ParamReader::new(&params);
        assert_eq!(reader.required::<f64>("gain").unwrap().to_string(), "2");
        assert_eq!(reader.optional::<bool>("off").unwrap(), None);
        assert_eq!(reader.optional::<String>("modes").unwrap(), None);
        assert_eq!(
            reader.required::<i64>("size").unwrap_err().to_string(),
            "param `size` is missing: expected an integer of 64 bits"
        );
        assert_eq!(
            reader.required::<bool>("gain").unwrap_err().to_string(),
            "param `gain`: expected true or false, found int 2"
        );
        assert_eq!(
            reader.finish().unwrap_err().to_string(),
            "unknown param `mode`, known: gain, off, modes, size; did you mean `modes`?"
        );
    }
}
