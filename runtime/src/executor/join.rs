//! What comes from several places for the same thing as one packet.

use super::key::Key;
use super::merge::Merge;
use crate::graph::{Graph, NodeIndex};
use crate::packet::Packet;
use crate::value::Value;

/// What the pipeline's own items are called in a dictionary, at a node that nothing feeds.
const INPUT: &str = "input";

/// The names of a node's places.
#[derive(Clone, Debug)]
pub(super) struct Join(Vec<Value>);

impl Join {
    pub(super) fn new(graph: &Graph, node: NodeIndex) -> Self {
        let incoming = graph.incoming(node);
        let names = incoming.iter().map(|place| {
            let id = graph.id(place.from);
            let connections = incoming.iter().filter(|other| other.from == place.from);
            match &place.output {
                Some(output) if connections.count() > 1 => Value::from(format!("{id}.{output}")),
                Some(_) | None => Value::from(id),
            }
        });
        let names: Vec<_> = names.collect();
        Self(if names.is_empty() {
            vec![Value::from(INPUT)]
        } else {
            names
        })
    }

    /// Takes the next packets as one: a dictionary by name, with the metadata of the first.
    pub(super) fn pop(&self, input: &mut Merge<Packet>) -> Option<(Key, Packet)> {
        let mut metadata = None;
        let mut entries = Vec::new();
        let key = input.pop_together(|place, packet| {
            metadata.get_or_insert(packet.metadata);
            entries.push((self.0[place].clone(), packet.value));
        })?;
        let value = Value::Dict(entries);
        let metadata = metadata?;
        Some((key, Packet { value, metadata }))
    }
}
