//! `rm-pack why`

use rm_runtime::cache::Cache;

use super::failure::{Failure, Stage};
use super::output::{Progress, print, print_json};
use crate::pack::{Request, pack};
use crate::report::{self, metafile_of};

pub(super) fn why(request: &Request, query: &str, json: bool) -> Result<(), Failure> {
    let packed = {
        let progress = Progress::new();
        pack(request, &Cache::user(), &|step| progress.step(step))?
    };
    let explanation = report::why(&metafile_of(&packed)?, query)?;
    if json {
        return print_json(&explanation);
    }
    print(&format!("{explanation}\n")).map_err(|error| Failure::new(Stage::Running, error))
}
