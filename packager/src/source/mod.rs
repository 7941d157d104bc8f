//! Where Python modules come from.
//!
//! A [`SourceSet`] is an ordered list of roots: folders of the user's nodes, the packager's own `remotemedia` package and
//! the engine's standard library. It finds a module by its dotted name the way Python's own path finder does: the first root
//! that holds a package (`x/__init__.py`) or a module (`x.py`) wins, and folders without `__init__.py` add up to a
//! namespace package when no root holds either. Folders are listed when a name is looked up in them, never walked.
//!
//! Every read of a Python source or a `pyproject.toml` goes through [`files`].

mod decode;
mod error;
pub mod files;
mod project;
mod set;

pub use decode::DecodeError;
pub use error::SourceError;
pub use project::{ProjectConfig, ProjectError};
pub use set::{Found, ModuleSource, Origin, SourceSet};
pub(crate) use set::{module_name, prefixes};
