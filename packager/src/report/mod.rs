//! What explains a bundle: what is in it, why, what was removed, and what changed since another one.
//!
//! | part | what it is |
//! |---|---|
//! | [`metafile`] | the data that everything else here reads, as a file |
//! | [`why()`] | the way from a node to a module or a definition, or what would bring it back |
//! | [`diff`] | what changed between two bundles or two metafiles |
//! | [`html`] | one page to look at all of it |
//!
//! [`metafile_of`] fills a metafile from what packing left behind; nothing else here knows how a bundle is made.

mod describe;
pub mod difference;
pub mod metafile;
mod of_packed;
mod page;
pub mod why;

pub(crate) use describe::size;
pub use difference::{Difference, Side, diff};
pub use metafile::Metafile;
pub use of_packed::metafile_of;
pub use page::html;
pub use why::{Explanation, why};

#[cfg(test)]
mod example;
