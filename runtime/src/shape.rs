//! Which kind of node stands at each place of a manifest, and whether it can stand there.

use std::collections::BTreeMap;

use crate::executor::NodeSetup;
use crate::graph::Graph;
use crate::manifest::{Manifest, NodeSpec};
use crate::nodes::{Registry, UnknownNodeType};
use crate::python::PythonNode;
use crate::suggest;

/// What stands behind a node of the manifest.
#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    /// A Rust node or source.
    Rust {
        /// Whether it takes no input.
        is_source: bool,
    },
    /// A class.
    Python(PythonNode),
}

impl NodeKind {
    fn is_source(&self) -> bool {
        match self {
            Self::Rust { is_source } => *is_source,
            Self::Python(class) => class.is_source,
        }
    }

    /// Whether it takes the whole stream instead of an item.
    pub(crate) fn is_streaming(&self) -> bool {
        match self {
            Self::Rust { .. } => false,
            Self::Python(class) => class.is_streaming,
        }
    }
}

/// A node cannot be what the manifest makes of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: node `{id}` {problem}")]
pub struct ShapeError {
    /// The place in the manifest, for example `nodes[2].instances`.
    pub place: String,
    /// The node's id.
    pub id: String,
    /// What is wrong with it.
    pub problem: ShapeProblem,
}

/// What is wrong with a node at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeProblem {
    /// Connections lead to a source.
    #[error(
        "takes no input, but a connection leads to it; a node that takes input is given it: process(self, data)"
    )]
    SourceWithInput,
    /// Several instances of what must see everything.
    #[error("takes the whole stream, so there can be one instance of it only")]
    StreamingInstances,
    /// A generator that is to take what only comes with time.
    #[error(
        "takes the whole stream, so its process must be asynchronous: async def process(self, stream), with \
         `async for item in stream`"
    )]
    SynchronousStream,
    /// Several instances of a source, which would give everything several times.
    #[error("takes no input that could be shared out, so there can be one instance of it only")]
    SourceInstances,
}

/// What [`check`] found out about a manifest's nodes.
#[derive(Debug)]
pub(crate) struct Shapes {
    pub(crate) kinds: Vec<NodeKind>,
    pub(crate) setups: Vec<NodeSetup>,
}

impl Shapes {
    /// Whether one of the nodes takes the pipeline's items; a pipeline of sources has none.
    pub(crate) fn takes_input(&self, graph: &Graph) -> bool {
        graph
            .sources()
            .any(|node| !self.setups[node.get()].is_source)
    }
}

/// Who runs a node: a Rust node of the registry, or a class of the bundle; none if nobody can.
pub(crate) fn kind_of(
    spec: &NodeSpec,
    registry: &Registry,
    python: &BTreeMap<String, PythonNode>,
) -> Option<NodeKind> {
    if registry.takes(spec) {
        return Some(NodeKind::Rust {
            is_source: registry.is_source(&spec.node_type),
        });
    }
    let class = python.get(&spec.node_type)?;
    (spec.runtime_hint.as_deref() != Some("rust")).then(|| {
        NodeKind::Python(PythonNode {
            is_streaming: class.is_streaming || spec.is_streaming,
            ..class.clone()
        })
    })
}

/// What is said of a node, by its place in the manifest, that nobody can run. `rust` and `python` say in words where it was
/// looked for; none where there are no Python nodes.
#[inline(never)]
pub(crate) fn unknown(
    manifest: &Manifest,
    place: usize,
    (registry, rust): (&Registry, &str),
    (classes, python): (&BTreeMap<String, PythonNode>, Option<&str>),
) -> UnknownNodeType {
    let spec = &manifest.nodes[place];
    let python_names = || classes.keys().map(String::as_str);
    let alone = |what: &str| vec![format!("{what} alone, as its runtime_hint says")];
    let (searched, mut known): (_, Vec<&str>) = match (spec.runtime_hint.as_deref(), python) {
        (Some("rust"), _) => (alone(rust), registry.names().collect()),
        (Some("python"), Some(python)) => (alone(python), python_names().collect()),
        _ => {
            let searched = std::iter::once(rust).chain(python);
            let known = registry.names().chain(python_names());
            (searched.map(str::to_owned).collect(), known.collect())
        }
    };
    // A node of this very name is one that cannot be meant.
    known.retain(|name| *name != spec.node_type);
    UnknownNodeType {
        place: format!("nodes[{place}].node_type"),
        id: spec.id.clone(),
        node_type: spec.node_type.clone(),
        searched,
        nearest: suggest::nearest(&spec.node_type, known).map(str::to_owned),
    }
}

/// Check that every node can be what the manifest makes of it.
///
/// # Errors
///
/// The first node that cannot.
pub(crate) fn check(
    manifest: &Manifest,
    graph: &Graph,
    kinds: Vec<NodeKind>,
) -> Result<Shapes, ShapeError> {
    let mut setups = Vec::new();
    for (place, (index, (spec, kind))) in graph
        .nodes()
        .zip(manifest.nodes.iter().zip(&kinds))
        .enumerate()
    {
        let error = |field: &str, problem| ShapeError {
            place: format!("nodes[{place}].{field}"),
            id: spec.id.clone(),
            problem,
        };
        let lanes = spec.instances.map_or(1, |count| count.get() as usize);
        let is_source = kind.is_source();
        if is_source && !graph.predecessors(index).is_empty() {
            return Err(error("node_type", ShapeProblem::SourceWithInput));
        }
        if lanes > 1 && kind.is_streaming() {
            return Err(error("instances", ShapeProblem::StreamingInstances));
        }
        if lanes > 1 && is_source {
            return Err(error("instances", ShapeProblem::SourceInstances));
        }
        setups.push(NodeSetup {
            is_source,
            lanes,
            join: spec.join,
        });
    }
    Ok(Shapes { kinds, setups })
}

/// The same for whoever packs: with the classes that a bundle will have.
///
/// # Errors
///
/// The first node that cannot be what the manifest makes of it. Nodes that nobody knows are passed over.
pub fn check_shapes(
    manifest: &Manifest,
    registry: &Registry,
    python: &BTreeMap<String, PythonNode>,
) -> Result<(), ShapeError> {
    let Ok(graph) = Graph::new(manifest) else {
        return Ok(());
    };
    let kinds = manifest
        .nodes
        .iter()
        .map(|spec| kind_of(spec, registry, python).unwrap_or(NodeKind::Rust { is_source: false }))
        .collect();
    check(manifest, &graph, kinds).map(drop)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn said(node: &str, python: Option<&str>) -> String {
        let text = format!("{{version: v1, metadata: {{name: t}}, nodes: [{node}]}}");
        let manifest = Manifest::parse(&text, Path::new("t.yaml"))
            .unwrap()
            .manifest;
        let class = PythonNode {
            module: "nodes".into(),
            class: "Shout".into(),
            is_async: false,
            is_streaming: false,
            is_source: false,
        };
        let registry = Registry::builtin();
        let classes = BTreeMap::from([("Shout".to_owned(), class)]);
        assert!(kind_of(&manifest.nodes[0], &registry, &classes).is_none());
        unknown(&manifest, 0, (&registry, "rust"), (&classes, python)).to_string()
    }

    #[test]
    fn an_unknown_node_is_looked_for_where_it_could_be() {
        let python = Some("python");
        assert_eq!(
            said("{id: a, node_type: Shuot}", python),
            "nodes[0].node_type: node `a` has the unknown type `Shuot`, searched in rust, python; did you mean `Shout`?"
        );
        assert_eq!(
            said("{id: a, node_type: Far}", None),
            "nodes[0].node_type: node `a` has the unknown type `Far`, searched in rust"
        );
        // There is one of that name, which is not meant.
        assert_eq!(
            said("{id: a, node_type: Shout, runtime_hint: rust}", python),
            "nodes[0].node_type: node `a` has the unknown type `Shout`, searched in rust alone, as its runtime_hint says"
        );
        assert_eq!(
            said("{id: a, node_type: Ehco, runtime_hint: python}", python),
            "nodes[0].node_type: node `a` has the unknown type `Ehco`, searched in python alone, as its runtime_hint says"
        );
    }
}
