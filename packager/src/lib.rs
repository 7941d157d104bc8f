//! Pack a media pipeline whose nodes are written in Rust and Python into one content-hashed bundle.
//!
//! [`pack::pack`] is the whole way from a manifest to a [`Bundle`](rm_runtime::bundle::Bundle), as a list of stages; each
//! stage is a module of this crate.
#![deny(missing_docs)]

pub mod analysis;
pub mod bench;
pub mod cli;
pub mod compile;
pub mod engine;
pub mod freeze;
pub mod minify;
mod nesting;
pub mod pack;
mod pyodide;
pub mod report;
pub mod source;
pub mod web;
