//! First step of building an engine: link CPython, the C library and our shim into one component.

use anyhow::Context as _;
use wit_component::{Linker, StringEncoding};
use wit_parser::Resolve;

use super::libraries;

/// CPython's own stack inside the guest's memory. It sits below everything else, so that running over its end traps
/// instead of writing into data.
const STACK_BYTES: u32 = 1 << 20;

/// The component of an engine that has not been booted.
pub(super) fn link() -> anyhow::Result<Vec<u8>> {
    let mut linker = Linker::default()
        .validate(true)
        .use_built_in_libdl(true)
        .stack_size(STACK_BYTES)
        .library("libengine.so", &shim_with_interface()?, false)?;
    for (name, compressed) in libraries::LIBRARIES {
        linker = linker.library(name, &libraries::decompress(compressed), false)?;
    }
    linker.encode().context("linking the engine")
}

/// The shim exports plain functions; this adds what types they have in the component model.
fn shim_with_interface() -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("engine.wit", libraries::WIT)?;
    let world = resolve.select_world(&[package], Some("engine"))?;
    let mut shim = libraries::SHIM.to_vec();
    wit_component::embed_component_metadata(&mut shim, &resolve, world, StringEncoding::UTF8)?;
    Ok(shim)
}
