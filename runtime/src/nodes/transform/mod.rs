//! `RustTransformNode`: a few changes to data, one after the other.

mod operation;

use self::operation::Operation;
use super::{Node, NodeError, Outputs, ParamReader};
use crate::manifest::Params;
use crate::value::Value;

/// Param `operations`, a list of dictionaries with `op` and what belongs to it, as in the table of [`super`].
struct Transform {
    operations: Vec<Operation>,
}

pub(super) fn create(params: &Params) -> Result<Box<dyn Node>, NodeError> {
    let mut reader = ParamReader::new(params);
    let operations: Value = reader.required("operations")?;
    reader.finish()?;
    let Value::List(operations) = operations else {
        return Err(NodeError::ParamType {
            name: "operations",
            expected: "a list of operations",
            found: operations.describe(),
        });
    };
    let operations = operations.iter().enumerate().map(|(index, operation)| {
        Operation::read(operation)
            .map_err(|error| NodeError::failed(format!("param `operations[{index}]`: {error}")))
    });
    Ok(Box::new(Transform {
        operations: operations.collect::<Result<_, _>>()?,
    }))
}

impl Node for Transform {
    fn process(&mut self, mut item: Value, out: &mut Outputs) -> Result<(), NodeError> {
        for (index, operation) in self.operations.iter().enumerate() {
            item = operation.apply(item).map_err(|error| {
                let name = operation.name();
                NodeError::failed(format!("`operations[{index}]` ({name}): {error}"))
            })?;
        }
        out.push(item);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{from_json, to_json};

    #[track_caller]
    fn transform(operations: &str, item: &str) -> String {
        let params = [("operations", from_json(operations).unwrap())];
        let mut outputs = Outputs::new();
        match create(&params.into_iter().collect())
            .and_then(|mut node| node.process(from_json(item).unwrap(), &mut outputs))
        {
            Ok(()) => to_json(&outputs.into_values()[0]).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn operations_compose() {
        let item = r#"{"a": 1, "b": "x", "c": null, "n": 20}"#;
        let cases = [
            ("[]", r#"{"a":1,"b":"x","c":null,"n":20}"#),
            (
                r#"[{"op": "select", "fields": ["n", "a"]}]"#,
                r#"{"n":20,"a":1}"#,
            ),
            (
                r#"[{"op": "remove", "fields": ["n", "z", "a"]}]"#,
                r#"{"b":"x","c":null}"#,
            ),
            (
                r#"[{"op": "rename", "from": "b", "to": "B"}]"#,
                r#"{"a":1,"B":"x","c":null,"n":20}"#,
            ),
            (
                // As in Python, a name occurs once.
                r#"[{"op": "rename", "from": "c", "to": "a"}]"#,
                r#"{"b":"x","a":null,"n":20}"#,
            ),
            (
                r#"[{"op": "rename", "from": "a", "to": "a"}]"#,
                r#"{"a":1,"b":"x","c":null,"n":20}"#,
            ),
            (
                r#"[{"op": "set", "field": "a", "value": [2]}, {"op": "set", "field": "d", "value": null}]"#,
                r#"{"a":[2],"b":"x","c":null,"n":20,"d":null}"#,
            ),
            (
                r#"[{"op": "scale", "field": "n", "factor": 1.8, "offset": 32}, {"op": "get", "field": "n"}]"#,
                "68.0",
            ),
            (
                r#"[{"op": "get", "field": "n"}, {"op": "scale", "factor": -18446744073709551616}]"#,
                "-368934881474191032320",
            ),
            (
                r#"[{"op": "uppercase", "field": "b"}, {"op": "select", "fields": ["b"]}]"#,
                r#"{"b":"X"}"#,
            ),
        ];
        for (operations, expected) in cases {
            assert_eq!(transform(operations, item), expected);
        }
        assert_eq!(
            transform(r#"[{"op": "lowercase"}]"#, r#""ΣΑΣ""#),
            r#""σας""#
        );
    }

    #[test]
    fn items_that_do_not_fit_are_named() {
        let cases = [
            (
                r#"[{"op": "set", "field": "b", "value": 1}, {"op": "get", "field": "c"}]"#,
                r#"{"a": 1}"#,
                "`operations[1]` (get): no field `c`; there are `a`, `b`",
            ),
            (
                r#"[{"op": "select", "fields": ["c"]}]"#,
                "{}",
                "`operations[0]` (select): no field `c`; there are none",
            ),
            (
                r#"[{"op": "scale", "field": "a"}]"#,
                r#"{"a": "1"}"#,
                "`operations[0]` (scale): field `a`: expected a number (int or float), got str \"1\"",
            ),
            (
                r#"[{"op": "uppercase"}]"#,
                "[]",
                "`operations[0]` (uppercase): expected text, got list of 0",
            ),
            (
                r#"[{"op": "remove", "fields": []}]"#,
                "5",
                "`operations[0]` (remove): expected a dict, got int 5",
            ),
        ];
        for (operations, item, message) in cases {
            assert_eq!(transform(operations, item), message);
        }
    }

    #[test]
    fn operations_that_are_wrong_are_named() {
        let cases = [
            (
                "{}",
                "param `operations`: expected a list of operations, found dict of 0",
            ),
            (
                "[5]",
                "param `operations[0]`: expected a dict with `op`, got int 5",
            ),
            (
                r#"[{"op": "rename", "from": "a", "to": "b"}, {"op": "renam"}]"#,
                "param `operations[1]`: `op` is str \"renam\", known: select, remove, rename, set, get, scale, \
                 uppercase, lowercase; did you mean `rename`?",
            ),
            (
                "[{}]",
                "param `operations[0]`: param `op` is missing: expected a value",
            ),
            (
                r#"[{"op": "set", "field": "a"}]"#,
                "param `operations[0]`: param `value` is missing: expected a value",
            ),
            (
                r#"[{"op": "get", "field": 1}]"#,
                "param `operations[0]`: param `field`: expected text, found int 1",
            ),
            (
                r#"[{"op": "get", "field": "a", "default": 1}]"#,
                "param `operations[0]`: unknown param `default`, known: op, field",
            ),
            (
                r#"[{"op": "select", "fields": ["a", 1]}]"#,
                "param `operations[0]`: param `fields`: expected a list of field names, found list of 2",
            ),
        ];
        for (operations, message) in cases {
            assert_eq!(transform(operations, "{}"), message);
        }
    }
}
