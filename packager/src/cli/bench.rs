//! `rm-pack bench`

use std::fmt::Write as _;

use rm_runtime::cache::Cache;

use super::failure::{Failure, Stage};
use super::output::{Progress, print};
use crate::bench::{minify, shake};

/// Measure what shaking and minifying do; `peers` asks `python-minifier` as well, which takes minutes.
pub(super) fn shake(peers: bool) -> Result<(), Failure> {
    let packing = |error| Failure::new(Stage::Packing, error);
    let progress = Progress::new();
    let shaking = shake::measure(&Cache::user(), &|step| progress.step(step)).map_err(packing)?;
    progress.step("minifying");
    let rows = minify::rows(&crate::engine::stdlib(), peers.then_some("python3"));
    drop(progress);
    let mut out = format!("{shaking}\nminifying the whole library\n");
    for row in rows {
        let _ = writeln!(out, "{row}");
    }
    print(&out)
}
