//! `--trace`: running a pipeline to see what it uses.

use std::path::Path;

use rm_runtime::bundle::Target;
use rm_runtime::cache::Cache;
use rm_runtime::pipeline::{Pipeline, Settings};

use super::failure::{Failure, Stage};
use super::items::Items;
use super::output::{Progress, take_traced};
use super::run::run_batch;
use crate::freeze::Traced;
use crate::pack::{Carry, Request, pack};

/// What ran when the pipeline of `request`, whole, was run on the items of `input`. Its outputs are dropped; what it prints
/// is shown. Whatever it is packed for, it runs here.
///
/// # Errors
///
/// The pipeline cannot be packed whole, or fails on these items: the error says that it is the tracing that failed.
pub(super) fn trace(
    request: &Request,
    input: &Path,
    cache: &Cache,
    progress: &Progress,
) -> Result<Traced, Failure> {
    let place = match request.target {
        Target::Wasmtime => "",
        Target::Pyodide => ", natively, without packages that only Pyodide has",
    };
    run_whole(request, input, cache, progress).map_err(|failure| {
        failure.context(format!(
            "cannot trace with --trace {}, which runs the whole pipeline first{place}",
            input.display()
        ))
    })
}

fn run_whole(
    request: &Request,
    input: &Path,
    cache: &Cache,
    progress: &Progress,
) -> Result<Traced, Failure> {
    let whole = Request {
        shake: false,
        target: Target::Wasmtime,
        carry: Carry {
            trace: true,
            ..Carry::default()
        },
        ..request.clone()
    };
    let packed = pack(&whole, cache, &|step| progress.step(step))?;
    progress.step("running the whole pipeline");
    let engine = packed.engine.map(|built| built.engine);
    let settings = Settings {
        cache: cache.clone(),
        ..Settings::default()
    };
    let pipeline = Pipeline::with_engine(&packed.bundle, engine, settings)?;
    let items = Items::open(Some(input), packed.input_data, pipeline.takes_input())
        .map_err(|error| Failure::new(Stage::Input, error))?;
    let (_, ran) = run_batch(&pipeline, items, |_| Ok(()));
    ran.map_err(|ended| Failure::from(ended).with_sources(&packed.user_sources))?;
    let mut traced = packed.traced;
    traced.append(&mut take_traced());
    Ok(traced)
}
