//! `rm-pack report`

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use rm_runtime::cache::Cache;
use rm_runtime::file::write_atomically;

use super::failure::{Failure, Stage};
use super::is_bundle;
use super::output::{Progress, print, show_notes};
use super::packing::Packing;
use super::written::{self, Named};
use crate::pack::Request;
use crate::report::{Side, html, metafile_of};

/// What to write, and what to compare with.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) html: Option<PathBuf>,
    pub(super) metafile: Option<PathBuf>,
    pub(super) previous: Option<PathBuf>,
}

pub(super) fn report(packing: &Packing, files: &Files) -> Result<(), Failure> {
    refuse_bundle(&packing.request)?;
    let written = [("--metafile", &files.metafile), ("--html", &files.html)];
    let written: Vec<Named<'_>> = written
        .into_iter()
        .filter_map(|(option, path)| Some((option, path.as_deref()?)))
        .collect();
    written::check(&written, &packing.read())?;
    // A file that cannot be compared with is found out before the work, not after it.
    let previous = files.previous.as_deref().map(Side::read).transpose()?;
    let packed = {
        let progress = Progress::new();
        packing.pack(&Cache::user(), &progress)?
    };
    show_notes(&packed.notes);
    let metafile = metafile_of(&packed)?;
    if let Some(path) = &files.metafile {
        metafile.write(path)?;
        told(path)?;
    }
    if let Some(path) = &files.html {
        let page = html(&metafile, previous.as_ref());
        write_atomically(path, page.as_bytes()).map_err(|source| {
            let error =
                anyhow::Error::new(source).context(format!("cannot write `{}`", path.display()));
            Failure::new(Stage::Packing, error)
        })?;
        told(path)?;
    }
    Ok(())
}

/// A bundle does not say why things are in it, other than for modules: ask for what it was packed from.
pub(super) fn refuse_bundle(request: &Request) -> Result<(), Failure> {
    let path = &request.manifest;
    if is_bundle(path) {
        let error = anyhow!(
            "`{}` is a bundle; name the manifest that it was packed from",
            path.display()
        );
        return Err(Failure::new(Stage::Input, error));
    }
    Ok(())
}

fn told(path: &Path) -> Result<(), Failure> {
    print(&format!("{}\n", path.display()))
}
