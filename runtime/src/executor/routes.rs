//! Where a node's outputs go.

use std::sync::Arc;

use crate::graph::{Graph, NodeIndex};

/// A place in a node's input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) node: NodeIndex,
    pub(super) place: usize,
}

/// The targets of one node's outputs, by the output's name.
#[derive(Clone, Debug)]
pub(super) struct Routes {
    all: Vec<Target>,
    main: Vec<Target>,
    named: Vec<(Arc<str>, Vec<Target>)>,
}

impl Routes {
    pub(super) fn new(graph: &Graph, node: NodeIndex) -> Self {
        let mut routes = Routes {
            all: Vec::new(),
            main: Vec::new(),
            named: Vec::new(),
        };
        for connection in graph.outgoing(node) {
            let target = Target {
                node: connection.to,
                place: connection.place,
            };
            routes.all.push(target);
            let Some(output) = &connection.output else {
                routes.main.push(target);
                continue;
            };
            match routes.named.iter_mut().find(|(name, _)| name == output) {
                Some((_, targets)) => targets.push(target),
                None => routes.named.push((output.clone(), vec![target])),
            }
        }
        routes
    }

    /// All targets of the node.
    pub(super) fn all(&self) -> &[Target] {
        &self.all
    }

    /// The targets of an output; none if it is a result of the pipeline.
    pub(super) fn of(&self, output: Option<&str>) -> &[Target] {
        let Some(output) = output else {
            return &self.main;
        };
        let named = self.named.iter().find(|(name, _)| **name == *output);
        named.map_or(&[], |(_, targets)| targets)
    }
}
