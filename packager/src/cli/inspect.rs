//! `rm-pack inspect`

use std::fmt::Write as _;
use std::path::Path;

use rm_runtime::bundle::{Bundle, Description, PackedModule};
use rm_runtime::digest::Digest;
use serde::Serialize;

use super::failure::Failure;
use super::output::{print_json, show};
use crate::report::size;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Inspection<'a> {
    content: Digest,
    size: u64,
    description: &'a Description,
    modules: &'a [PackedModule],
}

pub(super) fn inspect(file: &Path, json: bool) -> Result<(), Failure> {
    let bundle = Bundle::open(file)?;
    let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    if json {
        let inspection = Inspection {
            content: bundle.content(),
            size: bytes,
            description: bundle.description(),
            modules: bundle.modules(),
        };
        return print_json(&inspection);
    }
    let mut out = String::new();
    let description = bundle.description();
    let _ = writeln!(
        out,
        "{} for {}, {} as a file",
        description.name,
        description.target,
        size(bytes)
    );
    let _ = writeln!(out, "  content  {}", bundle.content());
    let _ = writeln!(out, "  packer   {}", description.packer);
    if let Some(engine) = &description.engine {
        let place = if bundle.engine().is_some() {
            "inside"
        } else {
            "beside the bundle"
        };
        let _ = writeln!(
            out,
            "  engine   Python {}, {}, {place}",
            engine.python, engine.digest
        );
    }
    let _ = writeln!(out, "\nnodes");
    for spec in &description.manifest.nodes {
        let runs = match description.nodes.get(&spec.node_type) {
            Some(class) => format!("Python, {}:{}", class.module, class.class),
            None => "Rust".to_owned(),
        };
        let _ = writeln!(out, "  {:<20} {:<24} {runs}", spec.id, spec.node_type);
    }
    if let Some(layer) = bundle.layer() {
        let (changed, runs) = layer.extent();
        let _ = writeln!(
            out,
            "\nlayer: {} of memory in {runs} runs, {} pages in all",
            size(changed as u64),
            layer.pages()
        );
    }
    if !bundle.files().is_empty() {
        let _ = writeln!(out, "\nfiles");
        for (name, bytes) in bundle.files() {
            let _ = writeln!(out, "  {name:<52} {:>9}", size(bytes.len() as u64));
        }
    }
    if !description.packages.is_empty() {
        let _ = writeln!(out, "\npackages of Pyodide, beside the bundle");
        for (name, package) in &description.packages {
            let _ = writeln!(out, "  {name:<24} {:<12} {}", package.version, package.file);
            let _ = writeln!(out, "  {:<24} sha256       {}", "", package.sha256);
        }
    }
    if !bundle.modules().is_empty() {
        let _ = writeln!(out, "\nmodules");
        for module in bundle.modules() {
            let state = if module.loaded { "loaded" } else { "carried" };
            let _ = writeln!(
                out,
                "  {:<34} {:<8} {state:<8} {:>9}  {}",
                module.name,
                module.origin,
                size(module.size),
                module.reason
            );
        }
    }
    show(&out)
}
