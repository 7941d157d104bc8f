//! CPython as a component, compiled for this machine.
//!
//! Compiled code is kept in the cache, and wasmtime takes it from there as it is: a byte that has changed would be run, or
//! end the process. So its checksum stands behind it in the file, and is compared before anything is loaded. A file that does
//! not have it counts as not there, and is written anew. It is a CRC-32: whoever can write to the user's cache needs no
//! damaged file to run code, and start-up waits for it, 8 ms for the 31 MB of an engine, where SHA-256 takes 45.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use super::clock::{Clock, Ticking};
use super::sandbox::{self, DEFAULT_STACK_LIMIT, Guest};
use crate::cache::{Cache, CacheError};
use crate::digest::Digest;
use crate::file::remove_partial_files;

/// The folder of compiled engines in the cache.
const COMPILED: &str = "compiled";

/// What an engine says of itself; the packer's analysis goes by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineDescription {
    /// The number of the boundary's format; see [`PROTOCOL`](super::operation::PROTOCOL).
    pub protocol: i64,
    /// The version of Python, such as `3.14.0`.
    pub python: String,
    /// The same as numbers: major, minor, micro.
    pub version_info: (u32, u32, u32),
    /// `sys.implementation.name`
    pub implementation: String,
    /// The four bytes that a `.pyc` of this interpreter starts with, in hexadecimal.
    pub bytecode_magic: String,
    /// `sys.platform`
    pub platform: String,
    /// `os.name`
    pub os_name: String,
    /// `sys.stdlib_module_names`: what Python has on some platform, this one or another.
    pub stdlib_names: BTreeSet<String>,
    /// Modules written in C and compiled in.
    pub builtin_modules: BTreeSet<String>,
    /// What each of them defines.
    #[serde(default)]
    pub builtin_names: BTreeMap<String, BTreeSet<String>>,
    /// Identifiers that its C code carries: what it may look up in objects by name.
    #[serde(default)]
    pub native_names: BTreeSet<String>,
    /// Modules written in Python whose code is inside the interpreter.
    pub frozen_modules: BTreeSet<String>,
    /// Modules that are imported before the first line of an application runs.
    pub boot_modules: BTreeSet<String>,
}

/// A compiled engine, ready to make instances. Cheap to clone; all clones share the compiled code.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    digest: Digest,
    instance_pre: InstancePre<Guest>,
    exports: Exports,
    clock: Clock,
}

/// Where the engine's functions are among the component's exports; see `engine.wit`.
#[derive(Clone, Copy)]
pub(super) struct Exports {
    pub(super) boot: ComponentExportIndex,
    pub(super) call: ComponentExportIndex,
    pub(super) scrub: ComponentExportIndex,
    pub(super) memory_layout: ComponentExportIndex,
    pub(super) memory_read: ComponentExportIndex,
    pub(super) layer_begin: ComponentExportIndex,
    pub(super) layer_write: ComponentExportIndex,
    pub(super) layer_end: ComponentExportIndex,
}

/// Why an engine could not be made ready.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The component's bytes are not those that its name promises.
    #[error("the engine is damaged: its digest is {actual}, and {expected} was expected")]
    WrongDigest {
        /// What was asked for.
        expected: Digest,
        /// What the bytes have.
        actual: Digest,
    },
    /// wasmtime refused it.
    #[error("the engine {digest} cannot be compiled")]
    Compile {
        /// Which engine.
        digest: Digest,
        /// What wasmtime said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It is a component, and not one of ours.
    #[error("the engine {digest} does not export `{export}`")]
    MissingExport {
        /// Which engine.
        digest: Digest,
        /// The function looked for.
        export: &'static str,
    },
    /// The cache folder cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl Engine {
    /// The engine of this digest, if it was compiled on this machine before; its component is not needed then.
    ///
    /// # Errors
    ///
    /// wasmtime cannot be set up on this machine.
    pub fn from_cache(digest: Digest, cache: &Cache) -> Result<Option<Self>, EngineError> {
        Self::from_cache_with_stack(digest, cache, DEFAULT_STACK_LIMIT)
    }

    /// The same for interpreters that may use so many bytes of native stack.
    ///
    /// # Errors
    ///
    /// wasmtime cannot be set up like that.
    pub fn from_cache_with_stack(
        digest: Digest,
        cache: &Cache,
        stack_limit: usize,
    ) -> Result<Option<Self>, EngineError> {
        let wasmtime = new_wasmtime(digest, stack_limit)?;
        let path = compiled_path(&wasmtime, digest, cache);
        Ok(
            load_compiled(&wasmtime, &path)
                .and_then(|component| Self::new(digest, &component).ok()),
        )
    }

    /// Compile a component (some seconds of all cores) and keep the code in the cache. Where the cache cannot be written it is
    /// compiled for this process only, with a warning.
    ///
    /// # Errors
    ///
    /// `component` is not the engine of that digest, or cannot be compiled.
    pub fn compile(digest: Digest, component: &[u8], cache: &Cache) -> Result<Self, EngineError> {
        let actual = Digest::of(component);
        if actual != digest {
            return Err(EngineError::WrongDigest {
                expected: digest,
                actual,
            });
        }
        match Self::compile_into(cache, digest, component) {
            Err(EngineError::Cache(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the engine is compiled for this process only"
                );
                Self::compile_uncached(component)
            }
            result => result,
        }
    }

    fn compile_into(cache: &Cache, digest: Digest, component: &[u8]) -> Result<Self, EngineError> {
        // Whoever waited for another process that compiled the same finds it done.
        let _lock = cache.lock(&format!("compile-{}", digest.short()))?;
        if let Some(engine) = Self::from_cache(digest, cache)? {
            return Ok(engine);
        }
        let failed = |source: wasmtime::Error| EngineError::Compile {
            digest,
            source: source.into(),
        };
        let wasmtime = new_wasmtime(digest, DEFAULT_STACK_LIMIT)?;
        let mut code = wasmtime.precompile_component(component).map_err(failed)?;
        code.extend(crc32fast::hash(&code).to_le_bytes());
        let path = compiled_path(&wasmtime, digest, cache);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Under the lock nobody else writes it: what lies there is of processes that were killed, each file as large as an
        // engine.
        remove_partial_files(&path);
        cache.write(COMPILED, &name, &code)?;
        let compiled = load_compiled(&wasmtime, &path).ok_or_else(|| {
            failed(wasmtime::Error::msg(
                "what was just compiled cannot be loaded",
            ))
        })?;
        Self::new(digest, &compiled)
    }

    /// Compile a component for this process only. The packer uses it for the engines that it is still building.
    ///
    /// # Errors
    ///
    /// `component` cannot be compiled or is not an engine.
    pub fn compile_uncached(component: &[u8]) -> Result<Self, EngineError> {
        let digest = Digest::of(component);
        let wasmtime = new_wasmtime(digest, DEFAULT_STACK_LIMIT)?;
        let compiled =
            Component::new(&wasmtime, component).map_err(|source| EngineError::Compile {
                digest,
                source: source.into(),
            })?;
        Self::new(digest, &compiled)
    }

    fn new(digest: Digest, component: &Component) -> Result<Self, EngineError> {
        let failed = |source: wasmtime::Error| EngineError::Compile {
            digest,
            source: source.into(),
        };
        let export = |name: &'static str| {
            component
                .get_export_index(None, name)
                .ok_or(EngineError::MissingExport {
                    digest,
                    export: name,
                })
        };
        let exports = Exports {
            boot: export("boot")?,
            call: export("call")?,
            scrub: export("scrub")?,
            memory_layout: export("memory-layout")?,
            memory_read: export("memory-read")?,
            layer_begin: export("layer-begin")?,
            layer_write: export("layer-write")?,
            layer_end: export("layer-end")?,
        };
        let linker = sandbox::linker(component.engine()).map_err(failed)?;
        let instance_pre = linker.instantiate_pre(component).map_err(failed)?;
        let clock = Clock::new(component.engine()).map_err(|error| failed(error.into()))?;
        Ok(Self {
            inner: Arc::new(Inner {
                digest,
                instance_pre,
                exports,
                clock,
            }),
        })
    }

    /// The SHA-256 of the component it was compiled from.
    pub fn digest(&self) -> Digest {
        self.inner.digest
    }

    pub(super) fn instance_pre(&self) -> &InstancePre<Guest> {
        &self.inner.instance_pre
    }

    /// Let guests of this engine be interrupted while the returned value is there.
    pub(super) fn tick(&self) -> Ticking {
        self.inner.clock.tick()
    }

    pub(super) fn exports(&self) -> Exports {
        self.inner.exports
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("digest", &self.inner.digest)
            .finish_non_exhaustive()
    }
}

fn new_wasmtime(digest: Digest, stack_limit: usize) -> Result<wasmtime::Engine, EngineError> {
    wasmtime::Engine::new(&sandbox::config(stack_limit)).map_err(|source| EngineError::Compile {
        digest,
        source: source.into(),
    })
}

/// Compiled code is named by the engine's digest and by everything of wasmtime and this machine that it depends on.
fn compiled_path(wasmtime: &wasmtime::Engine, digest: Digest, cache: &Cache) -> PathBuf {
    let mut hasher = std::hash::DefaultHasher::new();
    wasmtime.precompile_compatibility_hash().hash(&mut hasher);
    cache.path(
        COMPILED,
        &format!("{}-{:016x}.cwasm", digest.short(), hasher.finish()),
    )
}

#[expect(
    unsafe_code,
    reason = "the only way to load code compiled earlier; the safety argument is below"
)]
fn load_compiled(wasmtime: &wasmtime::Engine, path: &Path) -> Option<Component> {
    if !is_whole(path).unwrap_or(false) {
        return None;
    }
    // SAFETY: the file must be what this wasmtime wrote. It lies in the user's own cache folder, under a name that only
    // `compile` writes, by renaming a complete file, and its checksum says that it is as it was written; native code from a
    // bundle is never loaded. wasmtime checks version and settings itself, and a file that it refuses is compiled anew.
    unsafe { Component::deserialize_file(wasmtime, path) }.ok()
}

/// Whether a file of compiled code is as it was written: behind the code, its CRC-32 in four bytes, lowest first. What reads
/// the code does not look behind its end.
fn is_whole(path: &Path) -> io::Result<bool> {
    let mut file = std::fs::File::open(path)?;
    let Some(length) = file.metadata()?.len().checked_sub(4) else {
        return Ok(false);
    };
    let mut hasher = crc32fast::Hasher::new();
    // As much as stays in a processor's own cache.
    let mut buffer = vec![0; 256 << 10];
    let mut code = (&mut file).take(length);
    loop {
        match code.read(&mut buffer)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    let mut written = [0; 4];
    file.read_exact(&mut written)?;
    Ok(hasher.finalize().to_le_bytes() == written)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component that has an engine's exports, each of them the same function without arguments that does nothing.
    fn component() -> Vec<u8> {
        const MODULE: &[u8] = b"\0asm\x01\0\0\0\
            \x01\x04\x01\x60\0\0\
            \x03\x02\x01\0\
            \x07\x05\x01\x01f\0\0\
            \x0a\x04\x01\x02\0\x0b";
        const EXPORTS: [&str; 8] = [
            "boot",
            "call",
            "scrub",
            "memory-layout",
            "memory-read",
            "layer-begin",
            "layer-write",
            "layer-end",
        ];
        let mut exports = vec![u8::try_from(EXPORTS.len()).unwrap()];
        for name in EXPORTS {
            exports.extend([0, u8::try_from(name.len()).unwrap()]);
            exports.extend(name.as_bytes());
            exports.extend([1, 0, 0]);
        }
        let sections: [(u8, &[u8]); 6] = [
            (1, MODULE),
            // An instance of it.
            (2, &[1, 0, 0, 0]),
            // The type of functions without arguments and results.
            (7, &[1, 0x40, 0, 1, 0]),
            // The instance's function, and the component's made of that.
            (6, &[1, 0, 0, 1, 0, 1, b'f']),
            (8, &[1, 0, 0, 0, 0, 0]),
            (11, &exports),
        ];
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        for (id, contents) in sections {
            let length = u8::try_from(contents.len()).unwrap();
            assert!(length < 0x80, "such a length has a second byte");
            component.extend([id, length]);
            component.extend(contents);
        }
        component
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_done_without() {
        let folder = tempfile::tempdir().unwrap();
        let component = component();
        let digest = Digest::of(&component);
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        // Neither the lock's folder can be made there nor, in the other, that of the code.
        let halfway = folder.path().join("halfway");
        std::fs::create_dir(&halfway).unwrap();
        std::fs::write(halfway.join(COMPILED), "").unwrap();
        for root in [file, halfway] {
            let cache = Cache::at(root);
            let engine = Engine::compile(digest, &component, &cache).unwrap();
            assert_eq!(engine.digest(), digest);
            assert!(Engine::from_cache(digest, &cache).unwrap().is_none());
        }
    }

    #[test]
    fn what_is_damaged_in_the_cache_is_compiled_anew() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let component = component();
        let digest = Digest::of(&component);
        let is_cached = || Engine::from_cache(digest, &cache).unwrap().is_some();
        assert!(!is_cached());
        Engine::compile(digest, &component, &cache).unwrap();
        assert!(is_cached());
        let files = || {
            let files = std::fs::read_dir(folder.path().join(COMPILED)).unwrap();
            files.map(|file| file.unwrap().path()).collect::<Vec<_>>()
        };
        let path = files().pop().unwrap();
        let whole = std::fs::read(&path).unwrap();
        let flipped = |place: usize| {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            bytes
        };
        let middle = whole.len() / 2;
        let last = whole.len() - 1;
        for damaged in [
            flipped(0),
            flipped(middle),
            flipped(last),
            whole[..middle].to_vec(),
            whole[..last - 3].to_vec(),
            whole[..2].to_vec(),
            Vec::new(),
        ] {
            std::fs::write(&path, damaged).unwrap();
            let left_behind = path.with_extension("cwasm.1.0.partial");
            std::fs::write(&left_behind, "of a process that was killed").unwrap();
            assert!(!is_cached());
            Engine::compile(digest, &component, &cache).unwrap();
            assert!(is_cached());
            assert_eq!(files(), std::slice::from_ref(&path));
        }
    }
}
