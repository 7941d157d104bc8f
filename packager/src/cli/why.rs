//! `rm-pack why`

use rm_runtime::cache::Cache;

use super::failure::Failure;
use super::output::{Progress, print, print_json};
use super::report::refuse_bundle;
use crate::pack::{Request, pack};
use crate::report::metafile::MetafileError;
use crate::report::{self, Metafile, metafile_of};

pub(super) fn why(request: &Request, query: &str, json: bool) -> Result<(), Failure> {
    refuse_bundle(request)?;
    let explanation = report::why(&metafile(request)?, query)?;
    if json {
        return print_json(&explanation);
    }
    print(&format!("{explanation}\n"))
}

/// The file itself if it is a metafile, or else that of the manifest which it is.
fn metafile(request: &Request) -> Result<Metafile, Failure> {
    match Metafile::read(&request.manifest) {
        Ok(metafile) => return Ok(metafile),
        // No metafile of any kind: packing tells what is wrong with it if it is no manifest either.
        Err(MetafileError::Other { .. } | MetafileError::Read { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let packed = {
        let progress = Progress::new();
        pack(request, &Cache::user(), &|step| progress.step(step))?
    };
    Ok(metafile_of(&packed)?)
}
