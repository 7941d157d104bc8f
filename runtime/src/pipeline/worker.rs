//! One node at work: a Rust object, or a Python object in an interpreter of its own.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use futures_lite::FutureExt as _;

use super::Inner;
use super::error::NodeFailure;
use crate::executor::Work;
use crate::graph::NodeIndex;
use crate::manifest::NodeSpec;
use crate::nodes::{Given, Node, NodeError, Outputs, Source};
use crate::packet::Packet;
use crate::python::instance::Options;
use crate::python::operation::Operation;
pub(super) use crate::python::progress::{Progress, Step};
use crate::python::progress::{create_arguments, process_arguments, progress_of};
use crate::python::{Instance, InstanceError};
use crate::shape::NodeKind;
use crate::value::Value;

pub(super) struct Worker {
    id: String,
    kind: Kind,
    /// How long the node may work without giving anything; unlimited if there is none.
    timeout: Option<Duration>,
    /// How much of that is left.
    left: Duration,
}

enum Kind {
    Rust {
        node: Box<dyn Node>,
        given: VecDeque<Given>,
        /// An error that has to wait until the outputs before it have left.
        failed: Option<NodeFailure>,
    },
    /// A Rust source that was not begun yet.
    Source(Option<Source>),
    Python(Box<Instance>),
    /// What it was is lost.
    Gone,
}

impl Worker {
    /// Make and initialise a node.
    pub(super) async fn start(inner: &Inner, index: NodeIndex) -> Result<Self, NodeFailure> {
        let spec = &inner.manifest.nodes[index.get()];
        let mut worker = Self {
            id: spec.id.clone(),
            kind: Kind::Gone,
            timeout: inner.settings.timeout,
            left: inner.settings.timeout.unwrap_or_default(),
        };
        match (&inner.shapes.kinds[index.get()], &inner.python) {
            (NodeKind::Python(class), Some(python)) => {
                let options = Options {
                    memory_limit: inner.settings.memory_limit,
                    ..Options::for_node(&spec.id)
                };
                let mut instance = Instance::new(&python.engine, &options).await?;
                instance.restore(&python.layer).await?;
                worker.kind = Kind::Python(Box::new(instance));
                let arguments = create_arguments(spec, class);
                let progress = worker.ask(Operation::Create, arguments).await?;
                worker.see_through(progress).await?;
            }
            (NodeKind::Rust { is_source: true }, _) => {
                worker.kind = Kind::Source(Some(create_source(inner, spec)?));
            }
            _ => {
                let create = || inner.registry.create(&spec.node_type, &spec.params);
                worker.kind = Kind::Rust {
                    node: catching(create)??,
                    given: VecDeque::new(),
                    failed: None,
                };
            }
        }
        Ok(worker)
    }

    pub(super) fn is_gone(&self) -> bool {
        matches!(self.kind, Kind::Gone)
    }

    /// Begin a piece of work.
    pub(super) async fn begin(&mut self, work: Work) -> Result<Progress, NodeFailure> {
        self.left = self.timeout.unwrap_or_default();
        match &mut self.kind {
            Kind::Python(_) => {
                let id = Value::from(self.id.as_str());
                let (operation, arguments) = match work {
                    Work::Process(packet) => (Operation::Process, process_arguments(id, packet)),
                    Work::Generate => (Operation::Generate, vec![id]),
                    Work::Flush => (Operation::Flush, vec![id]),
                };
                self.ask(operation, arguments).await
            }
            Kind::Rust {
                node,
                given,
                failed,
            } => {
                let mut outputs = Outputs::new();
                let result = catching(|| match work {
                    Work::Process(Packet { value, metadata }) => {
                        outputs = Outputs::of(metadata);
                        node.process(value, &mut outputs)
                    }
                    Work::Flush => node.flush(&mut outputs),
                    Work::Generate => Ok(()),
                });
                *failed = match result {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) => Some(error.into()),
                    Err(panic) => Some(panic),
                };
                given.extend(outputs.into_given());
                self.pull().await
            }
            Kind::Source(source) => {
                let given = source.take().map(Given::Lazily).into_iter().collect();
                self.kind = Kind::Rust {
                    node: Box::new(Nothing),
                    given,
                    failed: None,
                };
                self.pull().await
            }
            Kind::Gone => Ok(Progress {
                outputs: Vec::new(),
                step: Step::Done { wake: None },
            }),
        }
    }

    /// Let a node whose timer has run out do what it wants to.
    pub(super) async fn wake(&mut self) -> Result<Progress, NodeFailure> {
        self.left = self.timeout.unwrap_or_default();
        self.resume().await
    }

    /// Go on with what was begun.
    pub(super) async fn resume(&mut self) -> Result<Progress, NodeFailure> {
        match &self.kind {
            Kind::Python(_) => {
                let arguments = vec![self.id.as_str().into()];
                self.ask(Operation::ResumeNode, arguments).await
            }
            Kind::Rust { .. } | Kind::Source(_) | Kind::Gone => self.pull().await,
        }
    }

    /// Sleep, on behalf of the node and out of its time.
    pub(super) async fn sleep(&mut self, duration: Duration) -> Result<(), NodeFailure> {
        let Some(limit) = self.timeout else {
            tokio::time::sleep(duration).await;
            return Ok(());
        };
        tokio::time::sleep(duration.min(self.left)).await;
        if duration >= self.left {
            self.kind = Kind::Gone;
            return Err(InstanceError::TimeIsUp { limit }.into());
        }
        self.left -= duration;
        Ok(())
    }

    /// Let the node clean up.
    pub(super) async fn cleanup(mut self) -> Result<(), NodeFailure> {
        if matches!(self.kind, Kind::Python(_)) {
            self.left = self.timeout.unwrap_or_default();
            let arguments = vec![self.id.as_str().into()];
            let progress = self.ask(Operation::Cleanup, arguments).await?;
            self.see_through(progress).await?;
        }
        Ok(())
    }

    /// See something through whose outputs nobody wants.
    async fn see_through(&mut self, mut progress: Progress) -> Result<(), NodeFailure> {
        loop {
            match progress.step {
                Step::Done { .. } => return Ok(()),
                Step::More => {}
                Step::Waiting(delay) => self.sleep(delay).await?,
            }
            progress = self.resume().await?;
        }
    }

    async fn ask(
        &mut self,
        operation: Operation,
        arguments: Vec<Value>,
    ) -> Result<Progress, NodeFailure> {
        let Kind::Python(instance) = &mut self.kind else {
            unreachable!("only Python nodes are asked");
        };
        let begun = Instant::now();
        let answer = match self.timeout {
            Some(_) => instance.call_within(self.left, operation, arguments).await,
            None => instance.call(operation, arguments).await,
        };
        let read = |answer| progress_of(answer).map_err(InstanceError::from);
        let result = answer.and_then(read).map_err(|error| match error {
            InstanceError::TimeIsUp { .. } => InstanceError::TimeIsUp {
                limit: self.timeout.unwrap_or_default(),
            },
            error => error,
        });
        match result {
            Ok(progress) => {
                self.left = if progress.outputs.is_empty() {
                    self.left.saturating_sub(begun.elapsed())
                } else {
                    self.timeout.unwrap_or_default()
                };
                Ok(progress)
            }
            Err(error) => Err(self.failed(error.into())),
        }
    }

    /// What a Rust node gave, as far as it goes for now: what comes lazily or later leaves before the node goes on.
    async fn pull(&mut self) -> Result<Progress, NodeFailure> {
        let (timeout, left) = (self.timeout, self.left);
        let Kind::Rust { given, failed, .. } = &mut self.kind else {
            return Ok(Progress {
                outputs: Vec::new(),
                step: Step::Done { wake: None },
            });
        };
        let mut outputs = Vec::new();
        while let Some(next) = given.pop_front() {
            let result = match next {
                Given::Now(emission) => {
                    outputs.push(emission);
                    continue;
                }
                waiting @ (Given::Lazily(_) | Given::Later(_)) if !outputs.is_empty() => {
                    given.push_front(waiting);
                    break;
                }
                Given::Lazily(mut source) => {
                    let result = catching(|| source.next());
                    if let Ok(Some(Ok(_))) = result {
                        given.push_front(Given::Lazily(source));
                    }
                    result.map(Option::transpose)
                }
                Given::Later(later) => {
                    let later = AssertUnwindSafe(later).catch_unwind();
                    let result = match timeout {
                        None => Ok(later.await),
                        Some(_) => tokio::time::timeout(left, later).await,
                    };
                    match result {
                        Ok(Ok(result)) => Ok(result),
                        Ok(Err(panic)) => Err(NodeFailure::panicked(&*panic)),
                        Err(_) => Err(NodeFailure::TimeIsUp {
                            limit: timeout.unwrap_or_default(),
                        }),
                    }
                }
            };
            match result {
                Ok(Ok(emission)) => outputs.extend(emission),
                Ok(Err(error)) => {
                    given.clear();
                    *failed = Some(error.into());
                }
                Err(failure) => {
                    given.clear();
                    *failed = Some(failure);
                }
            }
        }
        let is_done = given.is_empty();
        if is_done
            && outputs.is_empty()
            && let Some(failure) = failed.take()
        {
            return Err(self.failed(failure));
        }
        let step = if is_done && failed.is_none() {
            Step::Done { wake: None }
        } else {
            Step::More
        };
        if !outputs.is_empty() {
            self.left = timeout.unwrap_or_default();
        }
        Ok(Progress { outputs, step })
    }

    fn failed(&mut self, failure: NodeFailure) -> NodeFailure {
        if failure.is_fatal() {
            self.kind = Kind::Gone;
        }
        failure
    }
}

/// Stands for a source that was begun: nothing is asked of it any more.
struct Nothing;

impl Node for Nothing {
    fn process(&mut self, _: Value, _: &mut Outputs) -> Result<(), NodeError> {
        Ok(())
    }
}

fn create_source(inner: &Inner, spec: &NodeSpec) -> Result<Source, NodeFailure> {
    Ok(catching(|| {
        inner.registry.create_source(&spec.node_type, &spec.params)
    })??)
}

/// Rust nodes are other people's code: a panic in one is an error of that node.
fn catching<R>(call: impl FnOnce() -> R) -> Result<R, NodeFailure> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| NodeFailure::panicked(&*panic))
}
