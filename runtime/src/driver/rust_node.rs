//! A Rust node at work: what it gave is pulled bit by bit, as there is room for it.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use crate::executor::Work;
use crate::manifest::NodeSpec;
use crate::nodes::{Given, Node, NodeError, Outputs, Registry, Source};
use crate::packet::{Emission, Packet};
use crate::python::progress::{Progress, Step};

/// How a driver calls other people's code.
pub(crate) trait Calls {
    /// What may come of it.
    type Failure: From<NodeError>;

    /// Call it; an error is of the call itself, such as a panic.
    fn call<R>(code: impl FnOnce() -> R) -> Result<R, Self::Failure>;
}

pub(crate) struct RustNode<C: Calls> {
    kind: Kind,
    given: VecDeque<Given>,
    /// An error that has to wait until the outputs before it have left.
    failed: Option<C::Failure>,
}

enum Kind {
    Node(Box<dyn Node>),
    /// None once it was begun.
    Source(Option<Source>),
}

impl<C: Calls> RustNode<C> {
    pub(crate) fn create(
        registry: &Registry,
        spec: &NodeSpec,
        is_source: bool,
    ) -> Result<Self, C::Failure> {
        let (name, params) = (&spec.node_type, &spec.params);
        let kind = C::call(|| {
            Ok::<_, NodeError>(if is_source {
                Kind::Source(Some(registry.create_source(name, params)?))
            } else {
                Kind::Node(registry.create(name, params)?)
            })
        })??;
        Ok(Self {
            kind,
            given: VecDeque::new(),
            failed: None,
        })
    }

    /// Begin a piece of work; what comes of it is to be [pulled](RustNode::pull).
    pub(crate) fn begin(&mut self, work: Work) {
        match &mut self.kind {
            Kind::Source(source) => self.given.extend(source.take().map(Given::Lazily)),
            Kind::Node(node) => {
                let mut outputs = Outputs::new();
                let result = C::call(|| match work {
                    Work::Process(Packet { value, metadata }) => {
                        outputs = Outputs::of(metadata);
                        node.process(value, &mut outputs)
                    }
                    Work::Flush => node.flush(&mut outputs),
                    Work::Generate => Ok(()),
                });
                self.failed = match result {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) => Some(error.into()),
                    Err(failure) => Some(failure),
                };
                self.given.extend(outputs.into_given());
            }
        }
    }

    /// What the node gave, as far as it goes for now: what comes lazily or later leaves before the node goes on. Pending
    /// while what comes next is not there.
    pub(crate) fn pull(&mut self, context: &mut Context<'_>) -> Poll<Result<Progress, C::Failure>> {
        let mut outputs = Vec::new();
        while let Some(next) = self.given.pop_front() {
            match next {
                Given::Now(emission) => outputs.push(emission),
                waiting @ (Given::Lazily(_) | Given::Later(_)) if !outputs.is_empty() => {
                    self.given.push_front(waiting);
                    break;
                }
                waiting @ (Given::Lazily(_) | Given::Later(_)) => {
                    match self.wait_for(waiting, context) {
                        Poll::Ready(emission) => outputs.extend(emission),
                        Poll::Pending => return Poll::Pending,
                    }
                }
            }
        }
        let is_done = self.given.is_empty();
        if is_done
            && outputs.is_empty()
            && let Some(failure) = self.failed.take()
        {
            return Poll::Ready(Err(failure));
        }
        let step = if is_done && self.failed.is_none() {
            Step::Done { wake: None }
        } else {
            Step::More
        };
        Poll::Ready(Ok(Progress { outputs, step }))
    }

    /// The next of what comes lazily or later, if there is one.
    #[inline(never)]
    fn wait_for(&mut self, waiting: Given, context: &mut Context<'_>) -> Poll<Option<Emission>> {
        let result = match waiting {
            Given::Now(emission) => Ok(Ok(Some(emission))),
            Given::Lazily(mut source) => {
                let next = C::call(|| source.next());
                if let Ok(Some(Ok(_))) = next {
                    self.given.push_front(Given::Lazily(source));
                }
                next.map(Option::transpose)
            }
            Given::Later(mut later) => match C::call(|| later.as_mut().poll(context)) {
                Ok(Poll::Pending) => {
                    self.given.push_front(Given::Later(later));
                    return Poll::Pending;
                }
                Ok(Poll::Ready(result)) => Ok(result),
                Err(failure) => Err(failure),
            },
        };
        let failure = match result {
            Ok(Ok(emission)) => return Poll::Ready(emission),
            Ok(Err(error)) => error.into(),
            Err(failure) => failure,
        };
        self.given.clear();
        self.failed = Some(failure);
        Poll::Ready(None)
    }
}
