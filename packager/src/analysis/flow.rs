//! How a piece of code can end, as a set.

use std::ops::{BitOr, BitOrAssign};

/// The ways in which a piece of code can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flow(u8);

impl Flow {
    /// No way at all: the unit of `|`.
    pub(super) const NEVER: Self = Self(0);
    /// It goes on behind it.
    pub(super) const NEXT: Self = Self(1);
    /// It raises `ModuleNotFoundError`.
    pub(super) const NOT_FOUND: Self = Self(2);
    /// It raises an `ImportError` of another kind.
    pub(super) const IMPORT_ERROR: Self = Self(4);
    /// It raises an exception of another kind.
    pub(super) const OTHER: Self = Self(8);
    /// It leaves the loop or the function.
    pub(super) const LEAVE: Self = Self(16);
    /// It may lack a name that is imported from a module which is there. Alone this does not make a module doubtful:
    /// names that are bound under a condition are common, and nearly always there.
    pub(super) const WEAK: Self = Self(32);

    /// Every exception.
    pub(super) const RAISES: Self =
        Self(Self::NOT_FOUND.0 | Self::IMPORT_ERROR.0 | Self::OTHER.0 | Self::WEAK.0);

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether importing a module that ends like this raises an `ImportError` whatever happens.
    pub(super) const fn fails(self) -> bool {
        !self.has(Self::NEXT) && !self.has(Self::OTHER) && self.has(Self::RAISES)
    }
}

impl BitOr for Flow {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flow {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}
