//! The zip archive around a bundle, in its one canonical form: entries sorted behind `bundle.json`, stored as they are,
//! the same date for all, and the content hash as the archive's comment.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{BundleError, DESCRIPTION, Description, Entry, FORMAT, check_size};
use crate::digest::Digest;

/// How hard layers are compressed: the highest level that takes seconds, not minutes.
const COMPRESSION: i32 = 19;

/// How many bytes are reserved at once for an entry that claims to be large.
const MOST_RESERVED: usize = 64 << 20;

/// The archive's comment, before the content hash.
const COMMENT: &str = "rm-pack bundle, content sha256 ";

/// An archive whose form and content hash were checked.
pub(super) struct Archive {
    entries: BTreeMap<String, Vec<u8>>,
    pub(super) content: Digest,
}

/// Write an archive; `entries` are sorted by name.
pub(super) fn write<'a>(
    description: &[u8],
    entries: impl Iterator<Item = (&'a str, impl AsRef<[u8]>)>,
) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    let mut put = |name: &str, bytes: &[u8]| {
        writer.start_file(name, options)?;
        writer.write_all(bytes)?;
        zip::result::ZipResult::Ok(())
    };
    let result = put(DESCRIPTION, description).and_then(|()| {
        entries
            .into_iter()
            .try_for_each(|(name, bytes)| put(name, bytes.as_ref()))
    });
    result.expect("writing into memory, less than 4 GiB");
    writer
        .set_comment(format!("{COMMENT}{}", Digest::of(description)))
        .expect("a comment of a line");
    writer.finish().expect("writing into memory").into_inner()
}

/// The form in which an entry is stored.
pub(super) fn compress(name: &str, contents: Vec<u8>) -> Vec<u8> {
    if is_compressed(name) {
        zstd::encode_all(contents.as_slice(), COMPRESSION)
            .expect("compressing from memory into memory")
    } else {
        contents
    }
}

/// Open an archive, and check that it is in canonical form and has the content hash that it promises.
pub(super) fn read(bytes: &[u8], path: &Path) -> Result<Archive, BundleError> {
    let not_a_bundle = |problem: String| BundleError::NotABundle {
        path: path.to_owned(),
        problem,
    };
    let altered = |what: String| BundleError::Altered {
        path: path.to_owned(),
        what,
    };
    let mut zip =
        ZipArchive::new(Cursor::new(bytes)).map_err(|error| not_a_bundle(error.to_string()))?;
    let mut entries = BTreeMap::new();
    for index in 0..zip.len() {
        let mut entry = zip
            .by_index(index)
            .map_err(|error| altered(error.to_string()))?;
        let name = entry
            .name()
            .map_err(|error| altered(error.to_string()))?
            .into_owned();
        if entry.compression() != CompressionMethod::Stored {
            return Err(altered(format!(
                "the entry `{name}` is not stored as bundles store it"
            )));
        }
        let mut contents = Vec::new();
        entry
            .read_to_end(&mut contents)
            .map_err(|error| altered(format!("the entry `{name}`: {error}")))?;
        entries.insert(name, contents);
    }
    let description = entries
        .get(DESCRIPTION)
        .ok_or_else(|| not_a_bundle(format!("it has no entry `{DESCRIPTION}`")))?;
    check_size(DESCRIPTION, description.len() as u64, path)?;
    check_format(description, path)?;
    let content = Digest::of(description);
    if zip.comment() != format!("{COMMENT}{content}").as_bytes() {
        return Err(altered(format!(
            "`{DESCRIPTION}` does not have the digest that the archive's comment promises"
        )));
    }
    let others = entries.iter().filter(|(name, _)| *name != DESCRIPTION);
    let canonical = write(
        description,
        others.map(|(name, bytes)| (name.as_str(), bytes)),
    );
    if canonical != bytes {
        return Err(altered(
            "the archive is not in the form in which rm-pack writes it".to_owned(),
        ));
    }
    Ok(Archive { entries, content })
}

/// What is of another format may differ in anything else, so this is looked at before all the rest.
pub(super) fn check_format(description: &[u8], path: &Path) -> Result<(), BundleError> {
    #[derive(serde::Deserialize)]
    struct FormatOnly {
        format: u64,
    }
    match serde_json::from_slice(description) {
        Ok(FormatOnly { format }) if format != u64::from(FORMAT) => Err(BundleError::WrongFormat {
            path: path.to_owned(),
            found: format,
        }),
        // What cannot be read at all is reported when it does not have its digest, or is read in full.
        _ => Ok(()),
    }
}

impl Archive {
    /// Read `bundle.json`.
    pub(super) fn description(&self, path: &Path) -> Result<Description, BundleError> {
        let text = &self.entries[DESCRIPTION];
        let problem = |error: serde_json::Error| BundleError::NotABundle {
            path: path.to_owned(),
            problem: format!("`{DESCRIPTION}`: {error}"),
        };
        let description: Description = serde_json::from_slice(text).map_err(problem)?;
        if let Some(stray) = self
            .entries
            .keys()
            .find(|name| *name != DESCRIPTION && !description.entries.contains_key(*name))
        {
            return Err(BundleError::Altered {
                path: path.to_owned(),
                what: format!("`{DESCRIPTION}` does not name the entry `{stray}`"),
            });
        }
        Ok(description)
    }

    /// The uncompressed contents of an entry, checked against what `bundle.json` says of it.
    pub(super) fn contents(
        &self,
        name: &str,
        expected: &Entry,
        path: &Path,
    ) -> Result<Vec<u8>, BundleError> {
        let altered = |what: String| BundleError::Altered {
            path: path.to_owned(),
            what,
        };
        let stored = self
            .entries
            .get(name)
            .ok_or_else(|| altered(format!("the entry `{name}` is missing")))?;
        check_size(name, expected.size, path)?;
        let contents = if is_compressed(name) {
            decompress(stored, expected.size)
                .map_err(|error| altered(format!("the entry `{name}`: {error}")))?
        } else {
            stored.clone()
        };
        let actual = Entry {
            sha256: Digest::of(&contents),
            size: contents.len() as u64,
        };
        if actual != *expected {
            return Err(altered(format!(
                "the entry `{name}` has {} bytes with SHA-256 {}, and `{DESCRIPTION}` says {} bytes with {}",
                actual.size, actual.sha256, expected.size, expected.sha256
            )));
        }
        Ok(contents)
    }

    /// A file that is named as bundles are must have the content hash that its name promises. Any other name is fine.
    pub(super) fn check_file_name(&self, proper: &str, path: &Path) -> Result<(), BundleError> {
        let Some(name) = path.file_name().and_then(std::ffi::OsStr::to_str) else {
            return Ok(());
        };
        let hash_of = |name: &str| {
            let (_, hash) = name.strip_suffix(".rmpkg")?.rsplit_once('-')?;
            (hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
                .then(|| hash.to_owned())
        };
        match hash_of(name) {
            Some(hash) if Some(&hash) != hash_of(proper).as_ref() => Err(BundleError::Altered {
                path: path.to_owned(),
                what: format!(
                    "its name promises the content {hash}, and its content is {}",
                    self.content.short()
                ),
            }),
            _ => Ok(()),
        }
    }
}

pub(super) fn is_compressed(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "zst")
}

/// Decompress, but never to more than one byte past `size`: a small file must not fill the memory.
fn decompress(compressed: &[u8], size: u64) -> std::io::Result<Vec<u8>> {
    // The size is what the bundle says of itself, so it only bounds what is reserved.
    let reserved = usize::try_from(size)
        .unwrap_or(usize::MAX)
        .min(MOST_RESERVED);
    let mut contents = Vec::with_capacity(reserved);
    zstd::Decoder::new(compressed)?
        .take(size.saturating_add(1))
        .read_to_end(&mut contents)?;
    Ok(contents)
}
