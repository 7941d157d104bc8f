//! `rm-pack build`

use std::path::Path;
use std::time::Instant;

use rm_runtime::bundle::{BundleError, INDEX_FILE, Index};
use rm_runtime::cache::Cache;

use super::TargetArg;
use super::failure::{Failure, Stage};
use super::output::{Progress, count, print, say, seconds, show_notes};
use super::packing::Packing;
use super::report::refuse_bundle;
use super::written;
use crate::engine::BuiltEngine;
use crate::report::metafile_of;
use crate::report::size;
use crate::web::WebEngine;

/// What is to be written beside the bundle.
pub(super) struct Beside<'a> {
    /// A file for everything that is known about the bundle.
    pub(super) metafile: Option<&'a Path>,
    /// Whether the engine for browsers is compressed as well.
    pub(super) brotli: bool,
}

pub(super) fn build(
    packing: &Packing,
    target: TargetArg,
    out: &Path,
    Beside { metafile, brotli }: Beside<'_>,
) -> Result<(), Failure> {
    let started = Instant::now();
    let request = &packing.request;
    refuse_bundle(request)?;
    if let Some(file) = metafile {
        let index = out.join(INDEX_FILE);
        let mut others = packing.read();
        others.extend([
            ("the folder of bundles", out),
            ("the index of bundles", &index),
        ]);
        written::check(&[("--metafile", file)], &others)?;
    }
    // A folder that cannot take a bundle is found out before the work, not after it.
    match Index::read(out) {
        Ok(_) | Err(BundleError::NoIndex { .. }) => {}
        Err(BundleError::Read { source, .. }) => {
            let error = anyhow::Error::new(source)
                .context(format!("cannot write bundles to `{}`", out.display()));
            return Err(Failure::new(Stage::Packing, error));
        }
        Err(error) => return Err(Failure::new(Stage::Packing, error)),
    }
    let packed = {
        let progress = Progress::new();
        let cache = Cache::user();
        let packed = packing.pack(&cache, &progress)?;
        progress.step("writing the bundle");
        match (target, &packed.engine) {
            (TargetArg::Web, Some(engine)) => {
                // The engine first: a bundle that is there can run.
                if brotli {
                    progress.step("compressing the engine for browsers");
                }
                write_web_engine(engine, brotli, out, &cache)
                    .and_then(|()| Ok(packed.bundle.write(out)?))
            }
            _ => packed.write(out, &cache),
        }
        .map_err(|error| Failure::new(Stage::Packing, error))?;
        if let Some(file) = metafile {
            metafile_of(&packed)?.write(file)?;
        }
        packed
    };
    show_notes(&packed.notes);
    let path = out.join(packed.bundle.file_name());
    let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let modules = count(packed.bundle.modules().len(), "module");
    say(&format!(
        "packed {} ({}, {modules}) in {}\n",
        path.display(),
        size(bytes),
        seconds(started.elapsed())
    ));
    print(&format!("{}\n", path.display()))
}

fn write_web_engine(
    engine: &BuiltEngine,
    brotli: bool,
    out: &Path,
    cache: &Cache,
) -> anyhow::Result<()> {
    let mut web = WebEngine::of(engine)?;
    if brotli {
        web = web.with_brotli(cache)?;
    }
    web.write(out).map(drop)
}
