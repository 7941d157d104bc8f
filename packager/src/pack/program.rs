//! The program to pack for one target: where its modules are looked for, what analysis finds of it, and that compiled.

use std::collections::BTreeMap;
use std::time::Duration;

use cpu_time::ProcessTime;
use rm_runtime::bundle::{PackedModule, Target};
use rm_runtime::cache::Cache;

use super::plan::Plan;
use super::{Analysed, PackError, Request, cold, modules, pyodide};
use crate::analysis::{self, Closure, NodeModule, Options};
use crate::engine::BuiltEngine;
use crate::freeze::CarriedModule;

/// What every stage works with.
pub(super) struct Tools<'a> {
    pub(super) request: &'a Request,
    pub(super) built: &'a BuiltEngine,
    pub(super) cache: &'a Cache,
    pub(super) progress: &'a (dyn Fn(&str) + Sync),
}

impl Tools<'_> {
    /// How far analysis goes, but for what the target adds.
    pub(super) fn options(&self, keep: &[String]) -> Options {
        Options {
            whole_modules: !self.request.shake,
            keep: keep.to_vec(),
            native_names: self.built.description.native_names.clone(),
            traced: self.request.traced.clone(),
            cold: self.request.carry.cold,
        }
    }
}

/// The program, as analysis finds it.
pub(super) struct Program {
    pub(super) plan: Plan,
    target: analysis::Target,
    options: Options,
    pub(super) closure: Closure,
    /// Processor time of finding it.
    pub(super) analysis_time: Duration,
}

impl Program {
    /// Follow the nodes of `plan`, whose sources are complete, and what `more` leads to; for a bundle of the target `bundles`.
    pub(super) fn find(
        mut plan: Plan,
        mut target: analysis::Target,
        options: Options,
        bundles: Target,
        more: Option<NodeModule>,
    ) -> Result<Self, PackError> {
        pyodide::tell_of_packages(&mut target, bundles);
        plan.settle(&target)?;
        let mut entries = plan.entries();
        entries.extend(more);
        let start = ProcessTime::now();
        let closure = analysis::analyse(&plan.sources, &target, &entries, &options)?;
        Ok(Self {
            plan,
            target,
            options,
            closure,
            analysis_time: start.elapsed(),
        })
    }

    /// All modules, compiled, and as the bundle's table has them; `texts` replace those that analysis found. What is only there
    /// to be brought in is among them.
    pub(super) fn compile(
        &self,
        tools: &Tools<'_>,
        texts: &BTreeMap<String, String>,
    ) -> Result<(Vec<CarriedModule>, Vec<PackedModule>), PackError> {
        let mut carried = modules::compile(tools, &self.closure, texts)?;
        let mut table = modules::table(&self.closure, &carried);
        if tools.request.carry.cold
            && !self.options.whole_modules
            && let Some(left_out) = self.left_out()
        {
            let (cold, cold_table) = cold::compile(tools, &left_out)?;
            carried.extend(cold);
            table.extend(cold_table);
            table.sort_by(|left, right| left.name.cmp(&right.name));
        }
        Ok((carried, table))
    }

    /// The modules that the whole program imports, and this one does not.
    fn left_out(&self) -> Option<Closure> {
        let options = Options {
            whole_modules: true,
            cold: false,
            ..self.options.clone()
        };
        let (plan, found) = (&self.plan, &self.closure);
        // What keeps the whole program from being packed was left out, and does not matter to the rest.
        let mut whole =
            analysis::analyse(&plan.sources, &self.target, &plan.entries(), &options).ok()?;
        whole
            .modules
            .retain(|name, _| !found.modules.contains_key(name));
        whole
            .namespaces
            .retain(|name| !found.namespaces.contains(name));
        Some(whole)
    }

    pub(super) fn into_analysed(self) -> Analysed {
        Analysed {
            sources: self.plan.sources,
            closure: self.closure,
        }
    }
}
