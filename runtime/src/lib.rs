//! Load a `RemoteMedia` bundle and run its pipeline.
pub mod digest;
pub mod json;
pub mod layer;
pub mod marshal;
pub mod suggest;
pub mod value;
mod wtf8;
#[cfg(feature = "wasmtime")]
pub mod cache;
#[cfg(feature = "wasmtime")]
pub mod file;
#[cfg(feature = "wasmtime")]
pub mod python;
#[cfg(test)]
mod testing;
