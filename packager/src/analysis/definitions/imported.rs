//! What the names of import statements stand for.

use ruff_python_ast::{StmtImport, StmtImportFrom};

use super::super::collect::absolute;
use crate::source::ModuleSource;

/// What an import binds a name to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Imported {
    /// A module, by its absolute name.
    Module(String),
    /// `name` of `module`.
    From { module: String, name: String },
}

/// The names that `import` binds.
pub(super) fn of_import(import: &StmtImport) -> impl Iterator<Item = (&str, Imported)> {
    import.names.iter().map(|alias| {
        let path = alias.name.as_str();
        if let Some(name) = &alias.asname {
            (name.as_str(), Imported::Module(path.to_owned()))
        } else {
            let top = path.split('.').next().unwrap_or(path);
            (top, Imported::Module(top.to_owned()))
        }
    })
}

/// The names that `import` binds, those of `import *` excepted.
pub(super) fn of_import_from<'a>(
    import: &'a StmtImportFrom,
    source: &ModuleSource,
) -> impl Iterator<Item = (&'a str, Imported)> {
    let module = from_module(import, source);
    import.names.iter().filter_map(move |alias| {
        let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
        if name == "*" {
            return None;
        }
        let imported = Imported::From {
            module: module.clone()?,
            name: alias.name.to_string(),
        };
        Some((name, imported))
    })
}

/// The absolute name of the module behind `from`; `None` when it leaves the top-level package.
pub(super) fn from_module(import: &StmtImportFrom, source: &ModuleSource) -> Option<String> {
    let named = import.module.as_ref().map_or("", |name| name.as_str());
    absolute(source.package(), import.level, named)
}
