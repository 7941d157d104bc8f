//! Bundles for Pyodide: Python as wheels, for an interpreter that is not ours.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Bundle, BundleError, PackedModule, Parts, PythonNode, Target};
use crate::digest::Digest;
use crate::file::write_atomically;

/// What a bundle for Pyodide has of Python.
#[derive(Clone, Debug)]
pub struct PyodideParts {
    /// Wheels, their lock file, and the standard library, by name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Which modules are in them.
    pub modules: Vec<PackedModule>,
    /// Which classes the manifest's types are.
    pub nodes: BTreeMap<String, PythonNode>,
    /// Which packages of Pyodide's own they use.
    pub packages: BTreeMap<String, PyodidePackage>,
}

/// A package that comes with Pyodide: a bundle says which file of it is meant, and does not have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PyodidePackage {
    /// Its version.
    pub version: String,
    /// The file's name in Pyodide's full distribution.
    pub file: String,
    /// The file's SHA-256.
    pub sha256: Digest,
}

impl Bundle {
    /// Put a bundle for Pyodide together; `parts` has no Python of its own.
    ///
    /// # Errors
    ///
    /// As [`Bundle::assemble`].
    pub fn assemble_for_pyodide(
        parts: Parts,
        pyodide: Option<PyodideParts>,
    ) -> Result<Self, BundleError> {
        let mut bundle = Self::unchecked(parts);
        bundle.description.target = Target::Pyodide;
        if let Some(pyodide) = pyodide {
            bundle.description.nodes = pyodide.nodes;
            bundle.description.packages = pyodide.packages;
            bundle.modules = pyodide.modules;
            bundle.files = pyodide.files;
        }
        bundle.describe_entries()?;
        Ok(bundle)
    }

    /// The files of a bundle for Pyodide: wheels, their lock file, and the standard library.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// Write those files into a folder named like the bundle, for web servers and package installers.
    pub(super) fn write_files(&self, folder: &Path) -> Result<(), BundleError> {
        let folder = folder.join(self.stem());
        for (name, bytes) in &self.files {
            let path = folder.join(name);
            write_atomically(&path, bytes).map_err(|source| BundleError::Write { path, source })?;
        }
        Ok(())
    }
}
