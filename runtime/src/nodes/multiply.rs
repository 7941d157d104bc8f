//! `MultiplyNode`: every number times a factor.

use super::number::{MULTIPLY, Number};
use super::{Node, NodeError, Outputs, ParamReader};
use crate::manifest::Params;
use crate::value::Value;

struct Multiply {
    factor: Number,
}

pub(super) fn create(params: &Params) -> Result<Box<dyn Node>, NodeError> {
    let mut reader = ParamReader::new(params);
    let node = Multiply {
        factor: reader.required("factor")?,
    };
    reader.finish()?;
    Ok(Box::new(node))
}

impl Node for Multiply {
    fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
        out.push(MULTIPLY.apply(&input, &self.factor)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{from_json, to_json};

    #[track_caller]
    fn multiply(factor: &str, input: &str) -> String {
        let params: Params = [("factor", from_json(factor).unwrap())]
            .into_iter()
            .collect();
        let mut outputs = Outputs::new();
        match create(&params)
            .and_then(|mut node| node.process(from_json(input).unwrap(), &mut outputs))
        {
            Ok(()) => to_json(&outputs.into_values().into()).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn products_are_those_of_python() {
        assert_eq!(multiply("2", "5"), "[10]");
        assert_eq!(multiply("2", "5.0"), "[10.0]");
        assert_eq!(multiply("0.5", "5"), "[2.5]");
        assert_eq!(
            multiply("4", "9223372036854775807"),
            "[36893488147419103228]"
        );
        assert_eq!(multiply("0", "36893488147419103228"), "[0]");
        assert_eq!(
            multiply("2.0", "36893488147419103228"),
            "[7.378697629483821e+19]"
        );
        assert_eq!(multiply("1e308", "10.0"), r#"[{"$float":"inf"}]"#);
        assert_eq!(
            multiply("1.0", &"9".repeat(400)),
            "int too large to convert to float"
        );
    }

    #[test]
    fn what_is_no_number_is_refused() {
        assert_eq!(
            multiply("2", "true"),
            "expected a number (int or float), got bool True"
        );
        assert_eq!(
            multiply("2", "\"5\""),
            "expected a number (int or float), got str \"5\""
        );
        assert_eq!(
            multiply("2", "null"),
            "expected a number (int or float), got None"
        );
        assert_eq!(
            multiply("\"2\"", "5"),
            "param `factor`: expected a number, found str \"2\""
        );
    }

    #[test]
    fn params_are_checked() {
        let message = |name: &str| {
            create(&[(name, 1)].into_iter().collect())
                .err()
                .unwrap()
                .to_string()
        };
        assert_eq!(
            message("factr"),
            "param `factor` is missing: expected a number"
        );
        let both: Params = [("factor", 1), ("facto", 2)].into_iter().collect();
        assert_eq!(
            create(&both).err().unwrap().to_string(),
            "unknown param `facto`, known: factor; did you mean `factor`?"
        );
    }
}
