//! Why a metafile cannot be read or written.

use std::path::PathBuf;

use super::SCHEMA;

/// Why a metafile cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MetafileError {
    /// The file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is JSON of another kind, or no JSON at all.
    #[error("`{}` is not a metafile: {what}; `rm-pack build PIPELINE --metafile FILE` writes one", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        what: String,
    },
    /// A metafile of a version that is not known here.
    #[error("`{}` is a metafile of schema {found}, and this rm-pack reads schema {SCHEMA}; write it again with `rm-pack build PIPELINE --metafile FILE`", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its schema, as JSON.
        found: String,
    },
    /// A field is missing or of the wrong type.
    #[error("`{}` is a damaged metafile", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Which, and where in the file.
        source: serde_json::Error,
    },
    /// Its parts do not fit together.
    #[error("`{}` is a damaged metafile: {what}", path.display())]
    Contents {
        /// The file.
        path: PathBuf,
        /// The place in it, and what is wrong there.
        what: String,
    },
    /// The file cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
