//! Things from several places as one ordered stream.

use std::collections::VecDeque;

use super::key::{ENDED, Key};

/// Where things arrive: a queue for each place they come from.
///
/// They leave ordered by key, then by place, then as they came. To know that one is the next it is not enough to see it: an
/// earlier one may still come from another place, or never, when a node gives nothing for an item. So each place has a
/// mark: everything with a lower key has arrived.
#[derive(Clone, Debug)]
pub(super) struct Merge<T> {
    inlets: Vec<Inlet<T>>,
    /// Whether what has the same key leaves together.
    is_joint: bool,
    /// How many things wait.
    waiting: usize,
    /// The place of the next thing, where that was looked up and will stay.
    next: Option<usize>,
}

#[derive(Clone, Debug)]
struct Inlet<T> {
    queue: VecDeque<(Key, T)>,
    /// [`ENDED`] when nothing will come any more.
    mark: Key,
    /// The mark before it ended.
    end: Key,
}

impl<T> Inlet<T> {
    /// The lowest key that may still leave this inlet.
    fn lowest(&self) -> &Key {
        self.queue.front().map_or(&self.mark, |(key, _)| key)
    }
}

impl<T> Merge<T> {
    pub(super) fn new(places: usize, is_joint: bool) -> Self {
        let inlet = || Inlet {
            queue: VecDeque::new(),
            mark: Key::default(),
            end: Key::default(),
        };
        Merge {
            inlets: (0..places).map(|_| inlet()).collect(),
            is_joint,
            waiting: 0,
            next: None,
        }
    }

    /// Adds something; what one place gives comes with rising keys, none below its mark.
    pub(super) fn push(&mut self, place: usize, key: Key, thing: T) {
        let inlet = &mut self.inlets[place];
        debug_assert!(key >= inlet.mark, "a thing below the mark");
        debug_assert!(inlet.queue.back().is_none_or(|(last, _)| *last <= key));
        inlet.queue.push_back((key, thing));
        self.waiting += 1;
    }

    /// Notes that everything from a place with a key below `mark` has arrived.
    pub(super) fn advance(&mut self, place: usize, mark: &Key) {
        let inlet = &mut self.inlets[place];
        debug_assert!(*mark >= inlet.mark, "a mark that goes back");
        inlet.mark.clone_from(mark);
    }

    /// Notes that a place has ended, with this as its last mark.
    pub(super) fn finish(&mut self, place: usize, end: &Key) {
        let inlet = &mut self.inlets[place];
        inlet.end.clone_from(end);
        inlet.mark.clone_from(&ENDED);
    }

    /// Drops everything that waits.
    pub(super) fn clear(&mut self) {
        for inlet in &mut self.inlets {
            inlet.queue.clear();
        }
        self.waiting = 0;
        self.next = None;
    }

    /// Looks up what is next; to be called after changes, before [`Merge::next`].
    pub(super) fn update(&mut self) {
        if self.next.is_some() || self.waiting == 0 {
            return;
        }
        let (place, lowest) = self.first();
        self.next = if self.is_joint {
            let is_awaited = |inlet: &Inlet<T>| inlet.queue.is_empty() && inlet.mark == *lowest;
            (!self.inlets.iter().any(is_awaited)).then_some(place)
        } else {
            // If the first of the lowest has not come, or may never come, all others must wait.
            (!self.inlets[place].queue.is_empty()).then_some(place)
        };
    }

    /// The lowest key that may still leave, and the first place that it may leave from.
    fn first(&self) -> (usize, &Key) {
        let mut first = (0, &ENDED);
        for (place, inlet) in self.inlets.iter().enumerate() {
            let lowest = inlet.lowest();
            if lowest < first.1 {
                first = (place, lowest);
            }
        }
        first
    }

    /// The next thing, if it is known which that is.
    pub(super) fn next(&self) -> Option<&(Key, T)> {
        self.inlets[self.next?].queue.front()
    }

    /// What waits, in order, where all comes from one place.
    pub(super) fn only_queue(&self) -> Option<&VecDeque<(Key, T)>> {
        match &self.inlets[..] {
            [inlet] => Some(&inlet.queue),
            _ => None,
        }
    }

    /// The place without which it is not known what is next; none if that is known, or nothing will come.
    pub(super) fn awaits(&self) -> Option<usize> {
        let (_, lowest) = self.first();
        if self.next.is_some() || *lowest == ENDED {
            return None;
        }
        let is_awaited = |inlet: &Inlet<T>| inlet.queue.is_empty() && inlet.mark == *lowest;
        self.inlets.iter().position(is_awaited)
    }

    /// Takes the next thing.
    pub(super) fn pop(&mut self) -> Option<(usize, Key, T)> {
        let place = self.next.take()?;
        let (key, thing) = self.inlets[place].queue.pop_front()?;
        self.waiting -= 1;
        Some((place, key, thing))
    }

    /// Takes the next thing and all others with its key, by place.
    pub(super) fn pop_together(&mut self, mut each: impl FnMut(usize, T)) -> Option<Key> {
        let (first, key, thing) = self.pop()?;
        each(first, thing);
        for (place, inlet) in self.inlets.iter_mut().enumerate().skip(first + 1) {
            if let Some((_, thing)) = inlet.queue.pop_front_if(|(other, _)| *other == key) {
                self.waiting -= 1;
                each(place, thing);
            }
        }
        Some(key)
    }

    /// Everything below this key has arrived and left; [`ENDED`] when nothing is there or will come.
    pub(super) fn mark(&self) -> &Key {
        self.first().1
    }

    /// The highest last mark of the places, when all have ended.
    pub(super) fn end(&self) -> &Key {
        let ends = self.inlets.iter().map(|inlet| &inlet.end);
        ends.max().unwrap_or(&ENDED)
    }

    /// Whether `capacity` things from a place with keys below `key` wait.
    pub(super) fn is_full(&self, place: usize, key: &Key, capacity: usize) -> bool {
        // Keys rise along the queue.
        let last = self.inlets[place].queue.get(capacity - 1);
        last.is_some_and(|(last, _)| last < key)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// How many things wait at the fullest place.
    #[cfg(test)]
    pub(super) fn longest_queue(&self) -> usize {
        let queues = self.inlets.iter().map(|inlet| inlet.queue.len());
        queues.max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(merge: &mut Merge<char>, place: usize, item: u64, thing: char) {
        merge.push(place, Key::of_item(item), thing);
        merge.update();
    }

    fn advance(merge: &mut Merge<char>, place: usize, item: u64) {
        merge.advance(place, &Key::of_item(item));
        merge.update();
    }

    fn pop(merge: &mut Merge<char>) -> Option<char> {
        let popped = merge.pop().map(|(_, _, thing)| thing);
        merge.update();
        popped
    }

    #[test]
    fn a_thing_waits_until_none_can_come_before_it() {
        let mut merge = Merge::new(2, false);
        push(&mut merge, 1, 0, 'a');
        assert_eq!(merge.next(), None, "place 0 may still send for item 0");
        assert_eq!(merge.awaits(), Some(0));
        advance(&mut merge, 0, 1);
        assert_eq!(merge.next(), Some(&(Key::of_item(0), 'a')));
        push(&mut merge, 0, 1, 'b');
        assert_eq!(pop(&mut merge), Some('a'));
        assert_eq!(pop(&mut merge), None, "place 1 may still send for item 0");
        assert_eq!(merge.awaits(), Some(1));
        advance(&mut merge, 1, 1);
        assert_eq!(*merge.mark(), Key::of_item(1));
        assert_eq!(pop(&mut merge), Some('b'), "place 0 goes first for item 1");
    }

    #[test]
    fn places_end() {
        let mut merge = Merge::new(2, false);
        push(&mut merge, 1, 7, 'a');
        merge.finish(0, &Key::of_item(4));
        merge.update();
        merge.finish(1, &Key::of_item(8));
        assert_eq!(
            (merge.mark(), merge.end()),
            (&Key::of_item(7), &Key::of_item(8))
        );
        assert_eq!(pop(&mut merge), Some('a'));
        assert_eq!(
            (merge.next(), merge.awaits(), merge.mark()),
            (None, None, &ENDED)
        );
    }

    #[test]
    fn a_joint_waits_for_all_places() {
        let mut merge = Merge::new(3, true);
        push(&mut merge, 0, 0, 'a');
        advance(&mut merge, 0, 1);
        advance(&mut merge, 1, 1);
        assert_eq!((merge.next(), merge.awaits()), (None, Some(2)));
        push(&mut merge, 2, 0, 'c');
        let mut seen = Vec::new();
        let key = merge.pop_together(|place, thing| seen.push((place, thing)));
        assert_eq!(key, Some(Key::of_item(0)));
        assert_eq!(seen, [(0, 'a'), (2, 'c')]);
        assert!(merge.is_empty());
    }

    #[test]
    fn only_what_comes_before_fills_a_place() {
        let mut merge = Merge::new(1, false);
        for item in 0..3 {
            push(&mut merge, 0, item, 'a');
        }
        assert!(merge.is_full(0, &Key::of_item(2), 2));
        assert!(!merge.is_full(0, &Key::of_item(1), 2));
        assert!(!merge.is_full(0, &Key::of_item(9), 4));
    }
}
