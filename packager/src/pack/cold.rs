//! Modules that were left out as a whole, carried to be imported when somebody asks for them.

use std::collections::BTreeMap;

use rm_runtime::bundle::PackedModule;
use rm_runtime::cache::Cache;
use rm_runtime::python::Engine;

use super::plan::Plan;
use super::{PackError, Request, modules};
use crate::analysis::{self, Closure, Options, Target};
use crate::freeze::{CarriedModule, Cold};

/// The modules that the whole program imports and the one that was found does not: compiled, and as the bundle's table has
/// them.
pub(super) fn left_out(
    request: &Request,
    plan: &Plan,
    target: &Target,
    options: &Options,
    (engine, cache): (&Engine, &Cache),
    found: &Closure,
) -> Result<(Vec<CarriedModule>, Vec<PackedModule>), PackError> {
    if !request.carry.cold || options.whole_modules {
        return Ok((Vec::new(), Vec::new()));
    }
    let options = Options {
        whole_modules: true,
        cold: false,
        ..options.clone()
    };
    // What keeps the whole program from being packed was left out, and does not matter to the rest.
    let Ok(mut whole) = analysis::analyse(&plan.sources, target, &plan.entries(), &options) else {
        return Ok((Vec::new(), Vec::new()));
    };
    whole
        .modules
        .retain(|name, _| !found.modules.contains_key(name));
    whole
        .namespaces
        .retain(|name| !found.namespaces.contains(name));
    let carried = modules::compile(request, engine, cache, &whole, &BTreeMap::new())?;
    let mut table = modules::table(&whole, &carried);
    for module in &mut table {
        "left out, and brought in when it is asked for".clone_into(&mut module.reason);
    }
    let carried = carried.into_iter().map(|module| CarriedModule {
        cold: Cold::Module,
        ..module
    });
    Ok((carried.collect(), table))
}
