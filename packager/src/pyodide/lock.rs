//! `pyodide-lock.json`: what Pyodide's `loadPackage` has to know about wheels.

use rm_runtime::digest::Digest;
use serde_json::{Map, Value, json};

use super::Facts;
use super::packages::Package;

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
    /// What it is: `package`, or a `shared_library` for packages.
    pub(crate) package_type: String,
    /// Where it is installed: `site` or `dynlib`.
    pub(crate) install_dir: String,
}

/// A lock file of these wheels, and of packages that come with Pyodide.
///
/// # Panics
///
/// Not on any input: its keys are text.
pub(crate) fn lock<'p>(
    facts: &Facts,
    wheels: &[Locked],
    packages: impl IntoIterator<Item = (&'p String, &'p &'p Package)>,
) -> Vec<u8> {
    let of_pyodide = packages.into_iter();
    let of_pyodide = of_pyodide.map(|(key, package)| (key.clone(), package.locked()));
    let wheels = wheels.iter();
    let wheels = wheels.map(|wheel| (wheel.name.clone(), wheel.clone()));
    let mut packages = Map::new();
    // What the bundle has itself comes last, and wins.
    for (key, wheel) in of_pyodide.chain(wheels) {
        let package = json!({
            "depends": wheel.depends,
            "file_name": wheel.file_name,
            "imports": wheel.imports,
            "install_dir": wheel.install_dir,
            "name": wheel.name,
            "package_type": wheel.package_type,
            "sha256": wheel.sha256.to_string(),
            "unvendored_tests": false,
            "version": wheel.version,
        });
        packages.insert(key, package);
    }
    let lock = json!({ "info": facts.lock, "packages": Value::Object(packages) });
    let mut bytes = serde_json::to_vec_pretty(&lock).expect("keys are text");
    bytes.push(b'\n');
    bytes
}
