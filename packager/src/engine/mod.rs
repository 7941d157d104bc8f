//! The engine: CPython as one component, built once per machine from what this binary carries, and cached.
//!
//! `link` joins CPython's libraries and our shim; `boot` starts the interpreter; `snapshot` freezes it. The result
//! is the same bytes on every machine, so its digest is its name.

mod boot;
mod libraries;
mod link;
mod snapshot;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rm_runtime::bundle::{Index, IndexedEngine, engine_file_name};
use rm_runtime::cache::Cache;
use rm_runtime::digest::Digest;
use rm_runtime::file::write_atomically;
use rm_runtime::python::Engine;
use rm_runtime::python::engine::EngineDescription;
use serde::{Deserialize, Serialize};

pub use boot::CORE_ENCODINGS;
pub use libraries::{Stdlib, guest, guest_files, stdlib};

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
        Self::cached(cache, progress)?
            .context("the engine was built just now and is not in the cache")
    }

    fn cached(cache: &Cache, progress: &dyn Fn(&str)) -> anyhow::Result<Option<Self>> {
        // A record that cannot be read was written by another version, or is damaged: build again.
        let Some(record) = cache.read(ENGINES, &format!("{RECIPE}.json"))? else {
            return Ok(None);
        };
        let Ok(Record { facts, description }) = serde_json::from_slice(&record) else {
            return Ok(None);
        };
        let name = component_name(facts.digest);
        let engine = if let Some(engine) = Engine::from_cache(facts.digest, cache)? {
            engine
        } else {
            let Some(component) = cache.read(ENGINES, &name)? else {
                return Ok(None);
            };
            if Digest::of(&component) != facts.digest {
                return Ok(None);
            }
            progress("compiling the engine for this machine");
            Engine::compile(facts.digest, &component, cache)?
        };
        Ok(Some(Self {
            engine,
            description,
            facts,
            component_path: cache.path(ENGINES, &name),
        }))
    }

    /// The engine's component. Where the cache has it damaged, or not any more, it is built anew, half a minute long.
    ///
    /// # Errors
    ///
    /// A step of the build fails.
    pub fn component(&self) -> anyhow::Result<Vec<u8>> {
        self.component_or(|| Ok(build_component(&|_| {})?.0))
    }

    fn component_or(
        &self,
        build: impl FnOnce() -> anyhow::Result<Vec<u8>>,
    ) -> anyhow::Result<Vec<u8>> {
        let path = &self.component_path;
        let is_whole = |component: &[u8]| Digest::of(component) == self.facts.digest;
        if let Ok(component) = std::fs::read(path)
            && is_whole(&component)
        {
            return Ok(component);
        }
        tracing::warn!(
            "the engine at `{}` is damaged or gone, and is built anew",
            path.display()
        );
        let component = build()?;
        anyhow::ensure!(
            is_whole(&component),
            "the engine {} is not the one that this rm-pack builds; delete the cache's folder `{ENGINES}` and pack again",
            self.facts.digest
        );
        // Whoever cannot write it builds it again the next time.
        if let Err(error) = write_atomically(path, &component) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot write `{}`",
                path.display()
            );
        }
        Ok(component)
    }

    /// Put the engine into a folder of bundles, compressed, once, with its entry in the folder's index.
    ///
    /// # Errors
    ///
    /// The cache was emptied meanwhile, or the folder cannot be written.
    pub fn write_beside(&self, folder: &Path, cache: &Cache) -> anyhow::Result<PathBuf> {
        let file = engine_file_name(self.facts.digest);
        let path = folder.join(&file);
        // One that was damaged is written again.
        let is_there = Index::read(folder).is_ok_and(|index| {
            let entry = index.engines.iter().find(|engine| engine.file == file);
            entry.is_some_and(|entry| {
                std::fs::read(&path).is_ok_and(|bytes| Digest::of(&bytes) == entry.sha256)
            })
        });
        if !is_there {
            let compressed = self.compressed_component(cache)?;
            write_atomically(&path, &compressed)
                .with_context(|| format!("cannot write `{}`", path.display()))?;
            Index::update(folder, |index| {
                index.add_engine(IndexedEngine {
                    digest: self.facts.digest,
                    file,
                    sha256: Digest::of(&compressed),
                    size: compressed.len() as u64,
                });
            })?;
        }
        Ok(path)
    }

    /// The component as it travels, compressed once per machine.
    fn compressed_component(&self, cache: &Cache) -> anyhow::Result<Vec<u8>> {
        let name = engine_file_name(self.facts.digest);
        if let Some(compressed) = cache.read(ENGINES, &name)?
            && zstd::decode_all(compressed.as_slice())
                .is_ok_and(|component| Digest::of(&component) == self.facts.digest)
        {
            return Ok(compressed);
        }
        let compressed = zstd::encode_all(self.component()?.as_slice(), COMPRESSION)
            .context("compressing the engine")?;
        cache.write(ENGINES, &name, &compressed)?;
        Ok(compressed)
    }

    /// Where the component is in the cache.
    pub fn component_path(&self) -> &Path {
        &self.component_path
    }
}

fn component_name(digest: Digest) -> String {
    format!("engine-{digest}.wasm")
}

fn build(cache: &Cache, progress: &dyn Fn(&str)) -> anyhow::Result<()> {
    let (component, description) = build_component(progress)?;
    let stdlib = stdlib();
    let facts = EngineFacts {
        digest: Digest::of(&component),
        size: component.len() as u64,
        stdlib_modules: stdlib.len(),
        stdlib_size: stdlib.values().map(|text| text.len() as u64).sum(),
    };
    progress("compiling the engine for this machine");
    Engine::compile(facts.digest, &component, cache)?;
    cache.write(ENGINES, &component_name(facts.digest), &component)?;
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
        Ok((
            snapshot::freeze(&context, &mut instance).await?,
            description,
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_that_is_damaged_or_gone_is_built_anew() {
        let mut built = BuiltEngine::ensure(&Cache::user(), &|_| {}).unwrap();
        let component = built.component().unwrap();
        let folder = tempfile::tempdir().unwrap();
        built.component_path = folder.path().join("engine.wasm");
        let mut damaged = component.clone();
        damaged[1000] ^= 1;
        for there in [None, Some(&damaged)] {
            if let Some(bytes) = there {
                std::fs::write(&built.component_path, bytes).unwrap();
            }
            let other = built.component_or(|| Ok(damaged.clone())).unwrap_err();
            assert!(other.to_string().contains("not the one"), "{other}");
            let anew = built.component_or(|| Ok(component.clone())).unwrap();
            assert!(anew == component, "another engine");
            // It is there for the next one.
            let kept = built.component_or(|| anyhow::bail!("built once more"));
            assert!(kept.unwrap() == component, "another engine");
        }
    }
}
