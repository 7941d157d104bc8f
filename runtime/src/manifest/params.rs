//! A node's params.

use crate::value::Value;

/// Named values in the manifest's order: a Rust node's factory reads them, a Python node gets them as keyword arguments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params(Vec<(String, Value)>);

impl Params {
    /// No params.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a param.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Sets a param, in place if it was there, else after the others.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, slot)) => *slot = value,
            None => self.0.push((name, value)),
        }
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Params {
    /// The last value of a repeated name counts.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(iter: I) -> Self {
        let mut params = Params::new();
        for (name, value) in iter {
            params.set(name, value);
        }
        params
    }
}

impl From<Params> for Value {
    /// A [`Value::Dict`] with text keys.
    fn from(params: Params) -> Self {
        Value::Dict(
            params
                .0
                .into_iter()
                .map(|(name, value)| (Value::Str(name), value))
                .collect(),
        )
    }
}
