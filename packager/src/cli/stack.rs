//! `rm-pack verify --stack`: how much stack a bundle needs, beside what browsers have.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::anyhow;
use rm_runtime::bundle::Bundle;
use rm_runtime::cache::Cache;
use rm_runtime::pipeline::{Pipeline, Settings};
use rm_runtime::python::Engine;
use rm_runtime::value::Value;

use super::failure::{Failure, Stage};
use super::items::Items;
use super::output::{Progress, mute, print};
use super::run::run_batch;
use crate::report::size;

/// What Chromium gives WebAssembly: V8's `--stack-size`, which is 984 KiB unless told otherwise, in pages; Blink's own limit
/// in workers. For the same calls V8's code needs less than wasmtime's, so that what is enough here is enough there:
/// `browser-demo/bench/stack.mjs` measures both.
const BROWSERS: [(&str, usize); 2] = [
    ("Chromium, page", 984 << 10),
    ("Chromium, worker", 500 << 10),
];

/// Where the search begins, and how exact it is.
const MOST: usize = 32 << 20;
const STEP: usize = 1 << 10;

/// What to find out.
pub(super) struct StackOptions<'a> {
    /// The items to run; none to boot alone.
    pub(super) input: Option<&'a Path>,
    /// The share of a browser's stack that may be needed.
    pub(super) share: f64,
}

pub(super) fn measure(file: &Path, options: &StackOptions) -> Result<(), Failure> {
    if options.input.is_some_and(|path| path.as_os_str() == "-") {
        let error = anyhow!("standard input can be read only once; give the items in a file");
        return Err(Failure::new(Stage::Input, error));
    }
    let bundle = Bundle::open(file)?;
    if bundle.description().engine.is_none() {
        let text = format!("{}: no Python, so no stack to speak of\n", file.display());
        return print(&text);
    }
    let progress = Progress::new();
    progress.step("running with all the stack there is");
    // Also sees to it that the engine is compiled.
    let pipeline = Pipeline::load(&bundle, Settings::default())?;
    let whole = run(&pipeline, options.input)?;
    mute();
    let (mut too_little, mut enough) = (0, MOST);
    while enough - too_little > STEP {
        // Most need little: the middle by size of the number, not by number.
        let middle = if too_little < STEP {
            enough >> 2
        } else {
            usize::midpoint(too_little, enough)
        };
        progress.step(&format!("running with {} of stack", size(middle as u64)));
        if suffices(&bundle, middle, options.input, whole)? {
            enough = middle;
        } else {
            too_little = middle;
        }
    }
    drop(progress);
    report(file, enough, options)
}

fn report(file: &Path, enough: usize, options: &StackOptions) -> Result<(), Failure> {
    let what = options.input.map_or_else(
        || "boots".to_owned(),
        |input| format!("boots and runs {}", input.display()),
    );
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}: {what} on {} KiB of stack; a browser needs no more",
        file.display(),
        enough.div_ceil(1 << 10),
    );
    let mut crowded = None;
    for (name, limit) in BROWSERS {
        #[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
        let share = enough as f64 / limit as f64;
        let (limit_kib, percent) = (limit >> 10, share * 100.0);
        let _ = writeln!(out, "  {name:<17} {limit_kib:>4} KiB  {percent:>3.0}%");
        if share > options.share {
            crowded = Some((name, percent));
        }
    }
    print(&out)?;
    let Some((name, percent)) = crowded else {
        return Ok(());
    };
    Err(Failure::new(
        Stage::Running,
        anyhow!(
            "{percent:.0}% of the stack of {name} is more than the {:.0}% that --share allows; nest calls less deeply, or \
             allow more",
            options.share * 100.0
        ),
    ))
}

/// How many outputs there are.
fn run(pipeline: &Pipeline, input: Option<&Path>) -> Result<u64, Failure> {
    let nothing = Some(Value::List(Vec::new()));
    let items = Items::open(input, nothing, pipeline.takes_input())
        .map_err(|error| Failure::new(Stage::Input, error))?;
    let mut outputs = 0;
    let (_, ran) = run_batch(pipeline, items, |_| {
        outputs += 1;
        Ok(())
    });
    ran?;
    Ok(outputs)
}

/// Whether so much stack gives as many outputs; where errors skip an item, an interpreter that is gone shows in nothing else.
fn suffices(
    bundle: &Bundle,
    stack: usize,
    input: Option<&Path>,
    whole: u64,
) -> Result<bool, Failure> {
    let Some(reference) = &bundle.description().engine else {
        return Ok(true);
    };
    let engine = Engine::from_cache_with_stack(reference.digest, &Cache::user(), stack)
        .map_err(|error| Failure::new(Stage::Running, error))?;
    let Ok(pipeline) = Pipeline::with_engine(bundle, engine, Settings::default()) else {
        return Ok(false);
    };
    Ok(run(&pipeline, input).is_ok_and(|outputs| outputs == whole))
}
