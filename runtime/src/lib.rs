//! Load a RemoteMedia bundle and run its pipeline: Rust nodes and sandboxed Python nodes, mixed in one graph.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use rm_runtime::bundle::Bundle;
//! use rm_runtime::pipeline::{Pipeline, Settings};
//! use rm_runtime::value::Value;
//!
//! let bundle = Bundle::open(Path::new("dist/calculator-wasmtime-0123456789abcdef.rmpkg"))?;
//! let pipeline = Pipeline::load(&bundle, Settings::default())?;
//! let outputs = pipeline.run([5, 7, 3].map(Value::from))?;
//! assert_eq!(outputs, [20, 24, 16].map(Value::from));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]

#[cfg(feature = "wasmtime")]
pub mod bundle;
#[cfg(feature = "wasmtime")]
pub mod cache;
pub mod digest;
pub mod executor;
#[cfg(feature = "wasmtime")]
pub mod file;
pub mod graph;
pub mod json;
pub mod layer;
pub mod manifest;
pub mod marshal;
pub mod nodes;
#[cfg(feature = "wasmtime")]
pub mod pipeline;
#[cfg(feature = "wasmtime")]
pub mod python;
pub mod suggest;
#[cfg(test)]
mod testing;
pub mod value;
mod wtf8;
