//! Marks on their way through the graph.

use super::Executor;
use super::node::Stage;
use crate::graph::{Graph, NodeIndex};

/// The nodes whose inputs or tasks have changed since marks were brought up to date.
#[derive(Clone, Debug)]
pub(super) struct Changed {
    /// Each node's place in the topological order.
    places: Vec<usize>,
    /// By place.
    flags: Vec<bool>,
    count: usize,
    first: usize,
}

impl Changed {
    pub(super) fn new(graph: &Graph) -> Self {
        let mut places = vec![0; graph.len()];
        for (place, node) in graph.topological_order().iter().enumerate() {
            places[node.get()] = place;
        }
        Changed {
            places,
            flags: vec![false; graph.len()],
            count: 0,
            first: 0,
        }
    }

    pub(super) fn note(&mut self, node: NodeIndex) {
        let place = self.places[node.get()];
        self.first = if self.count == 0 {
            place
        } else {
            self.first.min(place)
        };
        if !self.flags[place] {
            self.flags[place] = true;
            self.count += 1;
        }
    }

    /// The place in the order of the first changed node, which is not one any more.
    fn take(&mut self) -> Option<usize> {
        if self.count == 0 {
            return None;
        }
        while !self.flags[self.first] {
            self.first += 1;
        }
        self.flags[self.first] = false;
        self.count -= 1;
        Some(self.first)
    }
}

impl Executor {
    /// Brings marks up to date, each after those of the nodes that feed it.
    pub(super) fn settle(&mut self) {
        while let Some(place) = self.changed.take() {
            let node = self.graph.topological_order()[place];
            if self.nodes[node.get()].refresh() {
                self.tell(node);
            }
        }
        self.results.update();
    }

    /// Passes on a node's mark, or its end, to where its outputs go.
    pub(super) fn tell(&mut self, node: NodeIndex) {
        let (before, rest) = self.nodes.split_at_mut(node.get());
        let (state, after) = rest.split_first_mut().expect("a node of the graph");
        let has_ended = match state.stage {
            Stage::Ended => true,
            Stage::Open | Stage::Flushing(_) | Stage::Failed(_) => false,
        };
        for target in self.routes[node.get()].all() {
            let index = target.node.get();
            let next = match index.checked_sub(before.len() + 1) {
                Some(index) => &mut after[index],
                None => &mut before[index],
            };
            if has_ended {
                next.input.finish(target.place, &state.mark);
            } else {
                next.input.advance(target.place, &state.mark);
            }
            self.changed.note(target.node);
        }
        if has_ended {
            self.left -= 1;
            self.results.finish(node.get(), &state.mark);
        } else {
            self.results.advance(node.get(), &state.mark);
        }
    }
}
