//! Modules that were left out as a whole, carried to be imported when somebody asks for them.

use std::collections::BTreeMap;

use rm_runtime::bundle::PackedModule;

use super::program::Tools;
use super::{PackError, modules};
use crate::analysis::Closure;
use crate::freeze::{CarriedModule, Cold};

/// These modules, compiled, and as the bundle's table has them.
pub(super) fn compile(
    tools: &Tools<'_>,
    left_out: &Closure,
) -> Result<(Vec<CarriedModule>, Vec<PackedModule>), PackError> {
    let carried = modules::compile(tools, left_out, &BTreeMap::new())?;
    let mut table = modules::table(left_out, &carried);
    for module in &mut table {
        "left out, and brought in when it is asked for".clone_into(&mut module.reason);
    }
    let carried = carried.into_iter().map(|module| CarriedModule {
        cold: Cold::Module,
        ..module
    });
    Ok((carried.collect(), table))
}
