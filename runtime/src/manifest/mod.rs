//! The manifest of a pipeline: which nodes there are and how they are connected.
//!
//! ```yaml
//! version: v1
//! metadata:
//!   name: calculator
//! nodes:
//!   - id: double
//!     node_type: MultiplyNode
//!     params: { factor: 2 }
//!   - id: shift
//!     node_type: AddNode
//!     params: { addend: 10 }
//! connections:
//!   - { from: double, to: shift }
//! ```
//!
//! A manifest is JSON or YAML, by the file's extension, else by its first character. It may be wrapped, together with
//! items to feed it, as `{manifest: ..., input_data: ...}`. YAML means its 1.2 core schema: `yes` and `2024-01-01` are
//! text, `1.0` is a float, `010` is ten; keys are text, there are no merge keys, and aliases may copy a bounded amount.
//! Fields that are not known here are kept and written again, never refused.
//!
//! Everything wrong with a manifest is reported at once, each with its place in the text and in the document. Whether a
//! node's type exists is not looked at here: that depends on who runs it.

mod document;
mod error;
mod from_json;
mod from_yaml;
mod on_error;
mod params;
#[cfg(test)]
mod tests;
mod validate;

use std::num::NonZeroU32;
use std::path::Path;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::error::{ManifestError, Position, Problem, ProblemKind};
pub use self::on_error::OnError;
pub use self::params::Params;
pub(crate) use self::validate::in_order;
use crate::value::Value;

/// The one version of manifests known here.
pub const VERSION: &str = "v1";

/// The most instances that one node may ask for.
pub const MAX_INSTANCES: u32 = 64;

/// A pipeline. What [`Manifest::parse`] returns has at least one node, unique ids and acyclic connections between nodes
/// that exist; a value put together by hand is checked by [`Graph::new`](crate::graph::Graph::new).
///
/// Serialises to one canonical form, fields in a fixed order and defaults left out, and deserialises from it with the same
/// checks as from text.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// What the pipeline is called and what else is said about it.
    pub metadata: Metadata,
    /// The nodes, in the manifest's order.
    pub nodes: Vec<NodeSpec>,
    /// The connections, in the manifest's order.
    pub connections: Vec<Connection>,
    /// Fields that are not known here, in the manifest's order.
    pub extra: Vec<(String, Value)>,
}

/// What a manifest says about the pipeline as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// The pipeline's name, not empty; any text.
    pub name: String,
    /// What it does, in a sentence.
    pub description: Option<String>,
    /// When it was made, as the manifest says it.
    pub created_at: Option<String>,
    /// Other fields, in the manifest's order.
    pub extra: Vec<(String, Value)>,
}

/// One node of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSpec {
    /// The node's id, `[a-zA-Z0-9_-]+`, unique in the manifest.
    pub id: String,
    /// What runs there: a Rust node's name, a Python class, or `package.module:Class`.
    pub node_type: String,
    /// What it is made with.
    pub params: Params,
    /// What the node needs (an object such as `{gpu: ..., memory_gb: ...}`); kept, not acted on.
    pub capabilities: Option<Value>,
    /// Where the node wants to run; kept, not acted on.
    pub host: Option<String>,
    /// Whether `process` takes the whole stream instead of an item.
    pub is_streaming: bool,
    /// Which runtime should run it: `auto`, `rust` or `python`; other text is kept.
    pub runtime_hint: Option<String>,
    /// How to run it (an object); kept, not acted on.
    pub execution: Option<Value>,
    /// What an error in the node means for the run; [`OnError::Fail`] when nothing is said.
    pub on_error: Option<OnError>,
    /// How many of it work side by side, up to [`MAX_INSTANCES`]; one when nothing is said.
    pub instances: Option<NonZeroU32>,
    /// Whether it gets what its predecessors gave for the same thing together, as one dictionary.
    pub join: bool,
    /// Other fields, in the manifest's order.
    pub extra: Vec<(String, Value)>,
}

/// A connection from one node's outputs to another's inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// The id of the node whose outputs travel.
    pub from: String,
    /// The id of the node that receives them.
    pub to: String,
    /// Which of the node's named outputs travel, `[a-zA-Z0-9_-]+`; `None` is the main output.
    pub output: Option<String>,
    /// Other fields, in the manifest's order.
    pub extra: Vec<(String, Value)>,
}

/// What a manifest's text holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedManifest {
    /// The manifest.
    pub manifest: Manifest,
    /// The `input_data` beside it, when it was wrapped as `{manifest, input_data}`.
    pub input_data: Option<Value>,
}

/// Where in a manifest's text something stands that an error names, such as `nodes[2].node_type`; where it is not there,
/// where what should hold it stands. For whoever finds something wrong with a manifest that was read without an error.
pub fn position_of(text: &str, file: &Path, place: &str) -> Option<Position> {
    let document = document::read(text, file).ok()?;
    // As when it is read: a manifest may be wrapped.
    let manifest = match document.field("manifest") {
        Some(wrapped) if document.field("nodes").is_none() => wrapped,
        Some(_) | None => &document,
    };
    manifest.position_of(place)
}

impl Manifest {
    /// The fields that are known, in the order in which they are written.
    pub const FIELDS: &[&str] = &["version", "metadata", "nodes", "connections"];

    /// Reads and checks a manifest; `file` names it in errors and tells its format.
    ///
    /// ```
    /// use std::path::Path;
    /// use rm_runtime::manifest::Manifest;
    ///
    /// let text = "{version: v1, metadata: {name: demo}, nodes: [{id: a, node_type: Echo}, {id: a}]}";
    /// let error = Manifest::parse(text, Path::new("demo.yaml")).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "demo.yaml:1:73: nodes[1].node_type: missing, expected text\n\
    ///      demo.yaml:1:78: nodes[1].id: duplicate node id `a`, first used by nodes[0].id (line 1)",
    /// );
    /// ```
    ///
    /// # Errors
    /// [`ManifestError::Syntax`] for text that is not JSON or YAML, [`ManifestError::Invalid`] with all problems for a
    /// document that is not a manifest.
    pub fn parse(text: &str, file: &Path) -> Result<ParsedManifest, ManifestError> {
        let document = document::read(text, file)?;
        validate::manifest(document).map_err(|problems| ManifestError::Invalid {
            file: file.to_owned(),
            problems,
        })
    }

    /// The manifest's canonical form: fields in a fixed order, defaults left out.
    pub fn to_value(&self) -> Value {
        let mut fields = Fields::default();
        fields.put("version", VERSION);
        fields.put("metadata", self.metadata.to_value());
        fields.put(
            "nodes",
            self.nodes
                .iter()
                .map(NodeSpec::to_value)
                .collect::<Vec<_>>(),
        );
        fields.put(
            "connections",
            self.connections
                .iter()
                .map(Connection::to_value)
                .collect::<Vec<_>>(),
        );
        fields.finish(&self.extra)
    }
}

impl Metadata {
    /// The fields that are known, in the order in which they are written.
    pub const FIELDS: &[&str] = &["name", "description", "created_at"];

    fn to_value(&self) -> Value {
        let mut fields = Fields::default();
        fields.put("name", self.name.as_str());
        fields.put_some("description", self.description.as_deref());
        fields.put_some("created_at", self.created_at.as_deref());
        fields.finish(&self.extra)
    }
}

impl NodeSpec {
    /// The fields that are known, in the order in which they are written.
    pub const FIELDS: &[&str] = &[
        "id",
        "node_type",
        "params",
        "capabilities",
        "host",
        "is_streaming",
        "runtime_hint",
        "execution",
        "on_error",
        "instances",
        "join",
    ];

    fn to_value(&self) -> Value {
        let mut fields = Fields::default();
        fields.put("id", self.id.as_str());
        fields.put("node_type", self.node_type.as_str());
        fields.put_some(
            "params",
            (!self.params.is_empty()).then(|| Value::from(self.params.clone())),
        );
        fields.put_some("capabilities", self.capabilities.clone());
        fields.put_some("host", self.host.as_deref());
        fields.put_some("is_streaming", self.is_streaming.then_some(true));
        fields.put_some("runtime_hint", self.runtime_hint.as_deref());
        fields.put_some("execution", self.execution.clone());
        fields.put_some("on_error", self.on_error.map(OnError::name));
        fields.put_some("instances", self.instances.map(NonZeroU32::get));
        fields.put_some("join", self.join.then_some(true));
        fields.finish(&self.extra)
    }
}

impl Connection {
    /// The fields that are known, in the order in which they are written.
    pub const FIELDS: &[&str] = &["from", "to", "output"];

    fn to_value(&self) -> Value {
        let mut fields = Fields::default();
        fields.put("from", self.from.as_str());
        fields.put("to", self.to.as_str());
        fields.put_some("output", self.output.as_deref());
        fields.finish(&self.extra)
    }
}

/// An object in the making.
#[derive(Default)]
struct Fields(Vec<(Value, Value)>);

impl Fields {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.push((name.into(), value.into()));
    }

    fn put_some(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    fn finish(mut self, extra: &[(String, Value)]) -> Value {
        for (name, value) in extra {
            self.put(name, value.clone());
        }
        Value::Dict(self.0)
    }
}

impl Serialize for Manifest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Manifest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = document::Located::from_value(Value::deserialize(deserializer)?);
        validate::bare_manifest(document).map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
            D::Error::custom(format_args!("not a manifest: {}", problems.join("; ")))
        })
    }
}
