//! Pipelines packed in this process, without writing a bundle's file.

use std::path::Path;

use end_to_end::tree;
use rm_pack::pack::{Packed, Request, pack};
use rm_runtime::cache::Cache;

/// Write files into a folder and pack the `pipeline.yaml` among them.
pub fn pack_files(folder: &Path, files: &[(&str, &str)]) -> Packed {
    tree::write(
        folder,
        files.iter().map(|(name, text)| (*name, text.as_bytes())),
    );
    let request = Request {
        manifest: folder.join("pipeline.yaml"),
        ..Request::default()
    };
    pack(&request, &Cache::user(), &|_| {}).unwrap_or_else(|error| panic!("{error:?}"))
}
