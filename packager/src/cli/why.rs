//! `rm-pack why`

use rm_runtime::cache::Cache;

use super::failure::Failure;
use super::output::{Progress, print_json, show};
use super::packing::Packing;
use super::refuse;
use super::report::refuse_bundle;
use crate::report::metafile::MetafileError;
use crate::report::{self, Metafile, metafile_of};

/// `option` is one that was given and says how to pack.
pub(super) fn why(
    packing: &Packing,
    option: Option<&str>,
    query: &str,
    json: bool,
) -> Result<(), Failure> {
    refuse_bundle(&packing.request)?;
    let explanation = report::why(&metafile(packing, option)?, query)?;
    if json {
        return print_json(&explanation);
    }
    show(&format!("{explanation}\n"))
}

/// The file itself if it is a metafile, or else that of the manifest which it is.
fn metafile(packing: &Packing, option: Option<&str>) -> Result<Metafile, Failure> {
    match Metafile::read(&packing.request.manifest) {
        Ok(metafile) => {
            if let Some(option) = option {
                refuse(&format!(
                    "{option} says how to pack, and a metafile is of what is packed already"
                ));
            }
            return Ok(metafile);
        }
        // No metafile of any kind: packing tells what is wrong with it if it is no manifest either.
        Err(MetafileError::Other { .. } | MetafileError::Read { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let packed = {
        let progress = Progress::new();
        packing.pack(&Cache::user(), &progress)?
    };
    Ok(metafile_of(&packed)?)
}
