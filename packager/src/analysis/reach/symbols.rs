//! Names as numbers, the same in all modules.

use super::super::interner::Interner;

/// A name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Symbol(u32);

/// The texts of [`Symbol`]s.
#[derive(Debug, Default)]
pub(super) struct Symbols(Interner);

impl Symbols {
    pub(super) fn number(&mut self, text: &str) -> Symbol {
        Symbol(self.0.number(text))
    }

    pub(super) fn text(&self, symbol: Symbol) -> &str {
        self.0.text(symbol.0)
    }
}
