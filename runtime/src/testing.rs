//! What tests of several modules share.

/// Random numbers that need no crate: xorshift, the same for the same seed everywhere.
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice for one case of a test.
    pub(crate) fn seeded(seed: u32) -> Self {
        let mut dice = Dice(u64::from(seed) << 17 | 1);
        for _ in 0..10 {
            dice.bits();
        }
        dice
    }

    /// Sixty-four random bits, not all zero.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number from 0 to `sides - 1`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        let sides = u64::try_from(sides).expect("a `usize` fits 64 bits");
        usize::try_from(self.bits() % sides).expect("less than `sides`, which was a `usize`")
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.roll(times) == 0
    }
}
