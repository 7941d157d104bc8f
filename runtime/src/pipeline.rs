//! A loaded pipeline, and running it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::bundle::{Bundle, BundleError, EngineReference, PythonNode, engine_file_name};
use crate::cache::Cache;
use crate::executor::{Executor, Output, Work};
use crate::graph::{Graph, GraphError, NodeIndex};
use crate::layer::Layer;
use crate::manifest::{Manifest, NodeSpec};
use crate::nodes::{Node, NodeError, Outputs, Registry, UnknownNodeType};
use crate::python::instance::Options;
use crate::python::operation::Operation;
use crate::python::{Engine, EngineError, Instance, InstanceError, PythonException, block_on};
use crate::suggest;
use crate::value::Value;

/// An error of the caller's own, passed through a run.
pub type CallerError = Box<dyn std::error::Error + Send + Sync>;

/// How many packets of earlier items may wait on one connection. Enough to keep neighbours busy; more would only cost
/// memory.
const QUEUE_CAPACITY: usize = 16;

/// How many bytes of an engine's file are uncompressed at the most, so that a damaged one does not fill the memory. Ours
/// have 11 million.
const LARGEST_ENGINE: u64 = 256 << 20;

/// What loading a pipeline goes by.
#[derive(Debug)]
pub struct Settings {
    /// The Rust nodes that manifests may name.
    pub registry: Registry,
    /// Where compiled engines are kept.
    pub cache: Cache,
}

impl Default for Settings {
    /// The built-in Rust nodes and the user's cache folder.
    fn default() -> Self {
        Self {
            registry: Registry::builtin(),
            cache: Cache::user(),
        }
    }
}

/// A pipeline that is ready to run, any number of times, also from several threads at once: every run has instances of
/// its own.
#[derive(Clone, Debug)]
pub struct Pipeline {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    manifest: Manifest,
    graph: Graph,
    registry: Registry,
    kinds: Vec<NodeKind>,
    python: Option<Python>,
}

/// What all Python nodes of a pipeline share.
#[derive(Debug)]
struct Python {
    engine: Engine,
    layer: Layer,
}

/// What stands behind a node of the manifest.
#[derive(Clone, Debug)]
enum NodeKind {
    Rust,
    Python(PythonNode),
}

/// Why a bundle cannot be made ready to run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bundle, or its engine, is not there or not whole.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The engine cannot be made ready.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine's file cannot be read.
    #[error("cannot read the engine at `{}`", path.display())]
    ReadEngine {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The engine's file is not what its name says.
    #[error("the engine at `{}` is damaged; copy it again from where the bundle came from, or pack again", path.display())]
    DamagedEngine {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: EngineError,
    },
    /// A node's type is neither among the Rust nodes nor in the bundle.
    #[error(transparent)]
    UnknownNodeType(#[from] UnknownNodeType),
    /// The graph is not one that can run.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A node could not be made.
    #[error("node `{node}` could not be started")]
    Start {
        /// The node's id.
        node: String,
        /// What happened in it.
        source: NodeFailure,
    },
    /// A node failed on an item.
    #[error("node `{node}` failed on item {item}")]
    Item {
        /// The node's id.
        node: String,
        /// Which item of the input, counting from 1.
        item: u64,
        /// What happened in it.
        source: NodeFailure,
    },
    /// A node failed at the end of the stream.
    #[error("node `{node}` failed at the end of the stream")]
    End {
        /// The node's id.
        node: String,
        /// What happened in it.
        source: NodeFailure,
    },
    /// Reading the input or handing over an output failed; the message is the caller's.
    #[error("{0}")]
    Caller(#[source] CallerError),
}

/// What happened in a node.
#[derive(Debug, thiserror::Error)]
pub enum NodeFailure {
    /// In a Rust node.
    #[error(transparent)]
    Rust(#[from] NodeError),
    /// In a Python node.
    #[error(transparent)]
    Python(#[from] InstanceError),
}

impl Pipeline {
    /// Make a bundle's pipeline ready: find its nodes, and find or compile its engine.
    ///
    /// # Errors
    ///
    /// A node's type is unknown, or the engine is not there or not whole.
    pub fn load(bundle: &Bundle, settings: Settings) -> Result<Self, LoadError> {
        let description = bundle.description();
        let engine = match &description.engine {
            Some(reference) => Some(find_engine(bundle, reference, &settings.cache)?),
            None => None,
        };
        Self::with_engine(bundle, engine, settings.registry)
    }

    /// The same with an engine that the caller has ready; it must be the bundle's.
    ///
    /// # Errors
    ///
    /// A node's type is unknown, or the engine is another one.
    pub fn with_engine(
        bundle: &Bundle,
        engine: Option<Engine>,
        registry: Registry,
    ) -> Result<Self, LoadError> {
        let description = bundle.description();
        let manifest = description.manifest.clone();
        let kinds = manifest
            .nodes
            .iter()
            .enumerate()
            .map(|(place, spec)| kind_of(place, spec, &registry, &description.nodes))
            .collect::<Result<_, _>>()?;
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
        let graph = Graph::new(&manifest)?;
        Ok(Self {
            inner: Arc::new(Inner {
                manifest,
                graph,
                registry,
                kinds,
                python,
            }),
        })
    }

    /// The pipeline's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    /// Run on a batch of items, and return what comes out of the sinks.
    ///
    /// # Errors
    ///
    /// The first node that fails ends the run.
    pub fn run(&self, items: impl IntoIterator<Item = Value>) -> Result<Vec<Value>, RunError> {
        let mut items: Vec<Value> = items.into_iter().collect();
        items.reverse();
        let mut outputs = Vec::new();
        self.run_with(
            || Ok(items.pop()),
            |_, value| {
                outputs.push(value);
                Ok(())
            },
        )?;
        Ok(outputs)
    }

    /// Run on items as `next` gives them, until it gives none; `emit` gets each output with the id of the sink that it
    /// came from, in order, before more items are asked for than the pipeline's queues hold.
    ///
    /// # Errors
    ///
    /// The first node that fails ends the run, as does an error of `next` or `emit`.
    pub fn run_with(
        &self,
        next: impl FnMut() -> Result<Option<Value>, CallerError> + Send,
        emit: impl FnMut(&str, Value) -> Result<(), CallerError> + Send,
    ) -> Result<(), RunError> {
        block_on(async {
            let mut run = Run::start(&self.inner).await?;
            let result = run.drive(next, emit).await;
            run.finish(result).await
        })
    }
}

impl Pipeline {
    /// Import modules by name, one after the other in a fresh interpreter, and return those that raised. None without
    /// Python nodes.
    ///
    /// # Errors
    ///
    /// The interpreter does not start, or stops.
    pub fn try_imports(
        &self,
        names: &[&str],
    ) -> Result<Vec<(String, PythonException)>, InstanceError> {
        let Some(python) = &self.inner.python else {
            return Ok(Vec::new());
        };
        block_on(async {
            let mut instance = Instance::new(&python.engine, &Options::for_node("")).await?;
            instance.restore(&python.layer).await?;
            let mut failed = Vec::new();
            for name in names {
                match instance
                    .call(Operation::TryImport, vec![Value::from(*name)])
                    .await
                {
                    Ok(_) => {}
                    Err(InstanceError::Exception(exception)) => {
                        failed.push(((*name).to_owned(), *exception));
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(failed)
        })
    }
}

/// One run: a node of each kind, and the executor that says whose turn it is.
struct Run<'a> {
    inner: &'a Inner,
    executor: Executor,
    nodes: Vec<Running>,
}

enum Running {
    Rust(Box<dyn Node>),
    Python(Box<Instance>),
}

impl<'a> Run<'a> {
    async fn start(inner: &'a Inner) -> Result<Self, RunError> {
        let mut run = Self {
            inner,
            executor: Executor::new(inner.graph.clone(), QUEUE_CAPACITY),
            nodes: Vec::new(),
        };
        for (spec, kind) in inner.manifest.nodes.iter().zip(&inner.kinds) {
            match Running::start(inner, spec, kind).await {
                Ok(node) => run.nodes.push(node),
                Err(source) => {
                    let error = RunError::Start {
                        node: spec.id.clone(),
                        source,
                    };
                    return Err(run
                        .finish(Err(error))
                        .await
                        .expect_err("cleaning up does not undo an error"));
                }
            }
        }
        Ok(run)
    }

    async fn drive(
        &mut self,
        mut next: impl FnMut() -> Result<Option<Value>, CallerError>,
        mut emit: impl FnMut(&str, Value) -> Result<(), CallerError>,
    ) -> Result<(), RunError> {
        while !self.executor.is_finished() {
            if let Some(Output { node, packet }) = self.executor.take_output() {
                emit(self.inner.graph.id(node), packet.value).map_err(RunError::Caller)?;
            } else if let Some(task) = self.executor.next_task() {
                let outputs = self.work(task.node, task.work).await?;
                self.executor.complete(task.node, outputs);
            } else {
                match next().map_err(RunError::Caller)? {
                    Some(item) => self
                        .executor
                        .push(item)
                        .expect("with nothing to do there is room for an item"),
                    None => self.executor.close_input(),
                }
            }
        }
        Ok(())
    }

    async fn work(&mut self, index: NodeIndex, work: Work) -> Result<Vec<Value>, RunError> {
        let node = || self.inner.graph.id(index).to_owned();
        match work {
            Work::Process(packet) => {
                let item = packet.sequence + 1;
                self.nodes[index.get()]
                    .process(self.inner.graph.id(index), packet.value)
                    .await
                    .map_err(|source| RunError::Item {
                        node: node(),
                        item,
                        source,
                    })
            }
            Work::Flush => self.nodes[index.get()]
                .flush(self.inner.graph.id(index))
                .await
                .map_err(|source| RunError::End {
                    node: node(),
                    source,
                }),
        }
    }

    /// Let every node clean up, once, whatever happened before; the first error is the run's.
    async fn finish(self, mut result: Result<(), RunError>) -> Result<(), RunError> {
        for (node, spec) in self.nodes.into_iter().zip(&self.inner.manifest.nodes) {
            let Running::Python(mut instance) = node else {
                continue;
            };
            match instance
                .call(Operation::Cleanup, vec![spec.id.as_str().into()])
                .await
            {
                Err(source) if result.is_ok() => {
                    result = Err(RunError::End {
                        node: spec.id.clone(),
                        source: source.into(),
                    });
                }
                // An interpreter that trapped has said so already.
                Ok(_) | Err(InstanceError::Trapped { .. }) => {}
                Err(error) => tracing::warn!(node = spec.id, "cleanup failed as well: {error}"),
            }
        }
        result
    }
}

impl Running {
    async fn start(inner: &Inner, spec: &NodeSpec, kind: &NodeKind) -> Result<Self, NodeFailure> {
        match (kind, &inner.python) {
            (NodeKind::Python(class), Some(python)) => {
                let mut instance =
                    Instance::new(&python.engine, &Options::for_node(&spec.id)).await?;
                instance.restore(&python.layer).await?;
                let arguments = vec![
                    spec.id.as_str().into(),
                    class.module.as_str().into(),
                    class.class.as_str().into(),
                    spec.params.clone().into(),
                ];
                instance.call(Operation::Create, arguments).await?;
                Ok(Self::Python(Box::new(instance)))
            }
            _ => Ok(Self::Rust(
                inner.registry.create(&spec.node_type, &spec.params)?,
            )),
        }
    }

    async fn process(&mut self, id: &str, value: Value) -> Result<Vec<Value>, NodeFailure> {
        match self {
            Self::Rust(node) => {
                let mut outputs = Outputs::new();
                node.process(value, &mut outputs)?;
                Ok(outputs.into_values())
            }
            Self::Python(instance) => Ok(outputs_of(
                instance
                    .call(Operation::Process, vec![id.into(), value])
                    .await?,
            )?),
        }
    }

    async fn flush(&mut self, id: &str) -> Result<Vec<Value>, NodeFailure> {
        match self {
            Self::Rust(node) => {
                let mut outputs = Outputs::new();
                node.flush(&mut outputs)?;
                Ok(outputs.into_values())
            }
            Self::Python(instance) => Ok(outputs_of(
                instance.call(Operation::Flush, vec![id.into()]).await?,
            )?),
        }
    }
}

fn outputs_of(answer: Value) -> Result<Vec<Value>, InstanceError> {
    match answer {
        Value::List(outputs) => Ok(outputs),
        other => Err(InstanceError::Protocol(format!(
            "outputs came as {}",
            other.type_name()
        ))),
    }
}

/// Who runs a node.
fn kind_of(
    place: usize,
    spec: &NodeSpec,
    registry: &Registry,
    python: &BTreeMap<String, PythonNode>,
) -> Result<NodeKind, UnknownNodeType> {
    if registry.takes(spec) {
        return Ok(NodeKind::Rust);
    }
    match python.get(&spec.node_type) {
        Some(class) if spec.runtime_hint.as_deref() != Some("rust") => {
            Ok(NodeKind::Python(class.clone()))
        }
        _ => Err(UnknownNodeType {
            place: format!("nodes[{place}].node_type"),
            id: spec.id.clone(),
            node_type: spec.node_type.clone(),
            searched: vec![
                "the registered Rust nodes".into(),
                "the bundle's Python nodes".into(),
            ],
            nearest: suggest::nearest(
                &spec.node_type,
                registry.names().chain(python.keys().map(String::as_str)),
            )
            .map(str::to_owned),
        }),
    }
}

fn find_engine(
    bundle: &Bundle,
    reference: &EngineReference,
    cache: &Cache,
) -> Result<Engine, LoadError> {
    if let Some(engine) = Engine::from_cache(reference.digest, cache)? {
        return Ok(engine);
    }
    if let Some(component) = bundle.engine() {
        let path = PathBuf::from(bundle.file_name());
        return compile_engine(reference, component, path, cache);
    }
    let path = bundle
        .folder()
        .map(|folder| folder.join(engine_file_name(reference.digest)));
    let Some(path) = path.filter(|path| path.exists()) else {
        return Err(no_engine(bundle, reference).into());
    };
    match read_engine(&path) {
        Ok(component) => compile_engine(reference, &component, path, cache),
        Err(source) => Err(LoadError::ReadEngine { path, source }),
    }
}

fn read_engine(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut component = Vec::new();
    let file = std::fs::File::open(path)?;
    zstd::Decoder::new(file)?
        .take(LARGEST_ENGINE)
        .read_to_end(&mut component)?;
    Ok(component)
}

fn compile_engine(
    reference: &EngineReference,
    component: &[u8],
    path: PathBuf,
    cache: &Cache,
) -> Result<Engine, LoadError> {
    match Engine::compile(reference.digest, component, cache) {
        Err(source @ EngineError::WrongDigest { .. }) => {
            Err(LoadError::DamagedEngine { path, source })
        }
        result => Ok(result?),
    }
}

fn no_engine(bundle: &Bundle, reference: &EngineReference) -> BundleError {
    BundleError::NoEngine {
        bundle: bundle.file_name(),
        digest: reference.digest,
        python: reference.python.clone(),
        file: engine_file_name(reference.digest),
    }
}
