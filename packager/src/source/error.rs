//! What can go wrong while sources are found and read.

use std::io;
use std::path::PathBuf;

use super::DecodeError;

/// A source could not be found or read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A source root does not exist or is not a folder.
    #[error("source folder {} is not a folder that can be read", path.display())]
    Root {
        /// The folder as it was named.
        path: PathBuf,
        /// What the system said, when it said something.
        source: Option<io::Error>,
    },
    /// A folder below a source root could not be listed.
    #[error("cannot list folder {}", path.display())]
    List {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not Python source text.
    #[error("{}: source text cannot be decoded", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// Which byte or which declared encoding is the trouble.
        source: DecodeError,
    },
}
