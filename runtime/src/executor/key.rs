//! Where in the stream a packet belongs.

/// How many steps a key holds without an allocation.
const INLINE: usize = 3;

/// An item's number, and the way from the item to what came of it.
///
/// The way has a number for each level of the graph: that a node at level `L` gave something as its `k`-th output, from 0,
/// is the number `k` at level `L`. Keys compare by item, then by these numbers, level by level. Most of them are 0, as a
/// node gives mostly one output for an input, so that only the others are kept, with their levels.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    item: u64,
    steps: [Step; INLINE],
    /// Empty unless `steps` are all in use.
    more: Vec<Step>,
}

/// The key of what will never come, above all others.
pub(super) static ENDED: Key = Key {
    item: u64::MAX,
    steps: [Step(0); INLINE],
    more: Vec::new(),
};

/// A level and a number at it that is not 0, or nothing at all.
///
/// They are one number that compares as the way does. A way in which this comes earlier has 0 where the other has not, so
/// that the lower level counts for more, and the end of a way, all zeros, for the least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Step(u64);

impl Step {
    /// Bits of the number; the others are the level's. One item may become a million things a second for twelve days.
    const BITS: u32 = 40;
    const NONE: Self = Self(0);

    fn first(level: usize) -> Self {
        debug_assert!(level < Key::LEVELS, "a level out of bounds");
        Self(((Key::LEVELS - 1 - level) as u64) << Self::BITS | 1)
    }

    fn is_at(self, level: usize) -> bool {
        self.0 >> Self::BITS == Self::first(level).0 >> Self::BITS && self != Self::NONE
    }

    /// Counts on; the highest number stays, and what has it keeps the order in which it came.
    fn count(&mut self) {
        let highest = (1 << Self::BITS) - 1;
        if self.0 & highest != highest {
            self.0 += 1;
        }
    }
}

impl Key {
    /// How many levels a graph may have.
    pub(super) const LEVELS: usize = 1 << (u64::BITS - Step::BITS);

    /// The key of an item itself, and of the first thing that comes of it everywhere.
    pub(super) fn of_item(item: u64) -> Self {
        Self {
            item,
            ..Self::default()
        }
    }

    /// The number of the item.
    pub(super) fn item(&self) -> u64 {
        self.item
    }

    /// From the key of an output that a node at this level gives to that of the output after it.
    pub(super) fn advance(&mut self, level: usize) {
        let used = self.steps.iter().take_while(|step| **step != Step::NONE);
        let used = used.count();
        let last = match self.more.last_mut() {
            Some(last) => Some(last),
            None => used.checked_sub(1).map(|last| &mut self.steps[last]),
        };
        match last {
            Some(last) if last.is_at(level) => last.count(),
            Some(_) | None if used < INLINE => self.steps[used] = Step::first(level),
            Some(_) | None => self.more.push(Step::first(level)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Dice;

    /// The key of a way written out.
    fn key(item: u64, way: &[u32]) -> Key {
        let mut key = Key::of_item(item);
        for (level, number) in way.iter().enumerate() {
            for _ in 0..*number {
                key.advance(level);
            }
        }
        key
    }

    #[test]
    fn keys_compare_as_the_ways_written_out() {
        let mut dice = Dice::seeded(1);
        let mut random = || {
            let item = dice.roll(2) as u64;
            let mut way: Vec<u32> = (0..dice.roll(7))
                .map(|_| u32::try_from(dice.roll(5)).unwrap().saturating_sub(2))
                .collect();
            while way.last() == Some(&0) {
                way.pop();
            }
            (item, way)
        };
        for _ in 0..20_000 {
            let (left, right) = (random(), random());
            let keys = (key(left.0, &left.1), key(right.0, &right.1));
            assert_eq!(
                keys.0.cmp(&keys.1),
                left.cmp(&right),
                "{left:?} and {right:?}"
            );
            assert!(keys.0 < ENDED);
        }
    }

    #[test]
    fn numbers_and_levels_have_room() {
        let mut last = Key::of_item(0);
        last.advance(Key::LEVELS - 1);
        assert!(Key::of_item(0) < last && last < key(0, &[0, 1]));
        last.steps[0] = Step((1 << Step::BITS) - 1);
        let highest = last.clone();
        last.advance(Key::LEVELS - 1);
        assert_eq!(last, highest);
    }
}
