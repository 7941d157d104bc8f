//! Finding the engine that a bundle needs.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::error::LoadError;
use crate::bundle::{Bundle, BundleError, EngineReference, LARGEST_ENGINE, engine_file_name};
use crate::cache::Cache;
use crate::digest::Digest;
use crate::python::{Engine, EngineError};

/// The engine, compiled: from the cache, or from inside or beside the bundle.
pub(super) fn find_engine(
    bundle: &Bundle,
    reference: &EngineReference,
    cache: &Cache,
) -> Result<Engine, LoadError> {
    if let Some(engine) = Engine::from_cache(reference.digest, cache)? {
        return Ok(engine);
    }
    if let Some(component) = bundle.engine() {
        let path = bundle.shown_path();
        return compile_engine(reference, component, path, cache);
    }
    let Some(path) = engine_beside(bundle, reference) else {
        return Err(no_engine(bundle, reference).into());
    };
    match read_engine(&path) {
        Ok(component) => compile_engine(reference, &component, path, cache),
        Err(source) => Err(LoadError::ReadEngine { path, source }),
    }
}

/// The file beside a bundle that holds its engine, if there is one.
fn engine_beside(bundle: &Bundle, reference: &EngineReference) -> Option<PathBuf> {
    let path = bundle.folder()?.join(engine_file_name(reference.digest));
    path.exists().then_some(path)
}

/// Check that the engine beside a bundle is the bundle's, should there be one: wherever the engine is on the machine already,
/// nobody reads that file.
///
/// # Errors
///
/// The file cannot be read, or is not what its name says.
pub fn check_engine_beside(bundle: &Bundle) -> Result<(), LoadError> {
    let Some(reference) = &bundle.description().engine else {
        return Ok(());
    };
    let Some(path) = engine_beside(bundle, reference) else {
        return Ok(());
    };
    let component = match read_engine(&path) {
        Ok(component) => component,
        Err(source) => return Err(LoadError::ReadEngine { path, source }),
    };
    let (expected, actual) = (reference.digest, Digest::of(&component));
    if actual == expected {
        return Ok(());
    }
    let source = EngineError::WrongDigest { expected, actual };
    Err(LoadError::DamagedEngine { path, source })
}

fn read_engine(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut component = Vec::new();
    let file = std::fs::File::open(path)?;
    // So that a damaged one does not fill the memory.
    zstd::Decoder::new(file)?
        .take(LARGEST_ENGINE)
        .read_to_end(&mut component)?;
    Ok(component)
}

fn compile_engine(
    reference: &EngineReference,
    component: &[u8],
    path: PathBuf,
    cache: &Cache,
) -> Result<Engine, LoadError> {
    match Engine::compile(reference.digest, component, cache) {
        Err(source @ EngineError::WrongDigest { .. }) => {
            Err(LoadError::DamagedEngine { path, source })
        }
        result => Ok(result?),
    }
}

pub(super) fn no_engine(bundle: &Bundle, reference: &EngineReference) -> BundleError {
    BundleError::NoEngine {
        path: bundle.shown_path(),
        digest: reference.digest,
        python: reference.python.clone(),
        file: engine_file_name(reference.digest),
    }
}
