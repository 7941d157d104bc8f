//! `--trace`: running a pipeline to see what it uses.

use std::path::Path;

use rm_runtime::cache::Cache;
use rm_runtime::pipeline::{Pipeline, Settings};

use super::failure::{Failure, Stage};
use super::items::Items;
use super::output::{Progress, take_traced};
use super::run::{Ended, run_batch};
use crate::freeze::Traced;
use crate::pack::{Carry, Request, pack};

/// What ran when the pipeline of `request`, whole, was run on the items of `input`. Its outputs are dropped; what it prints
/// is shown.
pub(super) fn trace(request: &Request, input: &Path) -> Result<Traced, Failure> {
    let cache = Cache::user();
    let whole = Request {
        shake: false,
        carry: Carry {
            trace: true,
            ..Carry::default()
        },
        ..request.clone()
    };
    let progress = Progress::new();
    let packed = pack(&whole, &cache, &|step| progress.step(step))?;
    progress.step("running the whole pipeline");
    let engine = packed.engine.map(|built| built.engine);
    let settings = Settings {
        cache,
        ..Settings::default()
    };
    let pipeline = Pipeline::with_engine(&packed.bundle, engine, settings)?;
    let items = Items::open(Some(input), packed.input_data, pipeline.takes_input())
        .map_err(|error| Failure::new(Stage::Input, error))?;
    let (_, ran) = run_batch(&pipeline, items, |_| Ok(()));
    drop(progress);
    match ran {
        Err(Ended::Run(error)) => Err(Failure::from(error).with_sources(&packed.user_sources)),
        Err(Ended::Output(error)) => Err(Failure::new(Stage::Running, error)),
        Err(Ended::Input(error)) => Err(Failure::new(Stage::Input, error)),
        Ok(()) => {
            let mut traced = packed.traced;
            traced.append(&mut take_traced());
            Ok(traced)
        }
    }
}
