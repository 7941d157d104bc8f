//! From a manifest to a bundle: the stages, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rm_runtime::bundle::{Bundle, EngineReference, PackedModule, Parts, PythonNode, PythonParts};
use rm_runtime::cache::Cache;
use rm_runtime::manifest::{Manifest, ManifestError, NodeSpec};
use rm_runtime::nodes::{Registry, UnknownNodeType};
use rm_runtime::python::engine::EngineDescription;
use rm_runtime::python::{Engine, InstanceError, PythonException, block_on};
use rm_runtime::value::Value;

use crate::analysis::{
    self, AnalysisError, Certainty, Closure, NodeClass, NodeError, NodeModule, ProcessKind,
    SyntaxError, Target,
};
use crate::compile::{self, CompileError, Source};
use crate::engine::{self, BuiltEngine};
use crate::freeze::{self, CarriedModule};
use crate::source::{Origin, ProjectConfig, ProjectError, SourceError, SourceSet};

/// Where the standard library's files appear to be, in tracebacks.
const STDLIB_FOLDER: &str = "lib/python3.14";

/// What the manifest of an `include` in `pyproject.toml` is called in reasons.
const INCLUDED: &str = "tool.rm-pack.include";

/// The small package that nodes may be written against; a user's own of this name comes first.
const REMOTEMEDIA: [(&str, &str); 3] = [
    (
        "remotemedia/__init__.py",
        include_str!("../python/remotemedia/__init__.py"),
    ),
    (
        "remotemedia/core/__init__.py",
        include_str!("../python/remotemedia/core/__init__.py"),
    ),
    (
        "remotemedia/core/node.py",
        include_str!("../python/remotemedia/core/node.py"),
    ),
];

/// What to pack, and how.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The manifest's file.
    pub manifest: PathBuf,
    /// Folders with node sources, beside the manifest's own.
    pub sources: Vec<PathBuf>,
    /// Put the engine into the bundle.
    pub self_contained: bool,
}

/// A bundle, and what was learnt on the way.
#[derive(Debug)]
pub struct Packed {
    /// The bundle.
    pub bundle: Bundle,
    /// The engine that it runs on; none without Python nodes.
    pub engine: Option<BuiltEngine>,
    /// The items that came with the manifest, as `{manifest, input_data}`.
    pub input_data: Option<Value>,
    /// The sources of the user's modules: the file name in tracebacks to the path and the text.
    pub user_sources: BTreeMap<String, UserSource>,
    /// What somebody who packs should know: imports that will fail if they are reached, settings without effect.
    pub notes: Vec<String>,
}

/// A file of the user's that went into the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSource {
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub text: Arc<str>,
}

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
    #[error("{}: tool.rm-pack.include: no module named `{module}`", file.display())]
    Include {
        /// The project file.
        file: PathBuf,
        /// The module.
        module: String,
    },
    /// A source folder cannot be used.
    #[error(transparent)]
    Source(#[from] SourceError),
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
    },
    /// The engine could not be built, or failed.
    #[error(transparent)]
    Engine(#[from] anyhow::Error),
}

/// A manifest that was read, and whose nodes were found.
struct Plan {
    manifest: Manifest,
    input_data: Option<Value>,
    sources: SourceSet,
    classes: BTreeMap<String, NodeClass>,
    include: Vec<String>,
    project_file: PathBuf,
    notes: Vec<String>,
}

/// Make the bundle of a manifest.
///
/// # Errors
///
/// [`PackError`] says at which stage and why; nothing was written then, but to the cache.
pub fn pack(
    request: &Request,
    cache: &Cache,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Packed, PackError> {
    let mut plan = plan(request)?;
    let packer = format!("rm-pack {}", env!("CARGO_PKG_VERSION"));
    let mut parts = Parts {
        name: file_name(&plan.manifest.metadata.name),
        manifest: plan.manifest.clone(),
        packer,
        python: None,
    };
    let mut packed_engine = None;
    let mut user_sources = BTreeMap::new();
    if !plan.classes.is_empty() {
        let engine = BuiltEngine::ensure(cache, progress)?;
        progress("following imports");
        plan.sources.add_memory(Origin::Stdlib, engine::stdlib());
        check_include(&plan, &engine.description)?;
        let entries = entries(&plan.classes, &plan.include);
        let closure = analysis::analyse(&plan.sources, &target(&engine.description), &entries)?;
        plan.notes.extend(notes(&closure));
        user_sources = user_sources_of(&closure);
        progress("compiling Python modules");
        let carried = compile_modules(&engine.engine, cache, &closure)?;
        progress("importing and freezing");
        let modules = packed_modules(&closure, &carried);
        let names: BTreeSet<&str> = entries.iter().map(|entry| entry.module.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let classes: Vec<_> = plan
            .classes
            .values()
            .map(|class| (class.module.as_str(), class.class.as_str()))
            .collect();
        let frozen = block_on(freeze::freeze(&engine.engine, carried, &names, &classes)).map_err(
            |error| match error {
                InstanceError::Exception(source) => PackError::Import {
                    source,
                    user_sources: user_sources.clone(),
                },
                other => {
                    PackError::Engine(anyhow::Error::new(other).context("importing the nodes"))
                }
            },
        )?;
        if !frozen.printed.is_empty() {
            plan.notes.push(format!(
                "printed while the nodes were imported:\n{}",
                frozen.printed.trim_end()
            ));
        }
        let reference = EngineReference {
            digest: engine.engine.digest(),
            python: engine.description.python.clone(),
        };
        parts.python = Some(PythonParts {
            engine: reference,
            layer: frozen.layer,
            modules: mark_loaded(modules, &frozen.loaded),
            nodes: plan
                .classes
                .iter()
                .map(|(node_type, class)| (node_type.clone(), python_node(class)))
                .collect(),
            component: if request.self_contained {
                Some(engine.component()?)
            } else {
                None
            },
        });
        packed_engine = Some(engine);
    }
    Ok(Packed {
        bundle: Bundle::assemble(parts),
        engine: packed_engine,
        input_data: plan.input_data,
        user_sources,
        notes: plan.notes,
    })
}

/// Read the manifest and find its nodes.
fn plan(request: &Request) -> Result<Plan, PackError> {
    let file = &request.manifest;
    let text = std::fs::read_to_string(file).map_err(|source| PackError::ReadManifest {
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
    for source in request.sources.iter().chain(&project.source) {
        sources.add_folder(source)?;
    }
    sources.add_memory(
        Origin::Builtin,
        REMOTEMEDIA.map(|(path, text)| (path.to_owned(), text.into())),
    );
    let classes = find_classes(file, &parsed.manifest, &sources)?;
    check_rust_params(file, &parsed.manifest)?;
    let mut notes = hint_notes(file, &parsed.manifest);
    for (key, values) in [("exclude", &project.exclude), ("keep", &project.keep)] {
        if !values.is_empty() {
            notes.push(format!(
                "{}: tool.rm-pack.{key} has no effect in this version",
                project.file.display()
            ));
        }
    }
    Ok(Plan {
        manifest: parsed.manifest,
        input_data: parsed.input_data,
        sources,
        classes,
        include: project.include,
        project_file: project.file,
        notes,
    })
}

/// The class of every node that Python runs, by its type.
fn find_classes(
    file: &Path,
    manifest: &Manifest,
    sources: &SourceSet,
) -> Result<BTreeMap<String, NodeClass>, PackError> {
    let registry = Registry::builtin();
    let python = |spec: &NodeSpec| match spec.runtime_hint.as_deref() {
        Some("python") => true,
        Some("rust") => false,
        _ => !registry.contains(&spec.node_type),
    };
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
        if spec.runtime_hint.as_deref() != Some("python") && registry.contains(&spec.node_type) {
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

/// Hints that say less than their author may think.
fn hint_notes(file: &Path, manifest: &Manifest) -> Vec<String> {
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

/// What the project asks for must be there.
fn check_include(plan: &Plan, engine: &EngineDescription) -> Result<(), PackError> {
    let target = target(engine);
    for module in &plan.include {
        if !target.holds(module) && plan.sources.find(module)?.is_none() {
            return Err(PackError::Include {
                file: plan.project_file.clone(),
                module: module.clone(),
            });
        }
    }
    Ok(())
}

fn entries(classes: &BTreeMap<String, NodeClass>, include: &[String]) -> Vec<NodeModule> {
    let nodes = classes.iter().map(|(node_type, class)| NodeModule {
        node_type: node_type.clone(),
        module: class.module.clone(),
    });
    let included = include.iter().map(|module| NodeModule {
        node_type: INCLUDED.to_owned(),
        module: module.clone(),
    });
    nodes.chain(included).collect()
}

fn target(description: &EngineDescription) -> Target {
    let (major, minor, micro) = description.version_info;
    Target {
        builtin_modules: description.builtin_modules.clone(),
        builtin_names: description.builtin_names.clone(),
        frozen_modules: description.frozen_modules.clone(),
        boot_modules: description.boot_modules.clone(),
        platform: description.platform.clone(),
        os_name: description.os_name.clone(),
        implementation: description.implementation.clone(),
        version: [major, minor, micro],
    }
}

fn compile_modules(
    engine: &Engine,
    cache: &Cache,
    closure: &Closure,
) -> Result<Vec<CarriedModule>, PackError> {
    let sources = closure
        .modules
        .iter()
        .map(|(name, module)| {
            let filename = match module.source.origin {
                Origin::Stdlib => format!("{STDLIB_FOLDER}/{}", module.source.display_path),
                Origin::Node | Origin::Builtin => module.source.display_path.clone(),
            };
            (
                name.as_str(),
                Source {
                    filename,
                    text: &module.source.text,
                },
            )
        })
        .collect();
    let mut codes = compile::compile_all(engine, cache, &sources)
        .map_err(|error| locate_syntax_error(closure, error))?;
    let mut carried: Vec<_> = sources
        .into_iter()
        .map(|(name, source)| CarriedModule {
            name: name.to_owned(),
            is_package: closure.modules[name].source.is_package,
            filename: source.filename,
            code: codes.remove(name),
        })
        .collect();
    carried.extend(closure.namespaces.iter().map(|name| CarriedModule {
        name: name.clone(),
        is_package: true,
        filename: format!("{}/", name.replace('.', "/")),
        code: None,
    }));
    Ok(carried)
}

/// Show a syntax error as those are shown that the parser finds.
fn locate_syntax_error(closure: &Closure, error: CompileError) -> PackError {
    let InstanceError::Exception(exception) = &error.source else {
        return error.into();
    };
    let module = closure.modules.get(&error.module);
    let (Some(place), Some(module)) = (&exception.syntax, module) else {
        return error.into();
    };
    let number = |number: i64| usize::try_from(number).unwrap_or(0);
    PackError::Syntax(Box::new(SyntaxError::from_compiler(
        &module.source,
        exception.message.clone(),
        number(place.line),
        number(place.column),
    )))
}

fn packed_modules(closure: &Closure, carried: &[CarriedModule]) -> Vec<PackedModule> {
    let packed = |module: &CarriedModule| {
        let reached = closure.modules.get(&module.name);
        PackedModule {
            name: module.name.clone(),
            origin: match reached.map(|reached| reached.source.origin) {
                Some(Origin::Stdlib) => "stdlib",
                Some(Origin::Builtin) => "package",
                Some(Origin::Node) | None => "node",
            }
            .to_owned(),
            loaded: false,
            size: module.code.as_ref().map_or(0, |code| code.len() as u64),
            reason: reached.map_or_else(
                || "a namespace package".to_owned(),
                |reached| reached.reason.to_string(),
            ),
        }
    };
    let mut modules: Vec<_> = carried.iter().map(packed).collect();
    modules.sort_by(|left, right| left.name.cmp(&right.name));
    modules
}

fn mark_loaded(mut modules: Vec<PackedModule>, loaded: &[String]) -> Vec<PackedModule> {
    for module in &mut modules {
        module.loaded = loaded.binary_search(&module.name).is_ok();
    }
    modules
}

fn python_node(class: &NodeClass) -> PythonNode {
    PythonNode {
        module: class.module.clone(),
        class: class.class.clone(),
        is_async: matches!(
            class.process,
            Some(ProcessKind::Coroutine | ProcessKind::AsyncGenerator)
        ),
        is_streaming: class.is_streaming
            || matches!(
                class.process,
                Some(ProcessKind::Generator | ProcessKind::AsyncGenerator)
            ),
    }
}

fn user_sources_of(closure: &Closure) -> BTreeMap<String, UserSource> {
    let of_user = closure
        .modules
        .values()
        .map(|module| &module.source)
        .filter(|source| source.origin == Origin::Node);
    of_user
        .filter_map(|source| {
            let path = source.real_path.clone()?;
            Some((
                source.display_path.clone(),
                UserSource {
                    path,
                    text: source.text.clone(),
                },
            ))
        })
        .collect()
}

/// Of what analysis noticed, what concerns the user's own code.
fn notes(closure: &Closure) -> Vec<String> {
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
        let (file, line, name) = (own(&import.importer)?, import.line, &import.name);
        (import.certainty != Certainty::Guarded).then(|| {
            format!("{file}:{line}: there is no `{name}`; the import fails if it is reached")
        })
    });
    let shadowed = closure.shadowed.iter().map(|(module, file)| {
        format!("{file} is never read: the engine has a module `{module}` of its own, which Python takes instead")
    });
    dynamic.chain(missing).chain(shadowed).collect()
}

/// A name that is fit for a file name on every system.
fn file_name(name: &str) -> String {
    let mapped: String = name
        .chars()
        .map(|char| {
            if char.is_ascii_alphanumeric() || matches!(char, '_' | '.') {
                char.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let words: Vec<_> = mapped
        .split('-')
        .map(|word| word.trim_matches('.'))
        .filter(|word| !word.is_empty())
        .collect();
    let joined: String = words.join("-").chars().take(64).collect();
    if joined.is_empty() {
        "pipeline".to_owned()
    } else {
        joined
    }
}

fn list(file: &Path, problems: &[UnknownNodeType]) -> String {
    let lines: Vec<_> = problems
        .iter()
        .map(|problem| format!("{}: {problem}", file.display()))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn names_become_file_names() {
        for (name, expected) in [
            ("text-processor", "text-processor"),
            ("My Pipeline / v2!", "my-pipeline-v2"),
            ("../../etc/passwd", "etc-passwd"),
            ("日本", "pipeline"),
            ("..", "pipeline"),
        ] {
            assert_eq!(file_name(name), expected, "{name}");
        }
    }
}
