//! `pyodide-lock.json`: what Pyodide's `loadPackage` has to know about wheels.

use rm_runtime::digest::Digest;
use serde_json::{Map, Value, json};

use super::Facts;

/// A wheel as the lock file lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Locked {
    /// The distribution.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The file.
    pub(crate) file_name: String,
    /// The file's SHA-256.
    pub(crate) sha256: Digest,
    /// The top-level modules in it.
    pub(crate) imports: Vec<String>,
    /// The distributions that have to be loaded with it.
    pub(crate) depends: Vec<String>,
}

/// A lock file of these wheels.
///
/// # Panics
///
/// Not on any input: its keys are text.
pub(crate) fn lock(facts: &Facts, wheels: &[Locked]) -> Vec<u8> {
    let mut packages = Map::new();
    for wheel in wheels {
        let package = json!({
            "depends": wheel.depends,
            "file_name": wheel.file_name,
            "imports": wheel.imports,
            "install_dir": "site",
            "name": wheel.name,
            "package_type": "package",
            "sha256": wheel.sha256.to_string(),
            "unvendored_tests": false,
            "version": wheel.version,
        });
        packages.insert(wheel.name.clone(), package);
    }
    let lock = json!({ "info": facts.lock, "packages": Value::Object(packages) });
    let mut bytes = serde_json::to_vec_pretty(&lock).expect("keys are text");
    bytes.push(b'\n');
    bytes
}
