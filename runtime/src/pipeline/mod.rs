//! A loaded pipeline, and running it.
//!
//! | to find | look in |
//! |---|---|
//! | sending and receiving, from asynchronous or blocking code | [`Session`] |
//! | how nodes share a run: waiting, waking, errors, ends | `run` |
//! | one node at work, its time and its interpreter | `worker` |
//! | what can stand at which place of a graph | `shape.rs`, beside this folder |
//! | finding a bundle's engine | `load` |

mod error;
mod load;
mod run;
mod session;
mod threads;
mod worker;

use std::future::poll_fn;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub use self::error::{CallerError, ImportStopped, LoadError, NodeFailure, RunError, SendError};
pub use self::load::check_engine_beside;
use self::load::{find_engine, no_engine};
use self::run::{Run, Turn};
pub use self::session::{Item, Output, Session};
use self::threads::Threads;
use crate::bundle::{Bundle, BundleError, Target};
use crate::cache::Cache;
use crate::graph::Graph;
use crate::layer::Layer;
use crate::manifest::{Manifest, OnError};
use crate::nodes::Registry;
use crate::python::answer::AnswerError;
use crate::python::instance::Options;
use crate::python::operation::Operation;
use crate::python::sandbox::DEFAULT_MEMORY_LIMIT;
use crate::python::{Engine, Instance, InstanceError, PythonException, block_on};
use crate::shape::{self, NodeKind, Shapes};
pub use crate::shape::{ShapeError, ShapeProblem, check_shapes};
use crate::value::Value;

/// How long a node may work without giving anything, unless told otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

/// The most threads that run nodes.
pub const MAX_THREADS: usize = 1024;

/// What loading and running a pipeline goes by. Cheap to clone, for one pipeline after the other.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The Rust nodes that manifests may name.
    pub registry: Registry,
    /// Where compiled engines are kept.
    pub cache: Cache,
    /// How many threads run nodes, for all runs of the pipeline together; as many as the machine has processors if 0, and never
    /// more than [`MAX_THREADS`]. What a pipeline gives does not depend on it.
    pub threads: usize,
    /// How long a Python node may work on one thing (an item, its start, the end of the stream) without giving any output;
    /// time in which it sleeps counts. After that its interpreter is stopped. A Rust node that waits for its outputs is given
    /// up after that time, too; one that does not come back from a call is not stopped. `None` is for ever;
    /// [`DEFAULT_TIMEOUT`] by default.
    pub timeout: Option<Duration>,
    /// How much memory, in bytes, the interpreter of a Python node may use; beyond it Python raises `MemoryError`. 1 GiB by
    /// default.
    pub memory_limit: usize,
    /// What an error in a node means where the manifest does not say it.
    pub on_error: OnError,
}

impl Default for Settings {
    /// The built-in Rust nodes, the user's cache folder, all processors.
    fn default() -> Self {
        Self {
            registry: Registry::builtin(),
            cache: Cache::user(),
            threads: 0,
            timeout: Some(DEFAULT_TIMEOUT),
            memory_limit: DEFAULT_MEMORY_LIMIT,
            on_error: OnError::Fail,
        }
    }
}

/// A pipeline that is ready to run, any number of times, also at the same time: every run has nodes of its own.
#[derive(Clone, Debug)]
pub struct Pipeline {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    manifest: Manifest,
    graph: Graph,
    ids: Vec<Arc<str>>,
    shapes: Shapes,
    python: Option<Python>,
    registry: Registry,
    settings: Limits,
    threads: OnceLock<Threads>,
}

/// What of the settings concerns runs.
#[derive(Debug)]
struct Limits {
    threads: usize,
    timeout: Option<Duration>,
    memory_limit: usize,
    on_error: OnError,
}

/// What all Python nodes of a pipeline share.
#[derive(Debug)]
struct Python {
    engine: Engine,
    layer: Layer,
}

impl Inner {
    fn threads(&self) -> &Threads {
        self.threads.get_or_init(Threads::new)
    }
}

impl Pipeline {
    /// Make a bundle's pipeline ready: find its nodes, and find or compile its engine.
    ///
    /// # Errors
    ///
    /// A node's type is unknown, a Rust node does not take its params, nodes that are connected do not fit each other, the bundle is
    /// for another target, or the engine
    /// is not there or not whole.
    pub fn load(bundle: &Bundle, settings: Settings) -> Result<Self, LoadError> {
        let engine = match &bundle.description().engine {
            Some(reference) => Some(find_engine(bundle, reference, &settings.cache)?),
            None => None,
        };
        Self::with_engine(bundle, engine, settings)
    }

    /// The same with an engine that the caller has ready; it must be the bundle's.
    ///
    /// # Errors
    ///
    /// A node's type is unknown, a Rust node does not take its params, nodes that are connected do not fit each other, the bundle is
    /// for another target, or the engine
    /// is another one.
    pub fn with_engine(
        bundle: &Bundle,
        engine: Option<Engine>,
        settings: Settings,
    ) -> Result<Self, LoadError> {
        let description = bundle.description();
        if description.target != Target::Wasmtime && !description.nodes.is_empty() {
            let (target, needed) = (description.target, Target::Wasmtime);
            let path = bundle.shown_path();
            return Err(LoadError::Bundle(BundleError::WrongTarget {
                path,
                target,
                needed,
            }));
        }
        let manifest = description.manifest.clone();
        let Settings {
            registry,
            threads,
            timeout,
            memory_limit,
            on_error,
            cache: _,
        } = settings;
        let path = || bundle.path().map(Path::to_owned);
        let mut kinds = Vec::new();
        for (place, spec) in manifest.nodes.iter().enumerate() {
            let kind = shape::kind_of(spec, &registry, &description.nodes);
            let kind = kind.ok_or_else(|| {
                let rust = (
                    &registry,
                    "the registered Rust nodes (`Settings::registry`)",
                );
                let python = (&description.nodes, Some("the bundle's Python nodes"));
                LoadError::UnknownNodeType {
                    path: path(),
                    problem: Box::new(shape::unknown(&manifest, place, rust, python)),
                }
            })?;
            // Better now than at every start. A source begins with being made, so that it has to wait.
            if matches!(kind, NodeKind::Rust { is_source: false }) {
                worker::try_params(&registry, spec).map_err(|source| LoadError::Params {
                    path: path(),
                    place,
                    id: spec.id.clone(),
                    source,
                })?;
            }
            kinds.push(kind);
        }
        let python = match (&description.engine, bundle.layer()) {
            (Some(reference), Some(layer)) => {
                let engine = engine.filter(|engine| engine.digest() == reference.digest);
                let engine = engine.ok_or_else(|| no_engine(bundle, reference))?;
                Some(Python {
                    engine,
                    layer: layer.clone(),
                })
            }
            _ => None,
        };
        let graph = Graph::new(&manifest).map_err(|problem| LoadError::Graph {
            path: path(),
            problem,
        })?;
        let shapes = shape::check(&manifest, &graph, kinds);
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            inner: Arc::new(Inner {
                shapes: shapes.map_err(|problem| LoadError::Shape {
                    path: path(),
                    problem,
                })?,
                ids: graph.nodes().map(|node| graph.id(node).into()).collect(),
                manifest,
                graph,
                python,
                registry,
                settings: Limits {
                    threads: if threads == 0 { processors() } else { threads }.min(MAX_THREADS),
                    timeout,
                    memory_limit,
                    on_error,
                },
                threads: OnceLock::new(),
            }),
        })
    }

    /// The pipeline's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    /// Whether the pipeline has a node that takes items; one that consists of sources does not.
    pub fn takes_input(&self) -> bool {
        self.inner.shapes.takes_input(&self.inner.graph)
    }

    /// Begin a run, and leave it to the caller what is sent and received when.
    pub fn session(&self) -> Session {
        self.inner.threads().ensure(self.inner.settings.threads);
        Session::new(Run::start(&self.inner))
    }

    /// Run on a batch of items, and return what comes out.
    ///
    /// # Errors
    ///
    /// A node failed whose errors are not to be skipped.
    pub fn run<I: Into<Item>>(
        &self,
        items: impl IntoIterator<Item = I>,
    ) -> Result<Vec<Value>, RunError> {
        let mut items = items.into_iter();
        let mut outputs = Vec::new();
        self.run_with(
            || Ok(items.next().map(Into::into)),
            |output| {
                outputs.push(output.value);
                Ok(())
            },
        )?;
        Ok(outputs)
    }

    /// Run on items as `next` gives them, until it gives none; `emit` gets the outputs in order. Both are called on this
    /// thread, and what is there to emit goes first. Where getting an item may mean to wait for it, use a
    /// [`Session`](Pipeline::session), which gives outputs meanwhile.
    ///
    /// # Errors
    ///
    /// A node failed whose errors are not to be skipped, after everything that comes before that was emitted; or `next` or
    /// `emit` failed.
    pub fn run_with(
        &self,
        mut next: impl FnMut() -> Result<Option<Item>, CallerError>,
        mut emit: impl FnMut(Output) -> Result<(), CallerError>,
    ) -> Result<(), RunError> {
        let mut converse = async |run: &Run| {
            let mut mishap = None;
            loop {
                let result = match poll_fn(|context| run.poll_turn(context)).await? {
                    Turn::Output(_) if mishap.is_some() => Ok(()),
                    Turn::Output(output) => emit(output),
                    Turn::Send => match next() {
                        Ok(Some(item)) => {
                            let mut item = Some(item);
                            // There is room: nobody else sends.
                            let _ = poll_fn(|context| run.poll_send(&mut item, context)).await;
                            Ok(())
                        }
                        Ok(None) => {
                            run.close_input();
                            Ok(())
                        }
                        Err(error) => Err(error),
                    },
                    Turn::End => {
                        return mishap.map_or(Ok(()), |error| Err(RunError::Caller(error)));
                    }
                };
                if let Err(error) = result {
                    mishap.get_or_insert(error);
                    run.end();
                }
            }
        };
        // This thread works too.
        let threads = self.inner.threads();
        threads.ensure(self.inner.settings.threads - 1);
        let run = Run::start(&self.inner);
        // In case that `next` or `emit` panics; of no effect when the run is over.
        let _guard = CancelOnDrop { run: &run, threads };
        threads.help(converse(&run))
    }

    /// Import modules by name, one after the other in a fresh interpreter with the limits of a node's, and return those that
    /// raised. Without Python nodes nothing is imported.
    ///
    /// # Errors
    ///
    /// The interpreter does not start, or importing a module stops it or takes too long.
    pub fn try_imports(
        &self,
        names: &[&str],
    ) -> Result<Vec<(String, PythonException)>, ImportStopped> {
        let Some(python) = &self.inner.python else {
            return Ok(Vec::new());
        };
        let Limits {
            timeout,
            memory_limit,
            ..
        } = self.inner.settings;
        let options = Options {
            memory_limit,
            ..Options::for_node("")
        };
        block_on(async {
            let started = async {
                let mut instance = Instance::new(&python.engine, &options).await?;
                instance.restore(&python.layer).await?;
                Ok(instance)
            };
            let stopped = |module: Option<&str>| {
                let module = module.map(str::to_owned);
                move |source| ImportStopped { module, source }
            };
            let mut instance = started.await.map_err(stopped(None))?;
            let mut failed = Vec::new();
            for name in names {
                let (operation, arguments) = (Operation::TryImport, vec![Value::from(*name)]);
                let answer = match timeout {
                    Some(limit) => instance.call_within(limit, operation, arguments).await,
                    None => instance.call(operation, arguments).await,
                };
                match answer {
                    Ok(_) => {}
                    Err(InstanceError::Answer(AnswerError::Exception(exception))) => {
                        failed.push(((*name).to_owned(), *exception));
                    }
                    Err(error) => return Err(stopped(Some(name))(error)),
                }
            }
            Ok(failed)
        })
    }
}

struct CancelOnDrop<'a> {
    run: &'a Run,
    threads: &'a Threads,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if !self.run.has_ended() {
            self.run.cancel();
            // Somebody has to do what is left to do.
            self.threads.ensure(1);
        }
    }
}
