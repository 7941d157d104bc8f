//! What somebody who packs should know, although nothing is wrong.

use std::collections::BTreeMap;
use std::path::Path;

use rm_runtime::bundle::PyodidePackage;
use rm_runtime::manifest::{Connection, Manifest, Metadata, NodeSpec};
use rm_runtime::nodes::Registry;
use rm_runtime::suggest::{DidYouMean, nearest};

use crate::analysis::{Certainty, Closure};
use crate::pyodide::Facts;
use crate::source::Origin;

/// Hints that say less than their author may think.
pub(super) fn of_hints(file: &Path, manifest: &Manifest) -> Vec<String> {
    let registry = Registry::builtin();
    let mut notes = Vec::new();
    for (place, spec) in manifest.nodes.iter().enumerate() {
        let note = match spec.runtime_hint.as_deref() {
            None | Some("auto" | "python") => continue,
            Some("rust") if registry.contains(&spec.node_type) => continue,
            Some("rust") => format!(
                "node_type: `{}` is not a built-in Rust node; the program that runs the bundle must register it",
                spec.node_type
            ),
            Some(other) => {
                format!(
                    "runtime_hint: `{other}` is not known (auto, rust, python) and changes nothing"
                )
            }
        };
        notes.push(format!("{}: nodes[{place}].{note}", file.display()));
    }
    notes
}

/// Fields that are not known and have nearly the name of one that is.
pub(super) fn of_fields(file: &Path, manifest: &Manifest) -> Vec<String> {
    let nodes = (0..).zip(&manifest.nodes).map(|(place, node): (usize, _)| {
        (format!("nodes[{place}]."), &node.extra, NodeSpec::FIELDS)
    });
    let connections = (0..)
        .zip(&manifest.connections)
        .map(|(place, connection): (usize, _)| {
            (
                format!("connections[{place}]."),
                &connection.extra,
                Connection::FIELDS,
            )
        });
    let whole = [
        (String::new(), &manifest.extra, Manifest::FIELDS),
        (
            "metadata.".to_owned(),
            &manifest.metadata.extra,
            Metadata::FIELDS,
        ),
    ];
    whole
        .into_iter()
        .chain(nodes)
        .chain(connections)
        .flat_map(|(place, extra, known)| {
            extra.iter().filter_map(move |(name, _)| {
                let near = nearest(name, known.iter().copied())?;
                Some(format!(
                    "{}: {place}{name}: no field of that name is known, and it changes nothing{}",
                    file.display(),
                    DidYouMean(Some(near))
                ))
            })
        })
        .collect()
}

/// Of what analysis noticed, what concerns the user's own code.
pub(super) fn of_closure(closure: &Closure) -> Vec<String> {
    let own = |importer: &str| {
        let module = closure.modules.get(importer)?;
        (module.source.origin == Origin::Node).then(|| module.source.shown_path())
    };
    let dynamic = closure.dynamic.iter().filter_map(|import| {
        let (file, line, expression) = (own(&import.importer)?, import.line, &import.expression);
        Some(format!(
            "{file}:{line}: imports a module by a computed name ({expression}); what it names is packed only if something \
             else imports it, or include = [...] under [tool.rm-pack] in pyproject.toml names it"
        ))
    });
    // Guarded imports are expected to fail somewhere.
    let missing = closure.missing.iter().filter_map(|import| {
        let (file, line, what) = (own(&import.importer)?, import.line, import.what());
        (import.certainty != Certainty::Guarded)
            .then(|| format!("{file}:{line}: {what}; the import fails if it is reached"))
    });
    let unused = closure.unused.iter().filter_map(|import| {
        let (file, line, name) = (own(&import.importer)?, import.line, &import.name);
        Some(format!(
            "{file}:{line}: `{name}` cannot be imported; nothing uses it, so that the import is left out"
        ))
    });
    let shadowed = closure.shadowed.iter().map(|(module, file)| {
        format!("{file} is never read: the engine has a module `{module}` of its own, which Python takes instead")
    });
    let idle = closure.idle_keeps.iter().map(|kept| {
        format!("tool.rm-pack.keep: nothing that could be packed is called `{kept}`, so that it changes nothing")
    });
    dynamic
        .chain(missing)
        .chain(idle)
        .chain(unused)
        .chain(shadowed)
        .collect()
}

/// Which packages of Pyodide's own the page has to have beside the bundle.
pub(super) fn of_packages(packages: &BTreeMap<String, PyodidePackage>) -> Option<String> {
    let list: Vec<_> = packages
        .iter()
        .map(|(name, package)| format!("{name} {} ({})", package.version, package.file))
        .collect();
    (!list.is_empty()).then(|| {
        format!(
            "these packages come with Pyodide {} and are not in the bundle; the page needs their files, from Pyodide's full \
             distribution:\n{}",
            Facts::known().pyodide,
            list.join("\n")
        )
    })
}

/// What the nodes' modules printed while they were imported: it will not be printed again.
pub(super) fn of_output(printed: &str) -> Option<String> {
    let printed = printed.trim_end();
    (!printed.is_empty()).then(|| format!("printed while the nodes were imported:\n{printed}"))
}
