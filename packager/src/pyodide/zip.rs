//! Zip archives that are the same bytes for the same files: sorted, compressed by one implementation, without times.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The highest of deflate's levels.
const HARDEST: i64 = 9;

/// An archive of files, given by their path with forward slashes.
///
/// # Panics
///
/// A file of 4 GiB or more.
pub(crate) fn archive(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(HARDEST))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, contents) in files {
        writer
            .start_file(path, options)
            .and_then(|()| Ok(writer.write_all(contents)?))
            .expect("writing into memory, less than 4 GiB");
    }
    writer.finish().expect("writing into memory").into_inner()
}
