//! Packing as commands do it: behind their own checks, with its progress shown, and after a run of the whole pipeline where
//! `--trace` asks for one.

use std::path::PathBuf;

use rm_runtime::cache::Cache;

use super::failure::Failure;
use super::output::Progress;
use super::trace::trace;
use super::written::Named;
use crate::pack::{Packed, Request, pack};

/// What to pack, and what to run before that.
#[derive(Debug)]
pub(super) struct Packing {
    pub(super) request: Request,
    /// Items to run the whole pipeline on first.
    pub(super) trace: Option<PathBuf>,
}

impl Packing {
    pub(super) fn pack(&self, cache: &Cache, progress: &Progress) -> Result<Packed, Failure> {
        let mut request = self.request.clone();
        if let Some(input) = &self.trace {
            request.traced = trace(&request, input, cache, progress)?;
        }
        Ok(pack(&request, cache, &|step| progress.step(step))?)
    }

    /// The files that are read, which nothing that is written may replace.
    pub(super) fn read(&self) -> Vec<Named<'_>> {
        let trace = self.trace.iter().map(|path| ("the trace's input", &**path));
        let manifest: Named<'_> = ("the pipeline", &self.request.manifest);
        std::iter::once(manifest).chain(trace).collect()
    }
}
