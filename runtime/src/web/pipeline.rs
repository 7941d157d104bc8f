//! From a manifest's text to a pipeline that can run, or to everything that is wrong with it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::graph::{Graph, GraphError};
use crate::manifest::{Manifest, ManifestError, Position, in_order, position_of};
use crate::nodes::{NodeError, Registry, UnknownNodeType};
use crate::python::PythonNode;
use crate::shape::{self, NodeKind, ShapeError, Shapes};
use crate::value::Value;

/// The classes behind the types of Python nodes.
pub type Classes = BTreeMap<String, PythonNode>;

/// A pipeline that is ready to run, any number of times.
#[derive(Debug)]
pub struct Pipeline {
    manifest: Manifest,
    input_data: Option<Value>,
    graph: Graph,
    shapes: Shapes,
    registry: Registry,
}

/// Why a text is not a pipeline that can run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The text is not a manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A node's type is neither among the Rust nodes nor among the classes.
    #[error(transparent)]
    UnknownNodeType(#[from] UnknownNodeType),
    /// A node cannot be what the manifest makes of it.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A Rust node refuses its params.
    #[error("{place}: node `{id}` cannot be made")]
    Params {
        /// The place in the manifest, for example `nodes[2].params`.
        place: String,
        /// The node's id.
        id: String,
        /// What it says.
        source: NodeError,
    },
    /// The graph is not one that can run.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// One thing that is wrong with a manifest, for an editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Where in the document, such as `nodes[2].node_type`; empty for text that cannot be read.
    pub place: String,
    /// Where in the text.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
}

/// What an editor shows of a manifest.
#[derive(Debug)]
pub struct Checked {
    /// The manifest, when the document is one.
    pub manifest: Option<Manifest>,
    /// What each of its nodes is; none for a type that nobody knows.
    pub kinds: Vec<Option<&'static str>>,
    /// Everything that is wrong, in the order of the text.
    pub troubles: Vec<Trouble>,
}

impl Pipeline {
    /// Read and check a manifest, with the classes that a bundle has for its Python nodes; `file` names it in errors and
    /// tells its format.
    ///
    /// # Errors
    /// The first thing that is wrong, or all that is wrong with the document itself.
    pub fn load(text: &str, file: &str, classes: &Classes) -> Result<Arc<Self>, LoadError> {
        let parsed = Manifest::parse(text, Path::new(file))?;
        let manifest = parsed.manifest;
        let registry = Registry::builtin();
        let mut kinds = Vec::new();
        for (place, spec) in manifest.nodes.iter().enumerate() {
            let kind = shape::kind_of(spec, &registry, classes);
            kinds.push(kind.ok_or_else(|| unknown(&manifest, place, &registry, classes))?);
        }
        let graph = Graph::new(&manifest)?;
        let shapes = shape::check(&manifest, &graph, kinds)?;
        Ok(Arc::new(Self {
            manifest,
            input_data: parsed.input_data,
            graph,
            shapes,
            registry,
        }))
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The items that the manifest brings.
    pub fn input_data(&self) -> Option<&Value> {
        self.input_data.as_ref()
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Whether the pipeline has a node that takes items; one that consists of sources does not.
    pub fn takes_input(&self) -> bool {
        self.shapes.takes_input(&self.graph)
    }

    /// Which nodes need Python.
    pub fn is_python(&self, node: crate::graph::NodeIndex) -> bool {
        matches!(self.shapes.kinds[node.get()], NodeKind::Python(_))
    }

    pub(super) fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// A node's id as a value.
    pub(super) fn id(&self, node: crate::graph::NodeIndex) -> Value {
        self.graph.id(node).into()
    }
}

/// Look for everything that is wrong with a manifest, the params of its Rust nodes included.
pub fn check(text: &str, file: &str, classes: &Classes) -> Checked {
    let parsed = match Manifest::parse(text, Path::new(file)) {
        Ok(parsed) => parsed,
        Err(error) => {
            return Checked {
                manifest: None,
                kinds: Vec::new(),
                troubles: troubles_of(error),
            };
        }
    };
    let manifest = parsed.manifest;
    let registry = Registry::builtin();
    let mut troubles = Vec::new();
    let mut trouble = |place: String, message: String| {
        let position = position_of(text, Path::new(file), &place);
        troubles.push(Trouble {
            place,
            position,
            message,
        });
    };
    let mut kinds = Vec::new();
    for (place, spec) in manifest.nodes.iter().enumerate() {
        let kind = shape::kind_of(spec, &registry, classes);
        kinds.push(kind.as_ref().map(|kind| match kind {
            NodeKind::Rust { .. } => "rust",
            NodeKind::Python(_) => "python",
        }));
        match kind {
            None => {
                let error = unknown(&manifest, place, &registry, classes);
                trouble(error.place.clone(), after_place(&error, &error.place));
            }
            Some(NodeKind::Rust { is_source }) => {
                let made = if is_source {
                    let source = registry.create_source(&spec.node_type, &spec.params);
                    source.map(drop)
                } else {
                    registry.create(&spec.node_type, &spec.params).map(drop)
                };
                if let Err(error) = made {
                    trouble(format!("nodes[{place}].params"), error.to_string());
                }
            }
            Some(NodeKind::Python(_)) => {}
        }
    }
    if let Err(error) = shape::check_shapes(&manifest, &registry, classes) {
        trouble(error.place.clone(), after_place(&error, &error.place));
    }
    in_order(&mut troubles, |trouble| trouble.position);
    Checked {
        manifest: Some(manifest),
        kinds,
        troubles,
    }
}

/// An error's text without the place before it, which an editor shows by other means.
fn after_place(error: &dyn std::error::Error, place: &str) -> String {
    let text = error.to_string();
    match text.strip_prefix(place) {
        Some(rest) => rest.trim_start_matches([':', ' ']).to_owned(),
        None => text,
    }
}

fn troubles_of(error: ManifestError) -> Vec<Trouble> {
    match error {
        ManifestError::Syntax {
            position, message, ..
        } => vec![Trouble {
            place: String::new(),
            position: Some(position),
            message,
        }],
        ManifestError::Invalid { problems, .. } => problems
            .into_iter()
            .map(|problem| Trouble {
                message: problem.kind.to_string(),
                position: problem.position,
                place: problem.place,
            })
            .collect(),
    }
}

#[inline(never)]
fn unknown(
    manifest: &Manifest,
    place: usize,
    registry: &Registry,
    classes: &Classes,
) -> UnknownNodeType {
    let (rust, python) = if classes.is_empty() {
        ("the Rust nodes (Python nodes come with a bundle)", None)
    } else {
        ("the Rust nodes", Some("the bundle's Python nodes"))
    };
    shape::unknown(manifest, place, (registry, rust), (classes, python))
}
