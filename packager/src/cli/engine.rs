//! `rm-pack engine`

use std::fmt::Write as _;

use anyhow::bail;
use rm_runtime::cache::Cache;
use rm_runtime::digest::Digest;
use rm_runtime::python::engine::EngineDescription;
use serde::Serialize;

use super::failure::{Failure, Stage};
use super::output::{Progress, print, print_json};
use crate::engine::{BuiltEngine, EngineFacts, build_component};
use crate::report::size;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    facts: &'a EngineFacts,
    description: &'a EngineDescription,
    cached: String,
}

pub(super) fn engine(json: bool, rebuild: bool) -> Result<(), Failure> {
    let built = built(rebuild).map_err(|error| Failure::new(Stage::Packing, error))?;
    if json {
        return print_json(&Shown {
            facts: &built.facts,
            description: &built.description,
            cached: built.component_path().display().to_string(),
        });
    }
    print(&described(&built, rebuild))
}

/// The engine; with `rebuild` built again, which must give the same bytes.
fn built(rebuild: bool) -> anyhow::Result<BuiltEngine> {
    let progress = Progress::new();
    let built = BuiltEngine::ensure(&Cache::user(), &|step| progress.step(step))?;
    if rebuild {
        let (component, _) = build_component(&|step| progress.step(step))?;
        let digest = Digest::of(&component);
        if digest != built.facts.digest {
            bail!(
                "building the engine again gave {digest}, and {} is in the cache",
                built.facts.digest
            );
        }
    }
    Ok(built)
}

fn described(built: &BuiltEngine, rebuilt: bool) -> String {
    let EngineDescription {
        python,
        platform,
        builtin_modules,
        frozen_modules,
        boot_modules,
        ..
    } = &built.description;
    let EngineFacts {
        digest,
        size: bytes,
        stdlib_modules,
        stdlib_size,
    } = &built.facts;
    let mut out = String::new();
    let _ = writeln!(out, "CPython {python} for {platform}");
    let _ = writeln!(
        out,
        "  digest            {digest}{}",
        if rebuilt {
            " (built again: the same)"
        } else {
            ""
        }
    );
    let _ = writeln!(out, "  size              {}", size(*bytes));
    let _ = writeln!(
        out,
        "  cached            {}",
        built.component_path().display()
    );
    let _ = writeln!(
        out,
        "  standard library  {stdlib_modules} modules, {} of source",
        size(*stdlib_size)
    );
    let _ = writeln!(out, "  built in          {} modules", builtin_modules.len());
    let names: Vec<_> = builtin_modules.iter().map(String::as_str).collect();
    for line in wrap(&names) {
        let _ = writeln!(out, "    {line}");
    }
    let _ = writeln!(out, "  frozen            {} modules", frozen_modules.len());
    let _ = writeln!(out, "  imported at boot  {} modules", boot_modules.len());
    out
}

/// Names in lines of at most 100 characters.
fn wrap(names: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines.last_mut() {
            Some(line) if line.len() + name.len() < 100 => {
                line.push(' ');
                line.push_str(name);
            }
            _ => lines.push((*name).to_owned()),
        }
    }
    lines
}
