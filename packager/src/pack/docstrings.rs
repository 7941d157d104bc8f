//! Docstrings stay out of bundles where nobody reads them.

use std::collections::BTreeMap;

use crate::analysis::{Closure, ParsedModule};
use crate::minify::{DocReads, FOR_CODE, Task, doc_reads, minify_all};
use crate::source::{ModuleSource, Origin};

/// Modules of the library that read docstrings only to give them to something else, or to write one where there is none.
const COPIERS: [&str; 14] = [
    "_collections_abc",
    "_py_warnings",
    "abc",
    "annotationlib",
    "collections",
    "contextlib",
    "dataclasses",
    "enum",
    "functools",
    "operator",
    "reprlib",
    "types",
    "typing",
    "weakref",
];

/// The same for what is in every bundle for Pyodide: whoever calls `inspect.getdoc` is a reader by that name.
const MORE_COPIERS: [&str; 1] = ["inspect"];

/// The texts of the modules to compile: without docstrings, on the same lines, unless they are read.
pub(super) fn without_docstrings(closure: &Closure) -> BTreeMap<String, String> {
    let reads = reads_of(closure);
    if somebody_reads_any(closure, &reads, &COPIERS) {
        return BTreeMap::new();
    }
    stripped(closure, &reads)
}

/// The same where more than the application is in the program: `application` is without the rest, whose code may read
/// docstrings and is known not to need any.
pub(super) fn without_docstrings_like(
    application: &Closure,
    closure: &Closure,
) -> BTreeMap<String, String> {
    let copiers: Vec<&str> = COPIERS.into_iter().chain(MORE_COPIERS).collect();
    if somebody_reads_any(application, &reads_of(application), &copiers) {
        return BTreeMap::new();
    }
    stripped(closure, &reads_of(closure))
}

fn reads_of(closure: &Closure) -> BTreeMap<&str, DocReads> {
    let modules = closure.modules.iter();
    modules
        .map(|(name, module)| (name.as_str(), reads(&module.source, &module.shaken.text)))
        .collect()
}

fn somebody_reads_any(
    closure: &Closure,
    reads: &BTreeMap<&str, DocReads>,
    copiers: &[&str],
) -> bool {
    reads
        .iter()
        .any(|(name, reads)| reads.any && !(is_stdlib(closure, name) && copiers.contains(name)))
}

fn stripped(closure: &Closure, reads: &BTreeMap<&str, DocReads>) -> BTreeMap<String, String> {
    let (names, tasks): (Vec<&str>, Vec<Task<'_>>) = closure
        .modules
        .iter()
        .filter(|(name, module)| !reads[name.as_str()].own && !fills_in(&module.shaken.text))
        .map(|(name, module)| {
            let task = Task {
                text: &module.shaken.text,
                passes: FOR_CODE,
            };
            (name.as_str(), task)
        })
        .unzip();
    let minified = minify_all(&tasks);
    names
        .into_iter()
        .zip(minified)
        .map(|(name, minified)| {
            if let Some(problem) = minified.problem {
                tracing::warn!("{name}: {problem}");
            }
            (name.to_owned(), minified.text)
        })
        .collect()
}

fn is_stdlib(closure: &Closure, name: &str) -> bool {
    closure
        .modules
        .get(name)
        .is_some_and(|module| module.source.origin == Origin::Stdlib)
}

/// Whether decorators in `text` may write a docstring where there is none, which takes more than reading one.
fn fills_in(text: &str) -> bool {
    text.contains("dataclass")
}

fn reads(source: &ModuleSource, text: &str) -> DocReads {
    // Parsing again is only for those that can have something to find.
    if !["__doc__", "getdoc", "pydoc", "doctest"]
        .iter()
        .any(|word| text.contains(word))
    {
        return DocReads::default();
    }
    let shaken = ModuleSource {
        text: text.into(),
        ..source.clone()
    };
    match ParsedModule::parse(&shaken) {
        Ok(parsed) => doc_reads(&parsed.syntax),
        // The compiler will say what is wrong.
        Err(_) => DocReads {
            own: true,
            any: true,
        },
    }
}
