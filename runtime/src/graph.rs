//! The graph of a pipeline: its nodes by number, and who feeds whom.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::manifest::Manifest;
use crate::sorted::SortedMap;

/// A node's number: its position in the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub(crate) usize);

impl NodeIndex {
    /// The node's position in the manifest's `nodes`, from 0.
    pub fn get(self) -> usize {
        self.0
    }
}

/// Why nodes and connections are not a graph that can run; manifests that were parsed always are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// There are no nodes.
    #[error("a pipeline needs at least one node")]
    NoNodes,
    /// Two nodes have the same id.
    #[error("two nodes have the id `{0}`")]
    DuplicateId(String),
    /// A connection names a node that does not exist.
    #[error("connections[{connection}]: no node has the id `{id}`")]
    UnknownEndpoint {
        /// The connection's position in the manifest, from 0.
        connection: usize,
        /// The unknown id.
        id: String,
    },
    /// Two nodes are connected twice by the same output.
    #[error("connections[{connection}]: connects two nodes that are connected already")]
    DuplicateConnection {
        /// The second connection's position in the manifest, from 0.
        connection: usize,
    },
    /// Connections lead in a circle; the ids along it, the first one again at the end.
    #[error("the connections form a cycle: {}", .0.join(" -> "))]
    Cycle(Vec<String>),
}

/// A connection as the node sees it that receives by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The node whose outputs come.
    pub from: NodeIndex,
    /// Which of its named outputs; `None` is the main one.
    pub output: Option<Arc<str>>,
}

/// A connection as the node sees it that gives by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The node that receives.
    pub to: NodeIndex,
    /// The connection's place among those that lead there, from 0.
    pub place: usize,
    /// The named output that travels; `None` is the main one.
    pub output: Option<Arc<str>>,
}

/// An acyclic graph of nodes.
#[derive(Clone, Debug)]
pub struct Graph {
    ids: Vec<String>,
    incoming: Vec<Vec<Incoming>>,
    outgoing: Vec<Vec<Outgoing>>,
    predecessors: Vec<Vec<NodeIndex>>,
    successors: Vec<Vec<NodeIndex>>,
    levels: Vec<usize>,
    order: Vec<NodeIndex>,
}

/// The numbers of the two nodes, and the output's name.
type Edge = (usize, usize, Option<Arc<str>>);

impl Graph {
    /// The graph of a manifest.
    ///
    /// # Errors
    /// Any [`GraphError`], for a manifest that was put together by hand.
    pub fn new(manifest: &Manifest) -> Result<Self, GraphError> {
        let ids: Vec<String> = manifest.nodes.iter().map(|node| node.id.clone()).collect();
        let mut by_id = SortedMap::new();
        for (index, id) in ids.iter().enumerate() {
            if by_id.insert(id.as_str(), index).is_some() {
                return Err(GraphError::DuplicateId(id.clone()));
            }
        }
        let mut edges = Vec::with_capacity(manifest.connections.len());
        for (connection, ends) in manifest.connections.iter().enumerate() {
            let find = |id: &String| {
                let unknown = || GraphError::UnknownEndpoint {
                    connection,
                    id: id.clone(),
                };
                by_id.get(id.as_str()).copied().ok_or_else(unknown)
            };
            let output = ends.output.as_deref().map(Arc::from);
            edges.push((find(&ends.from)?, find(&ends.to)?, output));
        }
        Self::from_edges(ids, &edges)
    }

    /// The graph of numbered nodes and of connections, in connection order, between them.
    fn from_edges(ids: Vec<String>, edges: &[Edge]) -> Result<Self, GraphError> {
        if ids.is_empty() {
            return Err(GraphError::NoNodes);
        }
        let mut seen = SortedMap::new();
        if let Some(connection) = edges
            .iter()
            .position(|edge| seen.insert(edge, ()).is_some())
        {
            return Err(GraphError::DuplicateConnection { connection });
        }
        let pairs: Vec<_> = edges.iter().map(|(from, to, _)| (*from, *to)).collect();
        let order = topological_order(ids.len(), &pairs);
        if order.len() < ids.len() {
            return Err(cycle_error(&ids, &order, &pairs));
        }
        let mut incoming: Vec<Vec<Incoming>> = vec![Vec::new(); ids.len()];
        let mut outgoing: Vec<Vec<Outgoing>> = vec![Vec::new(); ids.len()];
        for (from, to, output) in edges {
            outgoing[*from].push(Outgoing {
                to: NodeIndex(*to),
                place: incoming[*to].len(),
                output: output.clone(),
            });
            incoming[*to].push(Incoming {
                from: NodeIndex(*from),
                output: output.clone(),
            });
        }
        let predecessors: Vec<_> = incoming
            .iter()
            .map(|all| distinct(all.iter().map(|incoming| incoming.from)))
            .collect();
        let successors = outgoing
            .iter()
            .map(|all| distinct(all.iter().map(|outgoing| outgoing.to)))
            .collect();
        let order: Vec<_> = order.into_iter().map(NodeIndex).collect();
        let mut levels = vec![0; ids.len()];
        for node in &order {
            let below = predecessors[node.0].iter().map(|from| levels[from.0] + 1);
            levels[node.0] = below.max().unwrap_or(0);
        }
        Ok(Graph {
            ids,
            incoming,
            outgoing,
            predecessors,
            successors,
            levels,
            order,
        })
    }

    /// How many nodes there are, at least one.
    #[expect(clippy::len_without_is_empty, reason = "a graph is never empty")]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// A node's id in the manifest.
    pub fn id(&self, node: NodeIndex) -> &str {
        &self.ids[node.0]
    }

    /// The node with an id.
    pub fn node(&self, id: &str) -> Option<NodeIndex> {
        self.ids.iter().position(|known| known == id).map(NodeIndex)
    }

    /// All nodes in the manifest's order.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = NodeIndex> + use<> {
        (0..self.ids.len()).map(NodeIndex)
    }

    /// The connections that lead to a node, in the manifest's order.
    pub fn incoming(&self, node: NodeIndex) -> &[Incoming] {
        &self.incoming[node.0]
    }

    /// The connections that leave a node, in the manifest's order.
    pub fn outgoing(&self, node: NodeIndex) -> &[Outgoing] {
        &self.outgoing[node.0]
    }

    /// How many connections the longest path has that leads to a node.
    pub fn level(&self, node: NodeIndex) -> usize {
        self.levels[node.0]
    }

    /// The nodes that a node feeds, each once, in the order of the connections.
    pub fn successors(&self, node: NodeIndex) -> &[NodeIndex] {
        &self.successors[node.0]
    }

    /// The nodes that feed a node, each once, in the order of the connections.
    pub fn predecessors(&self, node: NodeIndex) -> &[NodeIndex] {
        &self.predecessors[node.0]
    }

    /// All nodes, each after all that feed it; where that leaves a choice, in the manifest's order.
    pub fn topological_order(&self) -> &[NodeIndex] {
        &self.order
    }

    /// The nodes that nothing feeds, in the manifest's order: they get the pipeline's input, or make their own.
    pub fn sources(&self) -> impl Iterator<Item = NodeIndex> {
        self.nodes()
            .filter(|node| self.predecessors(*node).is_empty())
    }
}

/// Nodes in the order of their first occurrence.
fn distinct(nodes: impl Iterator<Item = NodeIndex>) -> Vec<NodeIndex> {
    let mut seen = SortedMap::new();
    nodes
        .filter(|node| seen.insert(*node, ()).is_none())
        .collect()
}

/// Nodes each after all that feed it, the lowest number first where there is a choice; nodes on a cycle and after it are
/// left out.
fn topological_order(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut successors = vec![Vec::new(); nodes];
    let mut waiting_for = vec![0_usize; nodes];
    for (from, to) in edges {
        successors[*from].push(*to);
        waiting_for[*to] += 1;
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..nodes)
        .filter(|node| waiting_for[*node] == 0)
        .map(Reverse)
        .collect();
    let mut order = Vec::with_capacity(nodes);
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for next in &successors[node] {
            waiting_for[*next] -= 1;
            if waiting_for[*next] == 0 {
                ready.push(Reverse(*next));
            }
        }
    }
    order
}

/// The nodes along one cycle in the direction of the edges, from the lowest number on; `None` if there is no cycle.
pub(crate) fn find_cycle(nodes: usize, edges: &[(usize, usize)]) -> Option<Vec<usize>> {
    let order = topological_order(nodes, edges);
    (order.len() < nodes).then(|| cycle_outside(nodes, &order, edges))
}

#[inline(never)]
fn cycle_error(ids: &[String], order: &[usize], edges: &[(usize, usize)]) -> GraphError {
    let cycle = cycle_outside(ids.len(), order, edges);
    let names = cycle.iter().chain(cycle.first());
    GraphError::Cycle(names.map(|node| ids[*node].clone()).collect())
}

/// The nodes along one cycle, where an order could not place all nodes.
#[inline(never)]
fn cycle_outside(nodes: usize, order: &[usize], edges: &[(usize, usize)]) -> Vec<usize> {
    let mut is_left = vec![true; nodes];
    for node in order {
        is_left[*node] = false;
    }
    // Every node left waits for another one left, so walking against the edges comes round.
    let first = is_left.iter().position(|is_left| *is_left);
    let mut walk = vec![first.expect("a node was not placed")];
    let start = loop {
        let last = *walk.last().expect("the walk starts with a node");
        let before = edges
            .iter()
            .filter(|(from, to)| *to == last && is_left[*from])
            .map(|(from, _)| *from)
            .min()
            .expect("a node that no order places waits for another such node");
        if let Some(start) = walk.iter().position(|node| *node == before) {
            break start;
        }
        walk.push(before);
    };
    let mut cycle = walk.split_off(start);
    cycle.reverse();
    let lowest = (0..cycle.len())
        .min_by_key(|index| cycle[*index])
        .expect("a cycle has nodes");
    cycle.rotate_left(lowest);
    cycle
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(nodes: usize, edges: &[(usize, usize)]) -> Result<Graph, GraphError> {
        let edges: Vec<Edge> = edges.iter().map(|(from, to)| (*from, *to, None)).collect();
        named(nodes, &edges)
    }

    fn named(nodes: usize, edges: &[Edge]) -> Result<Graph, GraphError> {
        Graph::from_edges((0..nodes).map(|node| format!("n{node}")).collect(), edges)
    }

    fn numbers<'a>(nodes: impl IntoIterator<Item = &'a NodeIndex>) -> Vec<usize> {
        nodes.into_iter().map(|node| node.get()).collect()
    }

    #[test]
    fn connection_order_is_kept_and_manifest_order_breaks_ties() {
        let graph = graph(5, &[(4, 0), (4, 3), (4, 1), (3, 0)]).unwrap();
        assert_eq!(numbers(graph.successors(NodeIndex(4))), [0, 3, 1]);
        assert_eq!(numbers(graph.predecessors(NodeIndex(0))), [4, 3]);
        assert_eq!(numbers(graph.topological_order()), [2, 4, 1, 3, 0]);
        assert_eq!(numbers(&graph.sources().collect::<Vec<_>>()), [2, 4]);
        assert_eq!(graph.node("n3"), Some(NodeIndex(3)));
        assert_eq!(graph.id(NodeIndex(3)), "n3");
    }

    #[test]
    fn nodes_may_be_connected_by_several_outputs() {
        let high = || Some(Arc::from("high"));
        let edges = [(0, 2, high()), (1, 2, None), (0, 2, None), (0, 1, high())];
        let graph = named(3, &edges).unwrap();
        let incoming: Vec<_> = graph
            .incoming(NodeIndex(2))
            .iter()
            .map(|incoming| (incoming.from.get(), incoming.output.as_deref()))
            .collect();
        assert_eq!(incoming, [(0, Some("high")), (1, None), (0, None)]);
        let outgoing: Vec<_> = graph
            .outgoing(NodeIndex(0))
            .iter()
            .map(|outgoing| {
                (
                    outgoing.to.get(),
                    outgoing.place,
                    outgoing.output.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            outgoing,
            [(2, 0, Some("high")), (2, 2, None), (1, 0, Some("high"))]
        );
        assert_eq!(numbers(graph.predecessors(NodeIndex(2))), [0, 1]);
        assert_eq!(numbers(graph.successors(NodeIndex(0))), [2, 1]);
        let levels: Vec<_> = graph.nodes().map(|node| graph.level(node)).collect();
        assert_eq!(levels, [0, 1, 2]);
        assert_eq!(
            named(2, &[(0, 1, high()), (0, 1, None), (0, 1, high())]).unwrap_err(),
            GraphError::DuplicateConnection { connection: 2 }
        );
    }

    #[test]
    fn cycles_are_found_and_start_at_the_lowest_node() {
        let cycle = |edges: &[(usize, usize)]| find_cycle(6, edges);
        assert_eq!(cycle(&[(0, 1), (1, 2), (0, 2)]), None);
        assert_eq!(cycle(&[(3, 2), (2, 1), (1, 3)]), Some(vec![1, 3, 2]));
        // Neither what leads into the cycle nor what it leads to belongs to it.
        assert_eq!(
            cycle(&[(0, 2), (2, 3), (3, 2), (3, 1), (1, 5)]),
            Some(vec![2, 3])
        );
        assert_eq!(cycle(&[(4, 4)]), Some(vec![4]));
    }

    #[test]
    fn what_is_not_a_graph_is_refused() {
        let error = |nodes, edges: &[_]| graph(nodes, edges).unwrap_err();
        assert_eq!(error(0, &[]), GraphError::NoNodes);
        assert_eq!(
            error(2, &[(0, 1), (0, 1)]),
            GraphError::DuplicateConnection { connection: 1 }
        );
        assert_eq!(
            error(3, &[(0, 1), (1, 2), (2, 1)]).to_string(),
            "the connections form a cycle: n1 -> n2 -> n1"
        );
    }
}
