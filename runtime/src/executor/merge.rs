//! Packets from several places as one ordered stream.

use std::collections::VecDeque;

use super::Packet;

/// The mark of a place from which nothing will come any more.
pub(super) const ENDED: u64 = u64::MAX;

/// Where a node's packets arrive: a queue for each place they come from.
///
/// Packets leave ordered by sequence, then by place, then as they came. To know that a packet is the next one it is not
/// enough to see it: an earlier one may still come from another place, or never, when a node gives nothing for an item. So
/// each place has a mark: every packet with a lower sequence has arrived.
#[derive(Clone, Debug)]
pub(super) struct Merge {
    inlets: Vec<Inlet>,
}

#[derive(Clone, Debug, Default)]
struct Inlet {
    queue: VecDeque<Packet>,
    mark: u64,
}

impl Inlet {
    /// The lowest sequence that may still leave this inlet.
    fn lowest(&self) -> u64 {
        self.queue
            .front()
            .map_or(self.mark, |packet| packet.sequence)
    }
}

impl Merge {
    pub(super) fn new(places: usize) -> Self {
        Merge {
            inlets: (0..places).map(|_| Inlet::default()).collect(),
        }
    }

    /// Adds a packet; one place's packets come with rising or equal sequences, none below its mark.
    pub(super) fn push(&mut self, place: usize, packet: Packet) {
        let inlet = &mut self.inlets[place];
        debug_assert!(
            packet.sequence >= inlet.mark && inlet.mark != ENDED,
            "a packet below the mark"
        );
        inlet.queue.push_back(packet);
    }

    /// Notes that everything from a place with a sequence below `mark` has arrived.
    pub(super) fn advance(&mut self, place: usize, mark: u64) {
        let inlet = &mut self.inlets[place];
        debug_assert!(mark >= inlet.mark, "a mark that goes back");
        inlet.mark = mark;
    }

    /// The place and sequence of the next packet, if it is known which that is.
    pub(super) fn next(&self) -> Option<(usize, u64)> {
        let (place, lowest) = self
            .inlets
            .iter()
            .enumerate()
            .min_by_key(|(place, inlet)| (inlet.lowest(), *place))?;
        // The first of the lowest: if its packet has not come or may never come, all others must wait.
        lowest.queue.front().map(|packet| (place, packet.sequence))
    }

    /// Takes the next packet.
    pub(super) fn pop(&mut self) -> Option<Packet> {
        let (place, _) = self.next()?;
        self.inlets[place].queue.pop_front()
    }

    /// Everything below this sequence has arrived and left; [`ENDED`] when nothing is there or will come.
    pub(super) fn mark(&self) -> u64 {
        self.inlets.iter().map(Inlet::lowest).min().unwrap_or(ENDED)
    }

    /// How many packets from a place with a sequence below `sequence` wait.
    pub(super) fn waiting_below(&self, place: usize, sequence: u64) -> usize {
        // Sequences rise along the queue.
        self.inlets[place]
            .queue
            .partition_point(|packet| packet.sequence < sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn push(merge: &mut Merge, place: usize, sequence: u64) {
        merge.push(
            place,
            Packet {
                value: Value::Null,
                sequence,
            },
        );
    }

    #[test]
    fn a_packet_waits_until_none_can_come_before_it() {
        let mut merge = Merge::new(2);
        push(&mut merge, 1, 0);
        assert_eq!(merge.next(), None, "place 0 may still send for item 0");
        merge.advance(0, 1);
        assert_eq!(merge.next(), Some((1, 0)));
        push(&mut merge, 0, 1);
        assert_eq!(merge.pop().map(|packet| packet.sequence), Some(0));
        assert_eq!(merge.next(), None, "place 1 may still send for item 0");
        merge.advance(1, 1);
        assert_eq!(merge.next(), Some((0, 1)), "place 0 goes first for item 1");
        assert_eq!(merge.mark(), 1);
    }

    #[test]
    fn places_end() {
        let mut merge = Merge::new(2);
        push(&mut merge, 1, 7);
        merge.advance(0, ENDED);
        assert_eq!(merge.next(), Some((1, 7)));
        merge.advance(1, ENDED);
        assert_eq!(merge.mark(), 7);
        merge.pop();
        assert_eq!((merge.next(), merge.mark()), (None, ENDED));
    }
}
