//! A Rust node at work: what it gave is pulled bit by bit, as there is room for it.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use crate::executor::Work;
use crate::manifest::NodeSpec;
use crate::nodes::{Given, Node, NodeError, Outputs, Registry, Source};
use crate::packet::{Emission, Packet};

pub(super) struct RustNode {
    kind: Kind,
    given: VecDeque<Given>,
    /// An error that has to wait until the outputs before it have left.
    failed: Option<NodeError>,
}

enum Kind {
    Node(Box<dyn Node>),
    /// None once it was begun.
    Source(Option<Source>),
}

/// What pulling came to.
pub(super) enum Pulled {
    /// The work is done.
    Done(Vec<Emission>),
    /// There is more where this came from.
    More(Vec<Emission>),
    /// What comes next is not there yet.
    Pending,
    /// The work has failed.
    Failed(NodeError),
}

impl RustNode {
    pub(super) fn create(
        registry: &Registry,
        spec: &NodeSpec,
        is_source: bool,
    ) -> Result<Self, NodeError> {
        let kind = if is_source {
            Kind::Source(Some(registry.create_source(&spec.node_type, &spec.params)?))
        } else {
            Kind::Node(registry.create(&spec.node_type, &spec.params)?)
        };
        Ok(Self {
            kind,
            given: VecDeque::new(),
            failed: None,
        })
    }

    /// Begin a piece of work.
    pub(super) fn begin(&mut self, work: Work) -> Pulled {
        match &mut self.kind {
            Kind::Source(source) => self.given.extend(source.take().map(Given::Lazily)),
            Kind::Node(node) => {
                let mut outputs = Outputs::new();
                let result = match work {
                    Work::Process(Packet { value, metadata }) => {
                        outputs = Outputs::of(metadata);
                        node.process(value, &mut outputs)
                    }
                    Work::Flush => node.flush(&mut outputs),
                    Work::Generate => Ok(()),
                };
                self.failed = result.err();
                self.given.extend(outputs.into_given());
            }
        }
        self.pull()
    }

    /// The next of what comes lazily or later, if there is one.
    #[inline(never)]
    fn wait_for(&mut self, waiting: Given) -> Poll<Option<Emission>> {
        let result = match waiting {
            Given::Now(emission) => Ok(Some(emission)),
            Given::Lazily(mut source) => {
                let next = source.next();
                if let Some(Ok(_)) = next {
                    self.given.push_front(Given::Lazily(source));
                }
                next.transpose()
            }
            Given::Later(mut later) => {
                // Nothing here could be woken; the host comes back.
                match later.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(result) => result,
                    Poll::Pending => {
                        self.given.push_front(Given::Later(later));
                        return Poll::Pending;
                    }
                }
            }
        };
        Poll::Ready(result.unwrap_or_else(|error| {
            self.given.clear();
            self.failed = Some(error);
            None
        }))
    }

    /// What the node gave, as far as it goes for now: what comes lazily or later leaves before the node goes on.
    pub(super) fn pull(&mut self) -> Pulled {
        let mut outputs = Vec::new();
        while let Some(next) = self.given.pop_front() {
            match next {
                Given::Now(emission) => outputs.push(emission),
                waiting @ (Given::Lazily(_) | Given::Later(_)) if !outputs.is_empty() => {
                    self.given.push_front(waiting);
                    break;
                }
                waiting @ (Given::Lazily(_) | Given::Later(_)) => match self.wait_for(waiting) {
                    Poll::Ready(emission) => outputs.extend(emission),
                    Poll::Pending => return Pulled::Pending,
                },
            }
        }
        if !self.given.is_empty() {
            return Pulled::More(outputs);
        }
        match self.failed.take() {
            None => Pulled::Done(outputs),
            Some(error) if outputs.is_empty() => Pulled::Failed(error),
            Some(error) => {
                self.failed = Some(error);
                Pulled::More(outputs)
            }
        }
    }
}
