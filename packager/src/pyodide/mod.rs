//! Pyodide as a target: what its interpreter has, and the forms in which it takes Python.
//!
//! Nothing of Pyodide itself is here or in any bundle. What packing has to know about it was written down by
//! `browser-demo/scripts/pyodide-facts.mjs`: what is compiled into its interpreter (`python/pyodide/target.json`), and what its own
//! Python code uses of the standard library (`python/pyodide/uses.py`), which analysis takes for one more module that
//! uses things. So the library that a bundle carries is enough for Pyodide to start from. `python/pyodide/packages.json` lists the
//! packages that come with Pyodide; a bundle that uses some carries no library, for nobody knows here what they use of it.

pub(crate) mod lock;
pub(crate) mod packages;
#[cfg(test)]
mod tests;
pub(crate) mod wheel;
pub(crate) mod zip;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rm_runtime::python::engine::EngineDescription;
use serde::Deserialize;

use crate::analysis::Target;
use crate::engine;

const TARGET: &str = include_str!("../../python/pyodide/target.json");

/// The name under which analysis sees what Pyodide itself uses.
pub(crate) const USES: &str = "_rm_uses";

/// What is imported before everything else, and what it needs: part of the library, not only of the guest.
pub(crate) const BOOT: [&str; 4] = ["_rm_boot", "_rm_archives", "_rm_removed", "_rm_cold"];

/// The first module that the interpreter looks for in files.
pub(crate) const FIRST_MODULE: &str = "encodings";

/// What the guest has in Pyodide beside the modules of the engine, or instead of them.
const GUEST: [(&str, &str); 4] = [
    ("_rm_boot", include_str!("../../python/pyodide/_rm_boot.py")),
    (
        "_rm_importer",
        include_str!("../../python/pyodide/_rm_importer.py"),
    ),
    (
        "_rm_pyodide",
        include_str!("../../python/pyodide/_rm_pyodide.py"),
    ),
    (
        "_rm_archives",
        include_str!("../../python/pyodide/_rm_archives.py"),
    ),
];

/// Frozen modules with functions for an interactive prompt, which nobody calls here: what those use counts for nothing.
const COMMAND_LINE: [&str; 3] = ["_sitebuiltins", "runpy", "site"];

/// Modules that need processes or semaphores, which an interpreter in a browser has not. They can be imported, or are by code that
/// would go on without; what they lead to is a tenth of the library.
const HOPELESS: [&str; 1] = ["concurrent.futures.process"];

/// Modules for which `shutil` and `asyncio` have an answer if they are not there: archives that no wheel is, and names of hosts
/// where there is no network.
const SPARE: [&str; 2] = ["encodings.idna", "tarfile"];

/// What is known about Pyodide's interpreter.
#[derive(Debug, Deserialize)]
pub(crate) struct Facts {
    /// Pyodide's own version.
    pub(crate) pyodide: String,
    /// The version of Python.
    pub(crate) python: String,
    version_info: [u32; 3],
    implementation: String,
    bytecode_magic: String,
    /// What the files of compiled modules have in their names, such as `cpython-314`.
    pub(crate) cache_tag: String,
    platform: String,
    os_name: String,
    builtin_modules: BTreeSet<String>,
    builtin_names: BTreeMap<String, String>,
    frozen_modules: BTreeSet<String>,
    boot_modules: BTreeSet<String>,
    native_names: String,
    /// What of the standard library runs while it boots and when it is called, as projects name what to keep.
    pub(crate) keep: Vec<String>,
    /// What its lock files say about themselves.
    pub(crate) lock: serde_json::Value,
}

impl Facts {
    /// The facts that this packer goes by.
    ///
    /// # Panics
    ///
    /// The file in this binary is not what the script wrote, which a test would have told.
    pub(crate) fn known() -> Self {
        serde_json::from_str(TARGET).expect("target.json is what pyodide-facts.mjs wrote")
    }

    /// Whether the interpreter takes what the engine compiles.
    pub(crate) fn takes_code_of(&self, engine: &EngineDescription) -> bool {
        self.bytecode_magic == engine.bytecode_magic
    }

    /// Identifiers that its C code and its JavaScript carry, beside those of the engine.
    pub(crate) fn native_names(&self) -> impl Iterator<Item = String> {
        self.native_names.split(' ').map(str::to_owned)
    }

    /// What analysis needs to know of it; `engine` is the one that the library comes from.
    pub(crate) fn target(&self, engine: &EngineDescription, optimize: bool) -> Target {
        let words = |text: &String| text.split(' ').map(str::to_owned).collect();
        Target {
            builtin_modules: self
                .builtin_modules
                .iter()
                .cloned()
                .chain(COMMAND_LINE.map(str::to_owned))
                .collect(),
            builtin_names: self
                .builtin_names
                .iter()
                .map(|(module, names)| (module.clone(), words(names)))
                .collect(),
            // The guest comes in a wheel, whole, so that it counts as something that is there.
            frozen_modules: self
                .frozen_modules
                .iter()
                .cloned()
                .chain(guest().into_keys())
                .collect(),
            boot_modules: self.boot_modules.clone(),
            stdlib_names: engine.stdlib_names.clone(),
            platform: self.platform.clone(),
            os_name: self.os_name.clone(),
            implementation: self.implementation.clone(),
            version: self.version_info,
            optimize,
            // Of packages that Pyodide has.
            has_texts: true,
            packages: BTreeSet::new(),
            elsewhere: BTreeMap::new(),
        }
    }
}

/// The standard library without what can only fail here, and without what the application does not use (`is_used`) and
/// Pyodide does as well without.
pub(crate) fn stdlib(is_used: impl Fn(&str) -> bool) -> engine::Stdlib {
    let mut library = engine::stdlib();
    for module in HOPELESS {
        library.remove(&format!("{}.py", module.replace('.', "/")));
    }
    for module in SPARE.into_iter().filter(|module| !is_used(module)) {
        library.remove(&format!("{}.py", module.replace('.', "/")));
    }
    library
}

/// The guest's modules in Pyodide: name and source.
pub(crate) fn guest() -> BTreeMap<String, Arc<str>> {
    let mut modules: BTreeMap<String, Arc<str>> = engine::guest()
        .map(|(name, text)| (name.to_owned(), text))
        .collect();
    modules.extend(GUEST.map(|(name, text)| (name.to_owned(), text.into())));
    modules
}

/// What Pyodide uses of the standard library, as a module.
pub(crate) fn uses() -> (String, Arc<str>) {
    (
        format!("{USES}.py"),
        include_str!("../../python/pyodide/uses.py").into(),
    )
}

/// A code object as a `.pyc` file that nobody compares with a source.
pub(crate) fn pyc(facts: &Facts, code: &[u8]) -> Vec<u8> {
    /// It carries a hash of its source, and that is not to be checked.
    const UNCHECKED_HASH: u32 = 1;
    let magic = u32::from_str_radix(&facts.bytecode_magic, 16).unwrap_or_default();
    let mut bytes = magic.to_be_bytes().to_vec();
    bytes.extend(UNCHECKED_HASH.to_le_bytes());
    bytes.extend([0; 8]);
    bytes.extend(code);
    bytes
}

/// Where a module is in a wheel or an archive.
pub(crate) fn path_of(module: &str, is_package: bool) -> String {
    let path = module.replace('.', "/");
    if is_package {
        format!("{path}/__init__.pyc")
    } else {
        format!("{path}.pyc")
    }
}
