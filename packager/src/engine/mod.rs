//! The engine: CPython as one component, built once per machine from what this binary carries, and cached.
//!
//! [`link`] joins CPython's libraries and our shim; [`boot`] starts the interpreter; [`snapshot`] freezes it. The result
//! is the same bytes on every machine, so its digest is its name.

mod boot;
mod libraries;
mod link;
mod snapshot;

use std::path::PathBuf;

use anyhow::Context as _;
use rm_runtime::cache::Cache;
use rm_runtime::digest::Digest;
use rm_runtime::python::Engine;
use rm_runtime::python::engine::EngineDescription;
use serde::{Deserialize, Serialize};

pub use libraries::{Stdlib, stdlib};

/// Names what this binary would build: a digest over libraries, shim, guest and the code in this folder.
const RECIPE: &str = env!("ENGINE_RECIPE");

/// The folder of engines in the cache.
const ENGINES: &str = "engines";

/// How hard the engine is compressed for travelling: the highest level that takes seconds, not minutes.
const COMPRESSION: i32 = 19;

/// An engine on this machine: compiled, and described.
#[derive(Clone, Debug)]
pub struct BuiltEngine {
    /// Ready to make instances.
    pub engine: Engine,
    /// What it says of itself.
    pub description: EngineDescription,
    /// Sizes and origin.
    pub facts: EngineFacts,
    component_path: PathBuf,
}

/// What was found out when the engine was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineFacts {
    /// The SHA-256 of the component.
    pub digest: Digest,
    /// The component's size in bytes.
    pub size: u64,
    /// The size in bytes of the component as it travels with bundles, compressed with zstd.
    pub compressed_size: u64,
    /// How many modules its standard library has.
    pub stdlib_modules: usize,
    /// The size in bytes of the standard library's source text.
    pub stdlib_size: u64,
}

#[derive(Serialize, Deserialize)]
struct Record {
    facts: EngineFacts,
    description: EngineDescription,
}

impl BuiltEngine {
    /// The engine of this binary: from the cache, or built now (half a minute on two cores), telling `progress` what it
    /// is at.
    ///
    /// # Errors
    ///
    /// The cache cannot be used, or a step of the build fails.
    pub fn ensure(cache: &Cache, progress: &dyn Fn(&str)) -> anyhow::Result<Self> {
        if let Some(built) = Self::cached(cache, progress)? {
            return Ok(built);
        }
        let _lock = cache.lock(&format!("engine-{RECIPE}"))?;
        if let Some(built) = Self::cached(cache, progress)? {
            return Ok(built);
        }
        build(cache, progress)?;
        Self::cached(cache, progress)?.context("the engine was built just now and is not in the cache")
    }

    fn cached(cache: &Cache, progress: &dyn Fn(&str)) -> anyhow::Result<Option<Self>> {
        // A record that cannot be read was written by another version, or is damaged: build again.
        let Some(record) = cache.read(ENGINES, &format!("{RECIPE}.json"))? else { return Ok(None) };
        let Ok(Record { facts, description }) = serde_json::from_slice(&record) else { return Ok(None) };
        let name = component_name(facts.digest);
        let engine = match Engine::from_cache(facts.digest, cache)? {
            Some(engine) => engine,
            None => {
                let Some(compressed) = cache.read(ENGINES, &name)? else { return Ok(None) };
                let Ok(component) = zstd::decode_all(compressed.as_slice()) else { return Ok(None) };
                if Digest::of(&component) != facts.digest {
                    return Ok(None);
                }
                progress("compiling the engine for this machine");
                Engine::compile(facts.digest, &component, cache)?
            }
        };
        Ok(Some(Self { engine, description, facts, component_path: cache.path(ENGINES, &name) }))
    }

    /// The component, compressed with zstd, as it travels beside bundles.
    ///
    /// # Errors
    ///
    /// The cache was emptied meanwhile.
    pub fn compressed_component(&self) -> anyhow::Result<Vec<u8>> {
        let path = &self.component_path;
        std::fs::read(path).with_context(|| {
            format!("cannot read the engine at `{}`; run `rm-pack engine --rebuild`", path.display())
        })
    }

    /// Where the component is in the cache.
    pub fn component_path(&self) -> &std::path::Path {
        &self.component_path
    }
}

fn component_name(digest: Digest) -> String {
    format!("engine-{digest}.wasm.zst")
}

fn build(cache: &Cache, progress: &dyn Fn(&str)) -> anyhow::Result<()> {
    let (component, description) = build_component(progress)?;
    let stdlib = stdlib();
    progress("compressing the engine");
    let compressed = zstd::encode_all(component.as_slice(), COMPRESSION).context("compressing the engine")?;
    let facts = EngineFacts {
        digest: Digest::of(&component),
        size: component.len() as u64,
        compressed_size: compressed.len() as u64,
        stdlib_modules: stdlib.len(),
        stdlib_size: stdlib.values().map(|text| text.len() as u64).sum(),
    };
    progress("compiling the engine for this machine");
    Engine::compile(facts.digest, &component, cache)?;
    cache.write(ENGINES, &component_name(facts.digest), &compressed)?;
    let record = serde_json::to_vec_pretty(&Record { facts, description })?;
    cache.write(ENGINES, &format!("{RECIPE}.json"), &record)?;
    Ok(())
}

/// Build the engine's component, from nothing but what this binary carries.
///
/// # Errors
///
/// A step of the build fails.
pub fn build_component(progress: &dyn Fn(&str)) -> anyhow::Result<(Vec<u8>, EngineDescription)> {
    progress("linking CPython");
    let linked = link::link()?;
    let (context, instrumented) = snapshot::instrument(&linked)?;
    progress("compiling CPython for its first boot");
    let unbooted = Engine::compile_uncached(&instrumented)?;
    progress("booting and freezing CPython");
    rm_runtime::python::block_on(async {
        let (mut instance, description) = boot::boot(&unbooted, &stdlib()).await?;
        Ok((snapshot::freeze(&context, &mut instance).await?, description))
    })
}
