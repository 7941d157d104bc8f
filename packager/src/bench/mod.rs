//! Comparisons with other tools, as tables of rows.

pub mod minify;
pub mod shake;
