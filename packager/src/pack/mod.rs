//! From a manifest to a bundle: the stages, in order.

mod cold;
mod docstrings;
mod error;
mod modules;
mod notes;
pub(crate) mod plan;
mod program;
mod pyodide;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rm_runtime::bundle::{Bundle, EngineReference, Parts, PyodideParts, PythonParts, Target};
use rm_runtime::cache::Cache;
use rm_runtime::digest::Digest;
use rm_runtime::python::answer::AnswerError;
use rm_runtime::python::{InstanceError, block_on};
use rm_runtime::value::Value;

pub use self::error::PackError;
pub(crate) use self::plan::INCLUDED;
use self::plan::Plan;
use self::program::{Program, Tools};
use crate::analysis::Closure;
use crate::engine::{self, BuiltEngine};
use crate::freeze::{Contents, Frozen, Traced, freeze};
use crate::source::{Origin, SourceSet};

/// How the lines begin in which a bundle that traces says what ran; `MODULE LINE` follows.
pub const TRACE_MARK: &str = "\u{1e}rm-pack ran ";

/// What to pack, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The manifest's file.
    pub manifest: PathBuf,
    /// What the bundle runs on.
    pub target: Target,
    /// Folders with node sources, beside the manifest's own.
    pub sources: Vec<PathBuf>,
    /// Put the engine into the bundle.
    pub self_contained: bool,
    /// Leave out definitions that nothing reaches, not only modules.
    pub shake: bool,
    /// Functions and classes to keep although nothing is seen to reach them: they ran when the pipeline was traced.
    pub traced: Traced,
    /// Leave out asserts and what `if __debug__` guards.
    pub optimize: bool,
    /// What the bundle has beside the program.
    pub carry: Carry,
    /// How long importing the nodes' modules may take; for ever if none. [`DEFAULT_IMPORT_LIMIT`] by default.
    pub import_limit: Option<Duration>,
}

/// Far more than an import takes that ends at all.
pub const DEFAULT_IMPORT_LIMIT: Duration = Duration::from_mins(1);

/// What a bundle has beside the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carry {
    /// The source text of the application and of its packages, for `inspect` and tracebacks made in Python.
    pub source: bool,
    /// What was left out, to be brought in when it is asked for.
    pub cold: bool,
    /// A trace: the bundle says what runs in it, in lines of standard output that begin with [`TRACE_MARK`].
    pub trace: bool,
}

impl Request {
    /// To pack `manifest` as it is usually done.
    pub fn new(manifest: impl Into<PathBuf>) -> Self {
        Self {
            manifest: manifest.into(),
            target: Target::Wasmtime,
            sources: Vec::new(),
            self_contained: false,
            shake: true,
            traced: Traced::new(),
            optimize: false,
            carry: Carry::default(),
            import_limit: Some(DEFAULT_IMPORT_LIMIT),
        }
    }
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
    /// What ran while the nodes were imported, if that was asked for.
    pub traced: Traced,
    /// The sources of the user's modules: the file name in tracebacks to the path and the text.
    pub user_sources: BTreeMap<String, UserSource>,
    /// What analysis worked on and found; none without Python nodes.
    pub analysed: Option<Analysed>,
    /// Processor time of following imports and definitions.
    pub analysis_time: Duration,
    /// What somebody who packs should know: imports that will fail if they are reached, settings without effect.
    pub notes: Vec<String>,
}

impl Packed {
    /// Write the bundle into a folder, and beside it, where it needs one that it does not have inside, the engine that it runs on,
    /// once for all bundles of the folder. Returns the bundle's path.
    ///
    /// # Errors
    ///
    /// The folder or a file in it cannot be written, or the engine cannot be had from the cache, which is the one that it was
    /// packed with.
    pub fn write(&self, folder: &Path, cache: &Cache) -> anyhow::Result<PathBuf> {
        // The engine first: a bundle that is there can run.
        if let Some(engine) = &self.engine
            && self.bundle.description().target == Target::Wasmtime
            && self.bundle.engine().is_none()
        {
            engine.write_beside(folder, cache)?;
        }
        Ok(self.bundle.write(folder)?)
    }
}

/// What analysis worked on and found: what a [metafile](crate::report::metafile_of) is made from.
#[derive(Debug)]
pub struct Analysed {
    /// Where modules were looked for.
    pub sources: SourceSet,
    /// Which of them the nodes need, and why.
    pub closure: Closure,
}

/// A file of the user's that went into the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSource {
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub text: Arc<str>,
}

/// Make the bundle of a manifest.
///
/// [`Packed::write`] puts it into a folder with the engine that it runs on; [`Bundle::write`] writes the bundle alone.
///
/// ```no_run
/// use std::path::Path;
///
/// use rm_pack::pack::{Request, pack};
/// use rm_runtime::cache::Cache;
///
/// let cache = Cache::user();
/// let packed = pack(&Request::new("pipeline.yaml"), &cache, &|step| eprintln!("{step}"))?;
/// for note in &packed.notes {
///     eprintln!("note: {note}");
/// }
/// let path = packed.write(Path::new("dist"), &cache)?;
/// # Ok::<(), anyhow::Error>(())
/// ```
///
/// # Errors
///
/// [`PackError`] says at which stage and why; nothing was written then, but to the cache.
pub fn pack(
    request: &Request,
    cache: &Cache,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Packed, PackError> {
    let mut plan = Plan::read(request)?;
    let mut notes = std::mem::take(&mut plan.notes);
    let input_data = plan.input_data.take();
    let manifest = plan.manifest.clone();
    let python = if plan.classes.is_empty() {
        PythonSide::default()
    } else {
        PythonSide::pack(plan, request, cache, progress)?
    };
    notes.extend(python.notes);
    let parts = Parts {
        name: file_name(&manifest.metadata.name),
        manifest,
        packer: format!("rm-pack {}", env!("CARGO_PKG_VERSION")),
        python: python.for_wasmtime,
    };
    let bundle = match request.target {
        Target::Wasmtime => Bundle::assemble(parts),
        Target::Pyodide => Bundle::assemble_for_pyodide(parts, python.for_pyodide),
    }?;
    Ok(Packed {
        bundle,
        engine: python.engine,
        input_data,
        traced: python.traced,
        user_sources: python.user_sources,
        analysed: python.analysed,
        analysis_time: python.analysis_time,
        notes,
    })
}

/// What a pipeline has if there are Python nodes in it.
#[derive(Default)]
struct PythonSide {
    engine: Option<BuiltEngine>,
    for_wasmtime: Option<PythonParts>,
    for_pyodide: Option<PyodideParts>,
    traced: Traced,
    user_sources: BTreeMap<String, UserSource>,
    analysed: Option<Analysed>,
    analysis_time: Duration,
    notes: Vec<String>,
}

impl PythonSide {
    fn pack(
        mut plan: Plan,
        request: &Request,
        cache: &Cache,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<Self, PackError> {
        let built = BuiltEngine::ensure(cache, progress)?;
        let tools = Tools {
            request,
            built: &built,
            cache,
            progress,
        };
        plan.sources.add_memory(Origin::Stdlib, engine::stdlib());
        plan.sources
            .add_memory(Origin::Stdlib, engine::guest_files());
        let mut target = plan::target(&built.description, request.optimize);
        // What is brought in on demand says so, where the whole program has nothing to say.
        target.has_texts =
            request.carry.source || request.carry.cold || request.target == Target::Pyodide;
        progress("following imports");
        let options = tools.options(&plan.keep);
        let program = Program::find(plan, target, options, request.target, None)?;
        let mut side = Self {
            user_sources: modules::user_sources(&program.closure),
            analysis_time: program.analysis_time,
            ..Self::default()
        };
        let imported = if pyodide::needs_packages(&program.closure) {
            // What the nodes import is not here, so that they cannot be.
            None
        } else {
            let imported = program.import(&tools, &side.user_sources)?;
            side.notes.extend(notes::of_output(&imported.printed));
            side.traced = imported.traced;
            Some(imported.parts)
        };
        if request.target == Target::Pyodide {
            progress("packing for Pyodide");
            let classes = match imported {
                Some(parts) => parts.nodes,
                None => program.plan.python_nodes_as_read()?,
            };
            let (parts, analysed) = pyodide::parts(&tools, &program.closure, classes)?;
            side.notes.extend(notes::of_packages(&parts.packages));
            side.for_pyodide = Some(parts);
            side.analysed = Some(analysed);
        } else {
            side.for_wasmtime = imported;
            side.analysed = Some(program.into_analysed());
        }
        let closure = side.analysed.iter().map(|analysed| &analysed.closure);
        side.notes.extend(closure.flat_map(notes::of_closure));
        side.engine = Some(built);
        Ok(side)
    }
}

/// The nodes, imported in the engine.
struct Imported {
    parts: PythonParts,
    /// What they printed.
    printed: String,
    /// What ran meanwhile, if that was asked for.
    traced: Traced,
}

impl Program {
    /// Compile what was found, import the nodes in the engine, and freeze it.
    fn import(
        &self,
        tools: &Tools<'_>,
        user_sources: &BTreeMap<String, UserSource>,
    ) -> Result<Imported, PackError> {
        let (request, built) = (tools.request, tools.built);
        (tools.progress)("compiling Python modules");
        let texts = if request.shake {
            docstrings::without_docstrings(&self.closure)
        } else {
            BTreeMap::new()
        };
        let (carried, table) = self.compile(tools, &texts)?;
        let absent = modules::absent(&self.plan.sources, &self.closure, &carried);
        (tools.progress)("importing and freezing");
        let frozen = block_on(freeze(
            &built.engine,
            Contents {
                modules: carried,
                absent,
            },
            &self.plan.class_sites(),
            request.carry.trace,
            request.import_limit,
        ))
        .map_err(|error| import_error(error, self, user_sources))?;
        let (printed, traced) = (frozen.printed.clone(), frozen.traced.clone());
        Ok(Imported {
            parts: python_parts(request, &self.plan, built, table, frozen)?,
            printed,
            traced,
        })
    }
}

fn python_parts(
    request: &Request,
    plan: &Plan,
    built: &BuiltEngine,
    table: Vec<rm_runtime::bundle::PackedModule>,
    frozen: Frozen,
) -> Result<PythonParts, PackError> {
    let nodes = plan.python_nodes(&frozen.classes);
    plan.check_shapes(&nodes)?;
    let component = if request.self_contained {
        Some(built.component()?)
    } else {
        None
    };
    Ok(PythonParts {
        engine: EngineReference {
            digest: built.engine.digest(),
            python: built.description.python.clone(),
        },
        modules: modules::mark_loaded(table, &frozen.loaded),
        layer: frozen.layer,
        nodes,
        component,
    })
}

fn import_error(
    error: InstanceError,
    program: &Program,
    user_sources: &BTreeMap<String, UserSource>,
) -> PackError {
    let modules = || -> BTreeSet<String> {
        let sites = program.plan.class_sites();
        sites
            .iter()
            .map(|(module, _)| (*module).to_owned())
            .collect()
    };
    match error {
        InstanceError::TimeIsUp { limit } => PackError::ImportTime {
            limit,
            modules: modules(),
        },
        InstanceError::Answer(AnswerError::Exception(source)) => PackError::Import {
            source,
            user_sources: user_sources.clone(),
            notes: notes::of_closure(&program.closure),
        },
        other => {
            let modules: Vec<String> = modules().into_iter().collect();
            let modules = modules.join(", ");
            let context = format!("importing the nodes' modules ({modules})");
            PackError::Engine(anyhow::Error::new(other).context(context))
        }
    }
}

/// A name that is fit for a file name on every system. Names that differ in letters have different ones.
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
    let mut joined: String = words.join("-").chars().take(64).collect();
    if joined.is_empty() {
        "pipeline".clone_into(&mut joined);
    }
    // Where letters are lost, their digest tells them apart.
    if name
        .chars()
        .any(|char| char.is_alphanumeric() && !char.is_ascii())
    {
        let digest = Digest::of(name.as_bytes()).to_string();
        joined = format!("{joined}-{}", &digest[..8]);
    }
    joined
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
            ("日本", "pipeline-cf2abf0c"),
            ("中国", "pipeline-f0e95216"),
            ("..", "pipeline"),
        ] {
            assert_eq!(file_name(name), expected, "{name}");
        }
    }
}
