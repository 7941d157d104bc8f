//! `Calculator`: one operation on two numbers.

use super::arithmetic::Arithmetic;
use super::number::Number;
use super::{Node, NodeError, Outputs, ParamReader};
use crate::manifest::Params;
use crate::value::Value;

const ITEM: &str = "a dict with `operation`, `a` and `b`";
const NUMBER: &str = "a number (int or float)";

/// Params `operation` and `operand`: both, and every number that comes is the left side; or neither, and every item is
/// `{"operation": ..., "a": ..., "b": ...}`. Gives the result alone either way.
enum Calculator {
    Fixed {
        operation: Arithmetic,
        operand: Number,
    },
    ByItem,
}

pub(super) fn create(params: &Params) -> Result<Box<dyn Node>, NodeError> {
    let mut reader = ParamReader::new(params);
    let fixed = reader.optional::<Arithmetic>("operation")?.is_some()
        || reader.optional::<Number>("operand")?.is_some();
    let node = if fixed {
        Calculator::Fixed {
            operation: reader.required("operation")?,
            operand: reader.required("operand")?,
        }
    } else {
        Calculator::ByItem
    };
    reader.finish()?;
    Ok(Box::new(node))
}

impl Node for Calculator {
    fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
        let result = match self {
            Calculator::Fixed { operation, operand } => operation.apply(&number(&input)?, operand),
            Calculator::ByItem => by_item(&input),
        };
        out.push(result?);
        Ok(())
    }
}

fn by_item(item: &Value) -> Result<Value, NodeError> {
    if !matches!(item, Value::Dict(_)) {
        return Err(NodeError::input(ITEM, item));
    }
    let field = |name: &str| {
        item.get(name)
            .ok_or_else(|| NodeError::failed(format!("expected {ITEM}: `{name}` is missing")))
    };
    let operation = Arithmetic::of(field("operation")?)?;
    let operand = |name: &str| {
        let value = field(name)?;
        Number::of(value).ok_or_else(|| {
            NodeError::failed(format!(
                "`{name}`: expected {NUMBER}, got {}",
                value.describe()
            ))
        })
    };
    operation.apply(&operand("a")?, &operand("b")?)
}

fn number(value: &Value) -> Result<Number, NodeError> {
    Number::of(value).ok_or_else(|| NodeError::input(NUMBER, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{from_json, to_json};

    #[track_caller]
    fn calculate(params: &[(&str, Value)], item: &str) -> String {
        let params = params.iter().cloned().collect();
        let mut outputs = Outputs::new();
        match create(&params)
            .and_then(|mut node| node.process(from_json(item).unwrap(), &mut outputs))
        {
            Ok(()) => to_json(&outputs.into_values().into()).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn both_forms_give_the_result_alone() {
        let item = r#"{"operation": "subtract", "a": 7, "b": 2.5, "id": 1}"#;
        assert_eq!(calculate(&[], item), "[4.5]");
        let params = [("operation", "power".into()), ("operand", 3.into())];
        assert_eq!(calculate(&params, "-2"), "[-8]");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let cases = [
            (
                "5",
                "expected a dict with `operation`, `a` and `b`, got int 5",
            ),
            (
                r#"{"operation": "add", "a": 1}"#,
                "expected a dict with `operation`, `a` and `b`: `b` is missing",
            ),
            (
                r#"{"operation": "add", "a": true, "b": 1}"#,
                "`a`: expected a number (int or float), got bool True",
            ),
            (
                r#"{"operation": "ad", "a": 1, "b": 1}"#,
                "unknown operation str \"ad\", known: add, subtract, multiply, divide, power, modulo; \
                 did you mean `add`?",
            ),
        ];
        for (item, message) in cases {
            assert_eq!(calculate(&[], item), message);
        }
        assert_eq!(
            calculate(&[("operation", "add".into())], "1"),
            "param `operand` is missing: expected a number"
        );
        assert_eq!(
            calculate(&[("operand", 1.into())], "1"),
            "param `operation` is missing: \
             expected one of `add`, `subtract`, `multiply`, `divide`, `power`, `modulo`"
        );
        let params = [("operation", "sqrt".into()), ("operand", 1.into())];
        assert_eq!(
            calculate(&params, "1"),
            "param `operation`: \
             expected one of `add`, `subtract`, `multiply`, `divide`, `power`, `modulo`, found str \"sqrt\""
        );
    }
}
