//! Why there is no bundle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rm_runtime::bundle::BundleError;
use rm_runtime::manifest::ManifestError;
use rm_runtime::nodes::UnknownNodeType;
use rm_runtime::pipeline::ShapeError;
use rm_runtime::python::PythonException;

use super::UserSource;
use crate::analysis::{AnalysisError, NodeError, SyntaxError};
use crate::compile::CompileError;
use crate::source::{ProjectError, SourceError};

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The manifest's file cannot be read.
    #[error("cannot read `{}`", path.display())]
    ReadManifest {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The manifest's text is not a manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Types that are neither Rust nodes nor Python classes.
    #[error("{}", list(file, problems))]
    UnknownNodes {
        /// The manifest.
        file: PathBuf,
        /// One for each node.
        problems: Vec<UnknownNodeType>,
    },
    /// A node's class was found, and cannot be used.
    #[error("{}: {place}: the class cannot be used", file.display())]
    Node {
        /// The manifest.
        file: PathBuf,
        /// The place in it.
        place: String,
        /// What is wrong with the class.
        source: Box<NodeError>,
    },
    /// A node cannot be what the manifest makes of it.
    #[error("{}: {problem}", file.display())]
    Shape {
        /// The manifest.
        file: PathBuf,
        /// Which node, and why.
        problem: ShapeError,
    },
    /// A Rust node does not take its params.
    #[error("{}: nodes[{place}].params: the Rust node `{node_type}` does not take them", file.display())]
    Params {
        /// The manifest.
        file: PathBuf,
        /// Which node, from 0.
        place: usize,
        /// Its type.
        node_type: String,
        /// What is wrong with them.
        source: rm_runtime::nodes::NodeError,
    },
    /// A module that the project asks for is nowhere.
    #[error("{}: tool.rm-pack.include: {}", file.display(), no_such_module(module))]
    Include {
        /// The project file.
        file: PathBuf,
        /// The module, or `a.*` for all in the package `a`.
        module: String,
    },
    /// A module that the project wants to leave out cannot be left out.
    #[error("{}: tool.rm-pack.exclude: `{module}` {reason}", file.display())]
    Exclude {
        /// The project file.
        file: PathBuf,
        /// The module.
        module: String,
        /// Why not.
        reason: &'static str,
    },
    /// A source folder cannot be used.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A source folder that the project file names cannot be used.
    #[error("{}: tool.rm-pack.source[{place}]", file.display())]
    ProjectSource {
        /// The project file.
        file: PathBuf,
        /// Which of them, from 0.
        place: usize,
        /// What is wrong with it.
        source: SourceError,
    },
    /// The project file cannot be used.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// Imports cannot be followed to an end.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// A module that only CPython's compiler finds wrong, such as `return` outside a function.
    #[error(transparent)]
    Syntax(Box<SyntaxError>),
    /// A module that cannot be compiled for another reason.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// Importing the nodes raised.
    #[error("the nodes cannot be imported")]
    Import {
        /// What was raised, and where.
        source: Box<PythonException>,
        /// The user's sources, to show lines of.
        user_sources: BTreeMap<String, UserSource>,
        /// What was noticed before, which may be why.
        notes: Vec<String>,
    },
    /// Importing the nodes takes too long.
    #[error(
        "importing the nodes' modules ({}) takes longer than {limit:?}, the time that it may take; clocks stand still while \
         packing, so that waiting for a time never ends, and `--import-timeout` gives imports that only take long more",
        modules.iter().map(|module| format!("`{module}`")).collect::<Vec<_>>().join(", ")
    )]
    ImportTime {
        /// The time that it may take.
        limit: Duration,
        /// The modules.
        modules: BTreeSet<String>,
    },
    /// Something is larger than what bundles may hold.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The engine could not be built, or failed.
    #[error(transparent)]
    Engine(#[from] anyhow::Error),
}

fn list(file: &Path, problems: &[UnknownNodeType]) -> String {
    let mut lines: Vec<_> = problems
        .iter()
        .map(|problem| format!("{}: {problem}", file.display()))
        .collect();
    if problems.iter().any(|problem| problem.nearest.is_none()) {
        let hint = "hint: `source` in [tool.rm-pack] of pyproject.toml, or --source, names further folders with Python nodes; \
                    a Rust node that the program registers which runs the bundle has `runtime_hint: rust`";
        lines.push(hint.to_owned());
    }
    lines.join("\n")
}

fn no_such_module(module: &str) -> String {
    match module.strip_suffix(".*") {
        Some(package) => format!("there is no package `{package}` with modules in it"),
        None => format!("no module named `{module}`"),
    }
}
