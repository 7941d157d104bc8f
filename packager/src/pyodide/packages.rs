//! The packages that come with Pyodide: which of them an import leads to, and what else has to be loaded with them.
//!
//! A bundle names them, and has nothing of them: the page downloads their files from where Pyodide's full distribution was put,
//! and compares them with the SHA-256 that the bundle promises.

use std::collections::BTreeMap;

use rm_runtime::bundle::PyodidePackage;
use rm_runtime::digest::Digest;
use serde::{Deserialize, Serialize};

const PACKAGES: &str = include_str!("../../python/pyodide/packages.json");

/// A wheel as a lock file lists it: Pyodide's own, and that of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Package {
    /// The distribution.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its file in Pyodide's full distribution.
    pub(crate) file_name: String,
    /// The file's SHA-256.
    pub(crate) sha256: Digest,
    /// The top-level modules in it.
    #[serde(default)]
    pub(crate) imports: Vec<String>,
    /// The distributions that have to be loaded with it, not always by their normalised names.
    #[serde(default)]
    pub(crate) depends: Vec<String>,
    /// What it is: `package`, or a `shared_library` of C functions for packages.
    #[serde(rename = "package_type", default = "package")]
    pub(crate) kind: String,
    /// Where it is installed: `site` or `dynlib`.
    #[serde(default = "site")]
    pub(crate) install_dir: String,
}

fn package() -> String {
    "package".to_owned()
}

fn site() -> String {
    "site".to_owned()
}

/// The table of them, by normalised name.
#[derive(Clone, Debug)]
pub(crate) struct Packages(BTreeMap<String, Package>);

impl Packages {
    /// The table that this packer goes by.
    ///
    /// # Panics
    ///
    /// The file in this binary is not what the script wrote, which a test would have told.
    pub(crate) fn known() -> Self {
        Self(serde_json::from_str(PACKAGES).expect("packages.json is what pyodide-facts.mjs wrote"))
    }

    /// Which package has a top-level module.
    pub(crate) fn by_module(&self) -> BTreeMap<&str, &Package> {
        let packages = self.0.values();
        packages
            .flat_map(|package| package.imports.iter().map(move |top| (&**top, package)))
            .collect()
    }

    /// The packages of these modules, dotted names, with all that they depend on, by normalised name.
    pub(crate) fn closure<'m>(
        &self,
        modules: impl IntoIterator<Item = &'m str>,
    ) -> BTreeMap<String, &Package> {
        let by_module = self.by_module();
        let mut waiting: Vec<String> = modules
            .into_iter()
            .filter_map(|module| by_module.get(top_level(module)))
            .map(|package| normalised(&package.name))
            .collect();
        let mut found = BTreeMap::new();
        while let Some(name) = waiting.pop() {
            if let Some(package) = self.0.get(&name)
                && found.insert(name, package).is_none()
            {
                waiting.extend(package.depends.iter().map(|name| normalised(name)));
            }
        }
        found
    }
}

impl Package {
    /// As a bundle's description has it.
    pub(crate) fn described(&self) -> PyodidePackage {
        PyodidePackage {
            version: self.version.clone(),
            file: self.file_name.clone(),
            sha256: self.sha256,
        }
    }
}

/// `numpy` of `numpy.linalg`
pub(crate) fn top_level(module: &str) -> &str {
    module.split('.').next().unwrap_or(module)
}

/// A name as the lock file's keys have it, and installers compare it
/// ([names](https://packaging.python.org/en/latest/specifications/name-normalization/)): lower case, and a hyphen for every run of
/// what is neither letter nor digit. Names of packages have only `-`, `_` and `.` of that, pipelines may have more.
pub(crate) fn normalised(name: &str) -> String {
    let words = name
        .split(|char: char| !char.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{Packages, normalised};

    #[test]
    fn names_are_those_that_installers_compare() {
        for (name, expected) in [
            ("My_Pipeline.v2", "my-pipeline-v2"),
            ("a--b", "a-b"),
            ("ruamel.yaml", "ruamel-yaml"),
            ("...", ""),
        ] {
            assert_eq!(normalised(name), expected, "{name}");
        }
    }

    #[test]
    fn a_package_comes_with_what_it_depends_on() {
        let packages = Packages::known();
        let names = |module: &str| packages.closure([module]).into_keys().collect::<Vec<_>>();
        assert_eq!(names("numpy.linalg"), ["numpy"]);
        assert_eq!(
            names("pandas"),
            ["numpy", "pandas", "python-dateutil", "pytz", "six"]
        );
        assert_eq!(names("PIL"), ["pillow"], "by the module, not by the name");
        // Its lock file writes some of what is depended on in other ways than its own keys.
        assert!(names("pydantic").contains(&"pydantic-core".to_owned()));
        assert!(names("nowhere").is_empty());
    }

    #[test]
    fn all_that_is_depended_on_is_in_the_table() {
        let packages = Packages::known();
        for package in packages.0.values() {
            for name in &package.depends {
                let name = normalised(name);
                assert!(packages.0.contains_key(&name), "{name} of {}", package.name);
            }
        }
    }

    #[test]
    fn the_standard_library_is_not_a_package() {
        let packages = Packages::known();
        assert!(!packages.by_module().contains_key("pydoc_data"));
    }
}
