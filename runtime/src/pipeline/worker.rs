//! One node at work: a Rust object, or a Python object in an interpreter of its own.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::Inner;
use super::error::NodeFailure;
use crate::driver::{Calls, RustNode};
use crate::executor::Work;
use crate::graph::NodeIndex;
use crate::manifest::NodeSpec;
use crate::nodes::Registry;
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
    Rust(RustNode<Catching>),
    Python(Box<Instance>),
    /// What it was is lost.
    Gone,
}

/// Rust nodes are other people's code: a panic in one is an error of that node.
struct Catching;

impl Calls for Catching {
    type Failure = NodeFailure;

    fn call<R>(code: impl FnOnce() -> R) -> Result<R, NodeFailure> {
        catch_unwind(AssertUnwindSafe(code)).map_err(|panic| NodeFailure::panicked(&*panic))
    }
}

/// Make a Rust node, to see whether it takes its params.
pub(super) fn try_params(registry: &Registry, spec: &NodeSpec) -> Result<(), NodeFailure> {
    RustNode::<Catching>::create(registry, spec, false).map(drop)
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
            (kind, _) => {
                let is_source = matches!(kind, NodeKind::Rust { is_source: true });
                let node = RustNode::create(&inner.registry, spec, is_source)?;
                worker.kind = Kind::Rust(node);
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
            Kind::Rust(node) => {
                node.begin(work);
                self.pull().await
            }
            Kind::Gone => Ok(Progress::NOTHING),
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
            Kind::Rust(_) | Kind::Gone => self.pull().await,
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

    /// What a Rust node gave, as far as it goes for now.
    async fn pull(&mut self) -> Result<Progress, NodeFailure> {
        let Kind::Rust(node) = &mut self.kind else {
            return Ok(Progress::NOTHING);
        };
        // Nearly everything is there at once, and needs no timer.
        let result = match poll_fn(|context| Poll::Ready(node.pull(context))).await {
            Poll::Ready(result) => result,
            Poll::Pending => {
                let later = poll_fn(|context| node.pull(context));
                match self.timeout {
                    None => later.await,
                    Some(limit) => tokio::time::timeout(self.left, later)
                        .await
                        .unwrap_or(Err(NodeFailure::TimeIsUp { limit })),
                }
            }
        };
        match result {
            Ok(progress) => {
                if !progress.outputs.is_empty() {
                    self.left = self.timeout.unwrap_or_default();
                }
                Ok(progress)
            }
            Err(failure) => Err(self.failed(failure)),
        }
    }

    fn failed(&mut self, failure: NodeFailure) -> NodeFailure {
        if failure.is_fatal() {
            self.kind = Kind::Gone;
        }
        failure
    }
}
