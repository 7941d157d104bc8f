//! What can be wrong with a bundle or with the folder it is in.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::{FORMAT, INDEX_FILE, Target};
use crate::digest::Digest;

/// Why a bundle cannot be read, found or written. Every message names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is a folder where the file should be.
    #[error("`{}` is a folder, not a bundle{}", path.display(), InFolder(path, bundles))]
    IsFolder {
        /// The folder.
        path: PathBuf,
        /// The files of the bundles in it.
        bundles: Vec<String>,
    },
    /// The file cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no zip archive, or the end of one is missing.
    #[error("`{}` is not a bundle, or is cut off: {problem}; pack or download it again", path.display())]
    NotABundle {
        /// Which file.
        path: PathBuf,
        /// What the archive reader said.
        problem: String,
    },
    /// Something in it is not as it was written.
    #[error("`{}` was altered after it was packed: {what}; pack or download it again", path.display())]
    Altered {
        /// Which file.
        path: PathBuf,
        /// What does not agree.
        what: String,
    },
    /// Its name is not fit for a file name.
    #[error(
        "`{}`: {name:?} cannot be the name of a bundle, which has 1 to 80 letters of ASCII, digits, `-`, `_` and `.`, which \
         is not the first",
        path.display()
    )]
    BadName {
        /// Which file.
        path: PathBuf,
        /// The beginning of the name.
        name: String,
    },
    /// It has an entry that is larger than any is.
    #[error(
        "`{}` is not a bundle that can be used: its entry `{entry}` has {size} bytes, and {most} are the most that are read",
        path.display()
    )]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// The entry.
        entry: String,
        /// How many bytes it has, or says that it has, uncompressed.
        size: u64,
        /// How many it may have.
        most: u64,
    },
    /// It is in a format of another version.
    #[error(
        "`{}` has bundle format {found}, and this version reads format {FORMAT}; use the version of rm-runtime that \
         goes with the rm-pack that wrote it, or pack it again",
        path.display()
    )]
    WrongFormat {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// The folder has no index.
    #[error("`{}` holds no bundles: it has no {INDEX_FILE}", folder.display())]
    NoIndex {
        /// Which folder.
        folder: PathBuf,
    },
    /// The index cannot be understood.
    #[error(
        "`{}` is damaged: {problem}; copy it again from where the folder came from, or delete it and pack again what is in the \
         folder",
        path.display()
    )]
    BadIndex {
        /// The index.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The index has no bundle that fits, or too many.
    #[error("`{}` has {found} for the target {target}{wanted}", folder.display())]
    NoSuchBundle {
        /// Which folder.
        folder: PathBuf,
        /// The target asked for.
        target: Target,
        /// The name asked for, with words around it.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// It runs on something else.
    #[error(
        "`{}` was packed for the target {target}, and {needed} is needed here; pack the pipeline for that",
        path.display()
    )]
    WrongTarget {
        /// The bundle.
        path: PathBuf,
        /// What it runs on.
        target: Target,
        /// What would run here.
        needed: Target,
    },
    /// The engine that a bundle needs is nowhere.
    #[error(
        "`{}` needs the engine {digest} (Python {python}), which is neither in it, nor beside it, nor on this \
         machine; put `{file}` beside it (rm-pack build writes it there) or pack it with --self-contained",
        path.display()
    )]
    NoEngine {
        /// The bundle.
        path: PathBuf,
        /// The engine.
        digest: Digest,
        /// The engine's version of Python.
        python: String,
        /// The engine's file name.
        file: String,
    },
}

/// The bundles that could have been meant.
struct InFolder<'a>(&'a Path, &'a [String]);

impl fmt::Display for InFolder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(folder, bundles) = self;
        if bundles.is_empty() {
            return write!(f, ", and there is none in it");
        }
        write!(f, "; name the one that is meant:")?;
        for bundle in *bundles {
            write!(f, "\n  {}", folder.join(bundle).display())?;
        }
        Ok(())
    }
}
