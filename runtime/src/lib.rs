//! Load a RemoteMedia bundle and run its pipeline: Rust nodes and sandboxed Python nodes, mixed in one graph.
//!
//! ```
//! use rm_runtime::bundle::{Bundle, Target};
//! use rm_runtime::json::to_json;
//! use rm_runtime::pipeline::{Pipeline, Settings};
//! use rm_runtime::value::Value;
//!
//! # use rm_runtime::{bundle::Parts, manifest::Manifest};
//! # let text = "{version: v1, metadata: {name: calculator}, nodes: [{id: double, node_type: MultiplyNode, params: {factor: 2}},
//! #   {id: shift, node_type: AddNode, params: {addend: 10}}], connections: [{from: double, to: shift}]}";
//! # let manifest = Manifest::parse(text, "calculator.yaml".as_ref())?.manifest;
//! # let parts = Parts { name: "calculator".into(), manifest, packer: "the example".into(), python: None };
//! # let folder = tempfile::tempdir()?;
//! # let dist = folder.path();
//! # Bundle::assemble(parts)?.write(dist)?;
//! // `dist` is the folder that `rm-pack build --out` wrote.
//! let bundle = Bundle::open_from_folder(dist, Target::Wasmtime, Some("calculator"))?;
//! let pipeline = Pipeline::load(&bundle, Settings::default())?;
//! let mut lines = Vec::new();
//! for output in pipeline.run([5, 7, 3].map(Value::from))? {
//!     lines.push(to_json(&output)?);
//! }
//! assert_eq!(lines, ["20", "24", "16"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to find | look in |
//! |---|---|
//! | opening, checking and writing bundles | [`bundle`] |
//! | loading and running | [`pipeline`] |
//! | which node works on what next, and in which order results leave | [`executor`] |
//! | Rust nodes, and how to add one | [`nodes`] |
//! | what a manifest may say | [`manifest`] |
//! | the values that travel, and their forms in JSON and for Python | [`value`], [`media`], [`packet`], [`json`], [`marshal`] |
//! | the sandbox that Python nodes run in | [`python`] |
//! | running in a web page | [`web`] |
//!
//! Without the feature `wasmtime` (on by default) the crate has no threads, files or clocks, and compiles to wasm32.
#![deny(missing_docs)]

#[cfg(feature = "wasmtime")]
pub mod bundle;
#[cfg(feature = "wasmtime")]
pub mod cache;
mod causes;
pub mod digest;
mod driver;
pub mod executor;
#[cfg(feature = "wasmtime")]
pub mod file;
pub mod graph;
pub mod json;
pub mod layer;
pub mod manifest;
pub mod marshal;
pub mod media;
pub mod nodes;
pub mod packet;
#[cfg(feature = "wasmtime")]
pub mod pipeline;
pub mod python;
mod shape;
mod sorted;
pub mod suggest;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;
mod unicode;
pub mod value;
pub mod web;
mod wtf8;

pub use causes::causes;

/// Compiles the snippets of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
