//! The first stage: read the manifest and find its nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rm_runtime::bundle::PythonNode;
use rm_runtime::file::read_text;
use rm_runtime::manifest::{Manifest, NodeSpec};
use rm_runtime::nodes::{Registry, UnknownNodeType};
use rm_runtime::pipeline::{ShapeError, ShapeProblem, check_shapes};
use rm_runtime::python::engine::EngineDescription;
use rm_runtime::value::Value;

use super::{PackError, Request, notes};
use crate::analysis::{self, NodeClass, NodeError, NodeModule, ProcessKind, Target};
use crate::engine;
use crate::freeze::ClassFacts;
use crate::pyodide::packages::Packages;
use crate::source::{Origin, ProjectConfig, SourceSet, prefixes};

/// What stands for a node where `include` of the project file asks for a module.
pub(crate) const INCLUDED: &str = "tool.rm-pack.include";

/// The small package that nodes may be written against; a user's own of this name comes first.
const REMOTEMEDIA: [(&str, &str); 3] = [
    (
        "remotemedia/__init__.py",
        include_str!("../../python/remotemedia/__init__.py"),
    ),
    (
        "remotemedia/core/__init__.py",
        include_str!("../../python/remotemedia/core/__init__.py"),
    ),
    (
        "remotemedia/core/node.py",
        include_str!("../../python/remotemedia/core/node.py"),
    ),
];

/// A manifest that was read, and whose nodes were found.
pub(super) struct Plan {
    file: PathBuf,
    pub(super) manifest: Manifest,
    pub(super) input_data: Option<Value>,
    pub(super) sources: SourceSet,
    pub(super) classes: BTreeMap<String, NodeClass>,
    include: Vec<String>,
    exclude: Vec<String>,
    pub(super) keep: Vec<String>,
    project_file: PathBuf,
    pub(super) notes: Vec<String>,
}

impl Plan {
    /// Read the manifest and find its nodes.
    pub(super) fn read(request: &Request) -> Result<Self, PackError> {
        let file = &request.manifest;
        let text = read_text(file).map_err(|source| PackError::ReadManifest {
            path: file.clone(),
            source,
        })?;
        let parsed = Manifest::parse(&text, file)?;
        let folder = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let folder = std::path::absolute(folder).map_err(|source| PackError::ReadManifest {
            path: file.clone(),
            source,
        })?;
        let project = ProjectConfig::nearest(&folder)?.unwrap_or_default();
        let mut sources = SourceSet::new();
        sources.add_folder(&folder)?;
        for source in &request.sources {
            sources.add_folder(source)?;
        }
        for (place, source) in project.source.iter().enumerate() {
            sources
                .add_folder(source)
                .map_err(|source| PackError::ProjectSource {
                    file: project.file.clone(),
                    place,
                    source,
                })?;
        }
        sources.add_memory(
            Origin::Builtin,
            REMOTEMEDIA.map(|(path, text)| (path.to_owned(), text.into())),
        );
        let classes = find_classes(file, &parsed.manifest, &sources)?;
        check_rust_params(file, &parsed.manifest)?;
        let mut notes = notes::of_hints(file, &parsed.manifest);
        notes.extend(notes::of_fields(file, &parsed.manifest));
        notes.extend(project.notes);
        Ok(Plan {
            file: file.clone(),
            manifest: parsed.manifest,
            input_data: parsed.input_data,
            sources,
            classes,
            include: project.include,
            exclude: project.exclude,
            keep: project.keep,
            project_file: project.file,
            notes,
        })
    }

    /// Settle what the project includes and excludes, now that all sources are there.
    pub(super) fn settle(&mut self, target: &Target) -> Result<(), PackError> {
        self.exclude(target)?;
        self.find_included(target)
    }

    /// Leave out what the project says, which must be there and must be possible to leave out.
    fn exclude(&mut self, target: &Target) -> Result<(), PackError> {
        let elsewhere = Packages::known();
        for module in &self.exclude {
            let refused = |reason| PackError::Exclude {
                file: self.project_file.clone(),
                module: module.clone(),
                reason,
            };
            if target.holds(module) {
                return Err(refused("is part of the interpreter, which has it anyway"));
            }
            let is_around = |name: &str| prefixes(name).any(|prefix| prefix == module);
            if self.include.iter().any(|name| is_around(name)) {
                return Err(refused("is to be included as well"));
            }
            if self.classes.values().any(|node| is_around(&node.module)) {
                return Err(refused("is where a node of the pipeline is"));
            }
            // A package that comes with Pyodide is there for that target, and the project is packed for both.
            if self.sources.find(module)?.is_none()
                && !target.adds(module, &self.sources)?
                && !elsewhere.by_module().contains_key(module.as_str())
            {
                return Err(refused(
                    "is not a module that could be left out: there is none",
                ));
            }
        }
        for module in &self.exclude {
            self.sources.exclude(module);
        }
        Ok(())
    }

    /// What the project asks for must be there: `a.b`, or `a.*` for all modules in the package `a`.
    fn find_included(&mut self, target: &Target) -> Result<(), PackError> {
        let mut included = Vec::new();
        for module in &self.include {
            let missing = || PackError::Include {
                file: self.project_file.clone(),
                module: module.clone(),
            };
            if let Some(package) = module.strip_suffix(".*") {
                let below = self.modules_below(package)?;
                if below.is_empty() {
                    return Err(missing());
                }
                included.extend(below);
            } else if target.holds(module)
                || target.adds(module, &self.sources)?
                || self.sources.find(module)?.is_some()
            {
                included.push(module.clone());
            } else {
                return Err(missing());
            }
        }
        self.include = included;
        Ok(())
    }

    /// All modules in a package, however deep.
    fn modules_below(&self, package: &str) -> Result<Vec<String>, PackError> {
        let mut found = Vec::new();
        for child in self.sources.children(package)? {
            let module = format!("{package}.{child}");
            if self.sources.find(&module)?.is_some() {
                found.push(module.clone());
            }
            found.extend(self.modules_below(&module)?);
        }
        Ok(found)
    }

    /// The modules that analysis starts from.
    pub(super) fn entries(&self) -> Vec<NodeModule> {
        let nodes = self.classes.iter().map(|(node_type, class)| NodeModule {
            node_type: node_type.clone(),
            module: class.module.clone(),
            class: Some(class.class.clone()),
        });
        let included = self.include.iter().map(|module| NodeModule {
            node_type: INCLUDED.to_owned(),
            module: module.clone(),
            class: None,
        });
        nodes.chain(included).collect()
    }

    /// Module and class of every node, in the order in which they are imported.
    pub(super) fn class_sites(&self) -> Vec<(&str, &str)> {
        let sites: BTreeSet<_> = self
            .classes
            .values()
            .map(|class| (class.module.as_str(), class.class.as_str()))
            .collect();
        sites.into_iter().collect()
    }

    /// The table of Python nodes for the bundle, with what their classes say of themselves, in the order of
    /// [`class_sites`](Self::class_sites).
    pub(super) fn python_nodes(&self, facts: &[ClassFacts]) -> BTreeMap<String, PythonNode> {
        let facts: BTreeMap<_, _> = self.class_sites().into_iter().zip(facts).collect();
        let node = |(node_type, class): (&String, &NodeClass)| {
            let facts = facts.get(&(class.module.as_str(), class.class.as_str()));
            (node_type.clone(), python_node(class, facts.copied()))
        };
        self.classes.iter().map(node).collect()
    }

    /// The same by reading alone, for classes that cannot be imported here.
    pub(super) fn python_nodes_as_read(&self) -> Result<BTreeMap<String, PythonNode>, PackError> {
        let node = |(node_type, class): (&String, &NodeClass)| {
            let class = analysis::with_bases(&self.sources, class);
            (node_type.clone(), python_node(&class, None))
        };
        let nodes = self.classes.iter().map(node).collect();
        self.check_shapes(&nodes)?;
        Ok(nodes)
    }

    /// Check that every node can stand where the manifest puts it.
    pub(super) fn check_shapes(
        &self,
        nodes: &BTreeMap<String, PythonNode>,
    ) -> Result<(), PackError> {
        check_shapes(&self.manifest, &Registry::builtin(), nodes).map_err(|problem| {
            PackError::Shape {
                file: self.file.clone(),
                problem,
            }
        })?;
        for (place, spec) in self.manifest.nodes.iter().enumerate() {
            let is_generator = self
                .classes
                .get(&spec.node_type)
                .is_some_and(|class| class.process == Some(ProcessKind::Generator));
            let is_streaming = nodes
                .get(&spec.node_type)
                .is_some_and(|node| node.is_streaming || spec.is_streaming);
            if is_generator && is_streaming {
                return Err(PackError::Shape {
                    file: self.file.clone(),
                    problem: ShapeError {
                        place: format!("nodes[{place}].node_type"),
                        id: spec.id.clone(),
                        problem: ShapeProblem::SynchronousStream,
                    },
                });
            }
        }
        Ok(())
    }
}

/// The class of every node that Python runs, by its type.
fn find_classes(
    file: &Path,
    manifest: &Manifest,
    sources: &SourceSet,
) -> Result<BTreeMap<String, NodeClass>, PackError> {
    let registry = Registry::builtin();
    let python =
        |spec: &NodeSpec| spec.runtime_hint.as_deref() != Some("rust") && !registry.takes(spec);
    let types: BTreeSet<String> = manifest
        .nodes
        .iter()
        .filter(|spec| python(spec))
        .map(|spec| spec.node_type.clone())
        .collect();
    let mut classes = BTreeMap::new();
    let mut answers = analysis::find_nodes(sources, &types)?;
    let mut unknown = Vec::new();
    for (place, spec) in manifest
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, spec)| python(spec))
    {
        let place = format!("nodes[{place}].node_type");
        match answers.remove(&spec.node_type) {
            Some(Ok(class)) => drop(classes.insert(spec.node_type.clone(), class)),
            Some(Err(NodeError::NotFound {
                nearest, searched, ..
            })) => {
                unknown.push(unknown_node(
                    place,
                    spec,
                    &registry,
                    nearest.as_deref(),
                    &searched,
                ));
            }
            Some(Err(source)) => {
                return Err(PackError::Node {
                    file: file.to_owned(),
                    place,
                    source: Box::new(source),
                });
            }
            // The second node of a type that was answered already.
            None => {}
        }
    }
    if unknown.is_empty() {
        Ok(classes)
    } else {
        Err(PackError::UnknownNodes {
            file: file.to_owned(),
            problems: unknown,
        })
    }
}

/// Rust nodes are made once to see whether they take their params: better now than at every start.
fn check_rust_params(file: &Path, manifest: &Manifest) -> Result<(), PackError> {
    let registry = Registry::builtin();
    for (place, spec) in manifest.nodes.iter().enumerate() {
        if registry.takes(spec) {
            registry
                .create(&spec.node_type, &spec.params)
                .map_err(|source| PackError::Params {
                    file: file.to_owned(),
                    place,
                    node_type: spec.node_type.clone(),
                    source,
                })?;
        }
    }
    Ok(())
}

fn unknown_node(
    place: String,
    spec: &NodeSpec,
    registry: &Registry,
    nearest_class: Option<&str>,
    searched: &[PathBuf],
) -> UnknownNodeType {
    let folders = searched.iter().map(|folder| folder.display().to_string());
    let rust = if spec.runtime_hint.as_deref() != Some("python") {
        "the built-in Rust nodes"
    } else if registry.contains(&spec.node_type) {
        "Python classes alone, as its runtime_hint says (there is a Rust node of this name)"
    } else {
        "Python classes alone, as its runtime_hint says"
    };
    let rust_names = registry.names().filter(|name| *name != spec.node_type);
    let nearest = rm_runtime::suggest::nearest(&spec.node_type, rust_names.chain(nearest_class));
    UnknownNodeType {
        place,
        id: spec.id.clone(),
        node_type: spec.node_type.clone(),
        nearest: nearest.or(nearest_class).map(str::to_owned),
        searched: std::iter::once(rust.to_owned()).chain(folders).collect(),
    }
}

/// What analysis needs to know of an engine.
pub(crate) fn target(description: &EngineDescription, optimize: bool) -> Target {
    let (major, minor, micro) = description.version_info;
    Target {
        builtin_modules: description.builtin_modules.clone(),
        builtin_names: description.builtin_names.clone(),
        // The engine does not list its own; their code counts as code that uses what nodes define.
        frozen_modules: description
            .frozen_modules
            .iter()
            .cloned()
            .chain(engine::guest().map(|(name, _)| name.to_owned()))
            .chain(engine::CORE_ENCODINGS.map(str::to_owned))
            .collect(),
        boot_modules: description.boot_modules.clone(),
        stdlib_names: description.stdlib_names.clone(),
        platform: description.platform.clone(),
        os_name: description.os_name.clone(),
        implementation: description.implementation.clone(),
        version: [major, minor, micro],
        optimize,
        has_texts: false,
        packages: BTreeSet::new(),
        elsewhere: BTreeMap::new(),
    }
}

fn python_node(class: &NodeClass, facts: Option<&ClassFacts>) -> PythonNode {
    PythonNode {
        module: class.module.clone(),
        class: class.class.clone(),
        is_async: matches!(
            class.process,
            Some(ProcessKind::Coroutine | ProcessKind::AsyncGenerator)
        ),
        is_streaming: class.is_streaming || facts.is_some_and(|facts| facts.is_streaming),
        is_source: facts.map_or(class.is_source, |facts| facts.is_source),
    }
}
