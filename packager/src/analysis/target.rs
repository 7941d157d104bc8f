//! What the interpreter that a bundle runs on has: the engine's description of itself, as far as analysis needs it.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Found, SourceError, SourceSet, prefixes};

/// The interpreter that packed modules are imported by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `sys.builtin_module_names`: modules compiled into the engine.
    pub builtin_modules: BTreeSet<String>,
    /// The attributes of built-in modules, where the engine told them; they decide whether `from posix import fork` works.
    pub builtin_names: BTreeMap<String, BTreeSet<String>>,
    /// Modules whose code is frozen into the engine.
    pub frozen_modules: BTreeSet<String>,
    /// Modules that booting the engine has already imported: the keys of its `sys.modules`.
    pub boot_modules: BTreeSet<String>,
    /// `sys.stdlib_module_names`: the top-level modules that Python has on some platform, this one or another.
    pub stdlib_names: BTreeSet<String>,
    /// `sys.platform`.
    pub platform: String,
    /// `os.name`.
    pub os_name: String,
    /// `sys.implementation.name`.
    pub implementation: String,
    /// The first three numbers of `sys.version_info`.
    pub version: [u32; 3],
    /// Modules that are packed are compiled as with `python -O`; those that the engine holds are not.
    pub optimize: bool,
    /// Whether programs find the texts of modules there, for lines of tracebacks and warnings.
    pub has_texts: bool,
    /// Top-level modules of packages that whoever runs the bundle adds, unless the user has a module of that name. Nothing is
    /// known of what is in them.
    pub packages: BTreeSet<String>,
    /// Top-level modules that another target has: what to do about them.
    pub elsewhere: BTreeMap<String, String>,
}

impl Target {
    /// A CPython 3.14.0 for WASI that has no modules yet: the caller adds what its engine reports.
    pub fn wasi() -> Self {
        Self {
            builtin_modules: BTreeSet::new(),
            builtin_names: BTreeMap::new(),
            frozen_modules: BTreeSet::new(),
            boot_modules: BTreeSet::new(),
            stdlib_names: BTreeSet::new(),
            platform: "wasi".to_owned(),
            os_name: "posix".to_owned(),
            implementation: "cpython".to_owned(),
            version: [3, 14, 0],
            optimize: false,
            has_texts: true,
            packages: BTreeSet::new(),
            elsewhere: BTreeMap::new(),
        }
    }

    /// The engine's own half of the node contract: its modules begin with `_rm_`.
    pub(super) fn guest_modules(&self) -> impl Iterator<Item = &str> {
        self.frozen_modules
            .iter()
            .map(String::as_str)
            .filter(|name| name.starts_with("_rm_"))
    }

    /// Whether the engine provides `name` itself, so that no root is asked for it and nothing needs packing.
    ///
    /// Built-in and frozen modules come before the path in `sys.meta_path`, and what booting imported is in `sys.modules`:
    /// in each case a file of the user's with that name is never looked at.
    pub fn holds(&self, name: &str) -> bool {
        self.builtin_modules.contains(name)
            || self.frozen_modules.contains(name)
            || self.boot_modules.contains(name)
    }

    /// Whether `name` is in one of the packages that whoever runs the bundle adds.
    ///
    /// # Errors
    /// [`SourceError`] when a folder that may have a module of that name cannot be read.
    pub(crate) fn adds(&self, name: &str, sources: &SourceSet) -> Result<bool, SourceError> {
        let top = prefixes(name).next().unwrap_or(name);
        if !self.packages.contains(top) || sources.is_excluded(name) {
            return Ok(false);
        }
        Ok(match sources.find(top)? {
            None => true,
            Some(Found::Module(_)) => false,
            // A folder that only has this name, with data perhaps, is not a package that somebody means.
            Some(Found::Namespace) => sources.children(top)?.is_empty(),
        })
    }
}
