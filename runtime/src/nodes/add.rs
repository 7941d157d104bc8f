//! `AddNode`: every number plus an addend.

use super::number::{ADD, Number};
use super::{Node, NodeError, Outputs, ParamReader};
use crate::manifest::Params;
use crate::value::Value;

struct Add {
    addend: Number,
}

pub(super) fn create(params: &Params) -> Result<Box<dyn Node>, NodeError> {
    let mut reader = ParamReader::new(params);
    let node = Add {
        addend: reader.required("addend")?,
    };
    reader.finish()?;
    Ok(Box::new(node))
}

impl Node for Add {
    fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
        out.push(ADD.apply(&input, &self.addend)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact() {
        let mut node = create(&[("addend", 1)].into_iter().collect()).unwrap();
        let mut outputs = Outputs::new();
        for input in [
            Value::Int(9),
            Value::Int(i64::MAX),
            Value::Float(0.5),
            Value::from(u64::MAX),
        ] {
            node.process(input, &mut outputs).unwrap();
        }
        let expected = [
            10.into(),
            (1_u64 << 63).into(),
            1.5.into(),
            Value::from(num_bigint::BigInt::from(1) << 64),
        ];
        assert_eq!(outputs.into_values(), expected);
    }
}
