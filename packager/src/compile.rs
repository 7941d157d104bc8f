//! Source to code objects, by the engine itself, each module once per machine.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rm_runtime::cache::Cache;
use rm_runtime::digest::Digest;
use rm_runtime::python::answer::AnswerError;
use rm_runtime::python::instance::Options;
use rm_runtime::python::operation::Operation;
use rm_runtime::python::{Engine, Instance, InstanceError, block_on};
use rm_runtime::value::Value;

use crate::analysis::Piece;

/// The folder of code objects in the cache.
const CODE: &str = "code";

/// A digest in front of each cached code object tells a damaged file.
const DIGEST_BYTES: usize = 64;

/// `CO_FUTURE_ANNOTATIONS` of CPython 3.14.
const FUTURE_ANNOTATIONS: i64 = 0x0100_0000;

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

/// What was left out of a module, to be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColdSource<'a> {
    /// The file name that tracebacks show.
    pub filename: String,
    /// The pieces, in the order of the text.
    pub pieces: &'a [Piece],
    /// Without asserts, and with `__debug__` false.
    pub optimize: bool,
    /// Annotations are text, as `from __future__ import annotations` says.
    pub text_annotations: bool,
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
    let jobs = sources.iter().map(|(name, source)| Job {
        name,
        filename: &source.filename,
        operation: Operation::Compile,
        arguments: vec![
            source.filename.as_str().into(),
            source.text.into(),
            Value::Int(source.optimize.into()),
        ],
        key: cache_key(engine, &source.filename, source.optimize, source.text),
    });
    run(engine, cache, jobs.collect())
}

/// Compile what was left out of modules. Returns what the engine's importer takes for it, by module name.
///
/// # Errors
///
/// The first module, by name, that does not compile.
pub fn compile_cold(
    engine: &Engine,
    cache: &Cache,
    sources: &BTreeMap<&str, ColdSource<'_>>,
) -> Result<BTreeMap<String, Vec<u8>>, CompileError> {
    let jobs = sources.iter().map(|(name, source)| {
        let pieces = source.pieces.iter().map(|piece| {
            Value::Tuple(vec![
                piece.names.join(" ").into(),
                piece.mentions.join(" ").into(),
                Value::Int(i64::try_from(piece.line).unwrap_or(1)),
                piece.text.as_str().into(),
            ])
        });
        let flags = if source.text_annotations {
            FUTURE_ANNOTATIONS
        } else {
            0
        };
        let inputs = format!("{flags}\0{:?}", source.pieces);
        Job {
            name,
            filename: &source.filename,
            operation: Operation::CompilePieces,
            arguments: vec![
                source.filename.as_str().into(),
                Value::List(pieces.collect()),
                Value::Int(source.optimize.into()),
                Value::Int(flags),
            ],
            key: cache_key(engine, &source.filename, source.optimize, &inputs),
        }
    });
    run(engine, cache, jobs.collect())
}

/// Something for the engine to compile.
struct Job<'a> {
    name: &'a str,
    filename: &'a str,
    operation: Operation,
    arguments: Vec<Value>,
    key: String,
}

fn run(
    engine: &Engine,
    cache: &Cache,
    jobs: Vec<Job<'_>>,
) -> Result<BTreeMap<String, Vec<u8>>, CompileError> {
    let mut codes = BTreeMap::new();
    let mut missing = Vec::new();
    for job in jobs {
        match read_cached(cache, &job.key) {
            Some(code) => drop(codes.insert(job.name.to_owned(), code)),
            None => missing.push(job),
        }
    }
    // Whole modules take from a tenth to a hundred milliseconds; a few batches per thread even that out, and an instance
    // for each batch costs little.
    let size = missing
        .len()
        .div_ceil(4 * rayon::current_num_threads())
        .max(1);
    let compiled: Vec<_> = missing
        .par_chunks(size)
        .map(|batch| block_on(compile_batch(engine, cache, batch)))
        .collect();
    // Batches are in the order of names, so the first error is the same on every run.
    for batch in compiled {
        codes.extend(batch?);
    }
    Ok(codes)
}

async fn compile_batch(
    engine: &Engine,
    cache: &Cache,
    batch: &[Job<'_>],
) -> Result<Vec<(String, Vec<u8>)>, CompileError> {
    let mut compiled = Vec::new();
    let failed = |job: &Job<'_>, error| CompileError {
        module: job.name.to_owned(),
        filename: job.filename.to_owned(),
        source: error,
    };
    let Some(first) = batch.first() else {
        return Ok(compiled);
    };
    let mut instance = Instance::new(engine, &Options::for_packing())
        .await
        .map_err(|error| failed(first, error))?;
    for job in batch {
        match instance.call(job.operation, job.arguments.clone()).await {
            Ok(Value::Bytes(code)) => {
                write_cached(cache, &job.key, &code);
                compiled.push((job.name.to_owned(), code));
            }
            Ok(other) => {
                let odd = format!("code came as {}", other.type_name());
                return Err(failed(job, AnswerError::Protocol(odd).into()));
            }
            Err(error) => return Err(failed(job, error)),
        }
    }
    Ok(compiled)
}

fn cache_key(engine: &Engine, filename: &str, optimize: bool, inputs: &str) -> String {
    let optimize = u8::from(optimize);
    let inputs = format!("{}\0{filename}\0{optimize}\0{inputs}", engine.digest());
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
