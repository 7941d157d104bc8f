//! The one place that reads files and folders of Python sources.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rm_runtime::file::read_text;

use super::SourceError;
use super::decode::decode;

/// What a folder entry is, links followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
}

/// The entries of one folder by name; entries whose name is not Unicode cannot be imported and are left out.
pub type Listing = BTreeMap<String, EntryKind>;

/// Lists `folder`; a folder that does not exist has no entries.
///
/// # Errors
/// [`SourceError::List`] when the folder exists and cannot be listed.
pub fn list(folder: &Path) -> Result<Listing, SourceError> {
    let failed = |source| SourceError::List {
        path: folder.to_path_buf(),
        source,
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Listing::new());
        }
        Err(error) => return Err(failed(error)),
    };
    let mut listing = Listing::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // A dangling link is not an error: it is not there.
        let Ok(metadata) = fs::metadata(entry.path()) else {
            continue;
        };
        let kind = if metadata.is_dir() {
            EntryKind::Folder
        } else if metadata.is_file() {
            EntryKind::File
        } else {
            // Whoever reads a pipe or a device may wait for ever.
            continue;
        };
        listing.insert(name, kind);
    }
    Ok(listing)
}

/// Reads a Python source as text: decoded as its encoding declaration says, line ends as `\n`.
///
/// # Errors
/// [`SourceError::Read`] or [`SourceError::Decode`].
pub fn read_python(path: &Path) -> Result<String, SourceError> {
    let bytes = fs::read(path).map_err(|source| SourceError::Read {
        path: path.to_path_buf(),
        source,
    })?;
    decode(&bytes).map_err(|source| SourceError::Decode {
        path: path.to_path_buf(),
        source,
    })
}

/// Reads a Python source without decoding it.
///
/// # Errors
/// [`SourceError::Read`].
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, SourceError> {
    fs::read(path).map_err(|source| SourceError::Read {
        path: path.to_path_buf(),
        source,
    })
}

/// Reads a UTF-8 text file that may not exist.
///
/// # Errors
/// Whatever the system says, except that the file is not there.
pub fn read_optional_text(path: &Path) -> io::Result<Option<String>> {
    match read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether there is a file that can be read from its beginning to its end, links followed.
pub fn is_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

/// The absolute path of an existing folder, links resolved.
///
/// # Errors
/// [`SourceError::Root`] when it does not exist or is not a folder.
pub fn real_folder(path: &Path) -> Result<PathBuf, SourceError> {
    match fs::canonicalize(path) {
        Ok(real) if real.is_dir() => Ok(real),
        Ok(_) => Err(SourceError::Root {
            path: path.to_path_buf(),
            source: None,
        }),
        Err(source) => Err(SourceError::Root {
            path: path.to_path_buf(),
            source: Some(source),
        }),
    }
}
