//! Source to code objects, by the engine itself, each module once per machine.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rm_runtime::cache::Cache;
use rm_runtime::digest::Digest;
use rm_runtime::python::instance::Options;
use rm_runtime::python::operation::Operation;
use rm_runtime::python::{Engine, Instance, InstanceError, block_on};
use rm_runtime::value::Value;

/// The folder of code objects in the cache.
const CODE: &str = "code";

/// A digest in front of each cached code object tells a damaged file.
const DIGEST_BYTES: usize = 64;

/// A module to compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// The file name that tracebacks show.
    pub filename: String,
    /// The text.
    pub text: &'a str,
    /// Without asserts, and with `__debug__` false.
    pub optimize: bool,
}

/// A module that the engine does not compile.
#[derive(Debug, thiserror::Error)]
#[error("cannot compile `{filename}`")]
pub struct CompileError {
    /// The module's dotted name.
    pub module: String,
    /// The file name as given.
    pub filename: String,
    /// What Python said: a `SyntaxError` that only the compiler finds, such as `return` outside a function.
    pub source: InstanceError,
}

/// Compile modules, in parallel and out of the cache where possible. Returns marshalled code objects by module name.
///
/// # Errors
///
/// The first module, by name, that does not compile.
pub fn compile_all(
    engine: &Engine,
    cache: &Cache,
    sources: &BTreeMap<&str, Source<'_>>,
) -> Result<BTreeMap<String, Vec<u8>>, CompileError> {
    let mut codes = BTreeMap::new();
    let mut missing = Vec::new();
    for (name, source) in sources {
        let key = cache_key(engine, source);
        match read_cached(cache, &key) {
            Some(code) => drop(codes.insert((*name).to_owned(), code)),
            None => missing.push((*name, source, key)),
        }
    }
    // Whole modules take from a tenth to a hundred milliseconds; a few pieces per thread even that out, and an instance
    // for each piece costs little.
    let piece = missing
        .len()
        .div_ceil(4 * rayon::current_num_threads())
        .max(1);
    let compiled: Vec<_> = missing
        .par_chunks(piece)
        .map(|piece| block_on(compile_piece(engine, cache, piece)))
        .collect();
    // Pieces are in the order of names, so the first error is the same on every run.
    for piece in compiled {
        codes.extend(piece?);
    }
    Ok(codes)
}

async fn compile_piece(
    engine: &Engine,
    cache: &Cache,
    piece: &[(&str, &Source<'_>, String)],
) -> Result<Vec<(String, Vec<u8>)>, CompileError> {
    let mut compiled = Vec::new();
    let failed = |name: &str, source: &Source<'_>, error| CompileError {
        module: name.to_owned(),
        filename: source.filename.clone(),
        source: error,
    };
    let Some((first_name, first, _)) = piece.first() else {
        return Ok(compiled);
    };
    let mut instance = Instance::new(engine, &Options::for_packing())
        .await
        .map_err(|error| failed(first_name, first, error))?;
    for (name, source, key) in piece {
        let arguments = vec![
            source.filename.as_str().into(),
            source.text.into(),
            Value::Int(source.optimize.into()),
        ];
        match instance.call(Operation::Compile, arguments).await {
            Ok(Value::Bytes(code)) => {
                write_cached(cache, key, &code);
                compiled.push(((*name).to_owned(), code));
            }
            Ok(other) => {
                let answer = InstanceError::Protocol(format!("code came as {}", other.type_name()));
                return Err(failed(name, source, answer));
            }
            Err(error) => return Err(failed(name, source, error)),
        }
    }
    Ok(compiled)
}

fn cache_key(engine: &Engine, source: &Source<'_>) -> String {
    let inputs = format!(
        "{}\0{}\0{}\0{}",
        engine.digest(),
        source.filename,
        u8::from(source.optimize),
        source.text
    );
    Digest::of(inputs.as_bytes()).to_string()
}

fn read_cached(cache: &Cache, key: &str) -> Option<Vec<u8>> {
    // What cannot be read is compiled again.
    let mut stored = cache.read(CODE, key).ok()??;
    if stored.len() < DIGEST_BYTES {
        return None;
    }
    let code = stored.split_off(DIGEST_BYTES);
    (stored == Digest::of(&code).to_string().as_bytes()).then_some(code)
}

fn write_cached(cache: &Cache, key: &str, code: &[u8]) {
    let mut stored = Digest::of(code).to_string().into_bytes();
    stored.extend(code);
    // A cache that cannot be written costs time at the next run, nothing else.
    if let Err(error) = cache.write(CODE, key, &stored) {
        tracing::debug!("a code object was not cached: {error}");
    }
}
