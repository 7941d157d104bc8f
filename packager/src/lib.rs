//! Pack.
pub mod engine;
