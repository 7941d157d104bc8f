//! Why a pipeline cannot be loaded, and why a run ended early.

use std::any::Any;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::bundle::BundleError;
use crate::driver::Moment;
use crate::graph::GraphError;
use crate::nodes::{NodeError, UnknownNodeType};
use crate::python::answer::AnswerError;
use crate::python::{EngineError, InstanceError};
use crate::shape::ShapeError;
use crate::value::Value;

/// An error of the caller's own, passed through a run.
pub type CallerError = Box<dyn std::error::Error + Send + Sync>;

/// Modules cannot be imported one after the other: the interpreter is gone.
#[derive(Debug, thiserror::Error)]
#[error("{}", match module {
    Some(module) => format!("importing `{module}` ended the interpreter"),
    None => "the interpreter does not start".to_owned(),
})]
pub struct ImportStopped {
    /// The module that was imported then; none if the interpreter did not start.
    pub module: Option<String>,
    /// Why.
    pub source: InstanceError,
}

/// Why a bundle cannot be made ready to run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The bundle, or its engine, is not there or not whole.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The engine cannot be made ready.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine's file cannot be read.
    #[error("cannot read the engine at `{}`; copy it again from where the bundle came from, or pack again", path.display())]
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
    #[error("{}{problem}", In(path.as_deref()))]
    UnknownNodeType {
        /// The bundle's file, if it has one.
        path: Option<PathBuf>,
        /// Which node.
        problem: Box<UnknownNodeType>,
    },
    /// A Rust node does not take its params.
    #[error("{}nodes[{place}].params: node `{id}` does not take them", In(path.as_deref()))]
    Params {
        /// The bundle's file, if it has one.
        path: Option<PathBuf>,
        /// Which node of the manifest, from 0.
        place: usize,
        /// Its id.
        id: String,
        /// What is wrong with them.
        source: NodeFailure,
    },
    /// A node cannot be what the manifest makes of it.
    #[error("{}{problem}", In(path.as_deref()))]
    Shape {
        /// The bundle's file, if it has one.
        path: Option<PathBuf>,
        /// Which node, and why.
        problem: ShapeError,
    },
    /// The graph is not one that can run.
    #[error("{}{problem}", In(path.as_deref()))]
    Graph {
        /// The bundle's file, if it has one.
        path: Option<PathBuf>,
        /// Why not.
        problem: GraphError,
    },
}

/// The bundle's file, in front of what is wrong in it.
struct In<'a>(Option<&'a Path>);

impl fmt::Display for In<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(path) => write!(formatter, "`{}`: ", path.display()),
            None => Ok(()),
        }
    }
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A node could not be made.
    #[error("node `{node}` {}", Moment::Start)]
    Start {
        /// The node's id.
        node: String,
        /// What happened in it.
        source: NodeFailure,
    },
    /// A node failed on an item.
    #[error("node `{node}` {}", Moment::Item(item.saturating_sub(1)))]
    Item {
        /// The node's id.
        node: String,
        /// Which item of the input, or of the source that it came from, counting from 1.
        item: u64,
        /// What happened in it.
        source: NodeFailure,
    },
    /// A node over the whole stream failed at something else than an item, such as what it does after a while.
    #[error("node `{node}` {}", Moment::Between(last.map(|last| last.saturating_sub(1))))]
    Between {
        /// The node's id.
        node: String,
        /// Which item it got last, counting as for [`RunError::Item`]; none before the first.
        last: Option<u64>,
        /// What happened in it.
        source: NodeFailure,
    },
    /// A source failed.
    #[error("node `{node}` {}", Moment::Source)]
    Source {
        /// The node's id.
        node: String,
        /// What happened in it.
        source: NodeFailure,
    },
    /// A node failed at the end of the stream.
    #[error("node `{node}` {}", Moment::End)]
    End {
        /// The node's id.
        node: String,
        /// What happened in it.
        source: NodeFailure,
    },
    /// A node failed when everything was over.
    #[error("node `{node}` {}", Moment::Cleanup)]
    Cleanup {
        /// The node's id.
        node: String,
        /// What happened in it.
        source: NodeFailure,
    },
    /// The run failed, and somebody has been told already: the first who received then has the error with all that is known.
    #[error("the run has failed: {error}")]
    Failed {
        /// What the first one was told, in short.
        error: String,
    },
    /// [`Session::cancel`](super::Session::cancel) ended the run.
    #[error("the run was cancelled")]
    Cancelled,
    /// Reading the input or handing over an output failed; the message is the caller's.
    #[error("{0}")]
    Caller(#[source] CallerError),
}

/// What happened in a node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeFailure {
    /// In a Rust node.
    #[error(transparent)]
    Rust(#[from] NodeError),
    /// In a Python node.
    #[error(transparent)]
    Python(#[from] InstanceError),
    /// A Rust node panicked.
    #[error("it panicked: {0}")]
    Panicked(String),
    /// A Rust node did not give in time what it had promised for later.
    #[error("it took longer than {limit:?}, the time that it may take; `timeout` sets it")]
    TimeIsUp {
        /// How long it may take.
        limit: std::time::Duration,
    },
}

impl RunError {
    pub(super) fn at(moment: Moment, node: String, source: NodeFailure) -> Self {
        match moment {
            Moment::Start => Self::Start { node, source },
            Moment::Item(number) => Self::Item {
                node,
                item: number + 1,
                source,
            },
            Moment::Between(last) => Self::Between {
                node,
                last: last.map(|number| number + 1),
                source,
            },
            Moment::Source => Self::Source { node, source },
            Moment::End => Self::End { node, source },
            Moment::Cleanup => Self::Cleanup { node, source },
        }
    }
}

impl NodeFailure {
    pub(super) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self::Panicked(text.unwrap_or("without a message").to_owned())
    }

    /// Whether the node is gone with it: what it knew is lost, and only a fresh one can go on.
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Rust(_) => false,
            Self::Python(error) => match error {
                InstanceError::Answer(error) => match error {
                    AnswerError::Exception(_) | AnswerError::Unreadable(_) => false,
                    AnswerError::Protocol(_) => true,
                },
                InstanceError::Arguments(_) => false,
                InstanceError::Trapped { .. } | InstanceError::TimeIsUp { .. } => true,
            },
            Self::Panicked(_) | Self::TimeIsUp { .. } => true,
        }
    }
}

/// An item was not taken; it is given back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The session's input was closed, or it was cancelled, or a node stopped the stream, or the pipeline has no node that takes
    /// input.
    #[error("the session takes no more items")]
    Closed(Value),
    /// The session has failed; receiving tells why.
    #[error("the session has failed")]
    Failed(Value),
}
