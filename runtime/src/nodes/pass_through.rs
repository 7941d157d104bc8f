//! `PassThrough`, also called `Echo`: every value unchanged.

use super::{Node, NodeError, Outputs, ParamReader};
use crate::manifest::Params;
use crate::value::Value;

struct PassThrough;

pub(super) fn create(params: &Params) -> Result<Box<dyn Node>, NodeError> {
    ParamReader::new(params).finish()?;
    Ok(Box::new(PassThrough))
}

impl Node for PassThrough {
    fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
        out.push(input);
        Ok(())
    }
}
