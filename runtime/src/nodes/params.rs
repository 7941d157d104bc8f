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

    /// The same for a list of them: `a list of numbers`.
    const EXPECTED_LIST: &'static str = "a list whose items all fit";

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
    const EXPECTED_LIST: &'static str = "a list of true and false";

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
    const EXPECTED_LIST: &'static str = "a list of integers of 64 bits";

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
    const EXPECTED_LIST: &'static str = "a list of integers of 64 bits, not negative";

    fn from_param(value: &Value) -> Option<Self> {
        match value {
            Value::Int(value) => u64::try_from(*value).ok(),
            Value::BigInt(value) => u64::try_from(value).ok(),
            _ => None,
        }
    }
}

impl FromParam for u32 {
    const EXPECTED: &'static str = "an integer of 32 bits, not negative";
    const EXPECTED_LIST: &'static str = "a list of integers of 32 bits, not negative";

    fn from_param(value: &Value) -> Option<Self> {
        u64::from_param(value)?.try_into().ok()
    }
}

impl FromParam for usize {
    const EXPECTED: &'static str = "an integer that is not negative";
    const EXPECTED_LIST: &'static str = "a list of integers that are not negative";

    fn from_param(value: &Value) -> Option<Self> {
        u64::from_param(value)?.try_into().ok()
    }
}

impl FromParam for f64 {
    const EXPECTED: &'static str = "a number";
    const EXPECTED_LIST: &'static str = "a list of numbers";

    /// Integers are taken too, if they fit a float's range.
    fn from_param(value: &Value) -> Option<Self> {
        super::number::to_float(value)
    }
}

impl FromParam for String {
    const EXPECTED: &'static str = "text";
    const EXPECTED_LIST: &'static str = "a list of texts";

    fn from_param(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl FromParam for Value {
    const EXPECTED: &'static str = "a value";
    const EXPECTED_LIST: &'static str = "a list";

    fn from_param(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl<T: FromParam> FromParam for Vec<T> {
    const EXPECTED: &'static str = T::EXPECTED_LIST;

    fn from_param(value: &Value) -> Option<Self> {
        value.as_list()?.iter().map(T::from_param).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_sizes_are_params_too() {
        let numbers = Value::List(vec![Value::Int(1), Value::Float(0.5)]);
        let params: Params = [
            ("weights", numbers),
            ("size", Value::Int(3)),
            ("large", Value::Int(1 << 32)),
            ("negative", Value::Int(-1)),
        ]
        .into_iter()
        .collect();
        let mut reader = ParamReader::new(&params);
        assert_eq!(reader.required::<Vec<f64>>("weights").unwrap(), [1.0, 0.5]);
        assert_eq!(reader.required::<usize>("size").unwrap(), 3);
        assert_eq!(reader.required::<u32>("size").unwrap(), 3);
        let error = |result: Result<(), NodeError>| result.unwrap_err().to_string();
        assert_eq!(
            error(reader.required::<u32>("large").map(drop)),
            "param `large`: expected an integer of 32 bits, not negative, found int 4294967296"
        );
        assert_eq!(
            error(reader.required::<usize>("negative").map(drop)),
            "param `negative`: expected an integer that is not negative, found int -1"
        );
        assert_eq!(
            error(reader.required::<Vec<String>>("weights").map(drop)),
            "param `weights`: expected a list of texts, found list of 2"
        );
    }

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
