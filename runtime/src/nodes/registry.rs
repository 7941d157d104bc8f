//! Rust nodes by name.

use std::fmt;
use std::sync::Arc;

use super::{
    Node, NodeError, Source, add, audio, calculator, multiply, pass_through, text, transform,
};
use crate::manifest::{NodeSpec, Params};
use crate::sorted::SortedMap;
use crate::suggest::nearest;

/// Makes a node from its params.
pub type Factory = dyn Fn(&Params) -> Result<Box<dyn Node>, NodeError> + Send + Sync;

/// Makes a source from its params.
pub type SourceFactory = dyn Fn(&Params) -> Result<Source, NodeError> + Send + Sync;

/// The Rust nodes that a manifest's `node_type` may name. Clones share what makes the nodes.
#[derive(Clone)]
pub struct Registry {
    factories: SortedMap<String, Maker>,
}

#[derive(Clone)]
enum Maker {
    Node(Arc<Factory>),
    Source(Arc<SourceFactory>),
}

impl Registry {
    /// No nodes.
    pub fn empty() -> Self {
        Registry {
            factories: SortedMap::new(),
        }
    }

    /// The nodes that come with this crate.
    pub fn builtin() -> Self {
        let mut registry = Self::empty();
        registry.register("AddNode", add::create);
        registry.register("AudioChunkNode", audio::chunk::create);
        registry.register("AudioLevelNode", audio::level::create);
        registry.register("AudioResampleNode", audio::resample::create);
        registry.register("Calculator", calculator::create);
        registry.register("Echo", pass_through::create);
        registry.register("MultiplyNode", multiply::create);
        registry.register("PassThrough", pass_through::create);
        registry.register("RustTextProcessorNode", text::create);
        registry.register("RustTransformNode", transform::create);
        registry
    }

    /// Adds a node, in place of one with the same name. `factory` is called when a pipeline is loaded, to see whether the node takes
    /// its params, and again for every run.
    pub fn register(
        &mut self,
        name: impl Into<String>,
        factory: impl Fn(&Params) -> Result<Box<dyn Node>, NodeError> + Send + Sync + 'static,
    ) {
        self.factories
            .insert(name.into(), Maker::Node(Arc::new(factory)));
    }

    /// Adds a source, a node without input, in place of a node with the same name. `factory` is called for every run.
    pub fn register_source(
        &mut self,
        name: impl Into<String>,
        factory: impl Fn(&Params) -> Result<Source, NodeError> + Send + Sync + 'static,
    ) {
        self.factories
            .insert(name.into(), Maker::Source(Arc::new(factory)));
    }

    /// Whether a name is that of a source.
    pub fn is_source(&self, name: &str) -> bool {
        matches!(self.factories.get(name), Some(Maker::Source(_)))
    }

    /// Whether there is a node of a name.
    pub fn contains(&self, name: &str) -> bool {
        self.factories.contains_key(name)
    }

    /// Whether a node of a manifest is run by one of these: `runtime_hint` decides between a Rust and a Python node of the
    /// same type, and Rust is the default.
    pub fn takes(&self, spec: &NodeSpec) -> bool {
        spec.runtime_hint.as_deref() != Some("python") && self.contains(&spec.node_type)
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.factories.keys().map(String::as_str)
    }

    /// Makes a node.
    ///
    /// # Errors
    /// [`NodeError::UnknownType`] with the nearest name, also for the name of a source, or what the node says about its
    /// params.
    pub fn create(&self, name: &str, params: &Params) -> Result<Box<dyn Node>, NodeError> {
        match self.factories.get(name) {
            Some(Maker::Node(factory)) => factory(params),
            Some(Maker::Source(_)) | None => Err(self.unknown(name)),
        }
    }

    /// Makes a source.
    ///
    /// # Errors
    /// As [`Registry::create`].
    pub fn create_source(&self, name: &str, params: &Params) -> Result<Source, NodeError> {
        match self.factories.get(name) {
            Some(Maker::Source(factory)) => factory(params),
            Some(Maker::Node(_)) | None => Err(self.unknown(name)),
        }
    }

    fn unknown(&self, name: &str) -> NodeError {
        let others = self.names().filter(|known| *known != name);
        NodeError::UnknownType {
            node_type: name.to_owned(),
            nearest: nearest(name, others).map(str::to_owned),
        }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::builtin()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::Outputs;
    use crate::value::Value;

    #[test]
    fn unknown_names_get_a_suggestion() {
        let error = |name| {
            Registry::builtin()
                .create(name, &Params::new())
                .err()
                .unwrap()
                .to_string()
        };
        assert_eq!(
            error("MultiplyNod"),
            "no Rust node is called `MultiplyNod`; did you mean `MultiplyNode`?"
        );
        assert_eq!(error("Whatever"), "no Rust node is called `Whatever`");
    }

    #[test]
    fn passing_nodes_change_nothing_and_take_no_params() {
        let registry = Registry::builtin();
        for name in ["PassThrough", "Echo"] {
            let mut outputs = Outputs::new();
            let mut node = registry.create(name, &Params::new()).unwrap();
            node.process(Value::Tuple(vec![]), &mut outputs).unwrap();
            node.flush(&mut outputs).unwrap();
            assert_eq!(outputs.into_values(), [Value::Tuple(vec![])]);
            assert!(
                registry
                    .create(name, &[("a", 1)].into_iter().collect())
                    .is_err()
            );
        }
    }
}
