//! `rm-pack inspect`

use std::path::Path;

use rm_runtime::bundle::{Bundle, Description, PackedModule};
use rm_runtime::digest::Digest;
use serde::Serialize;

use super::failure::{Failure, Stage};
use super::output::size;

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
        let text = serde_json::to_string_pretty(&inspection)
            .map_err(|error| Failure::new(Stage::Input, error))?;
        println!("{text}");
        return Ok(());
    }
    let description = bundle.description();
    println!(
        "{} for {}, {} as a file",
        description.name,
        description.target,
        size(bytes)
    );
    println!("  content  {}", bundle.content());
    println!("  packer   {}", description.packer);
    if let Some(engine) = &description.engine {
        let place = if bundle.engine().is_some() {
            "inside"
        } else {
            "beside the bundle"
        };
        println!(
            "  engine   Python {}, {}, {place}",
            engine.python, engine.digest
        );
    }
    println!("\nnodes");
    for spec in &description.manifest.nodes {
        let runs = match description.nodes.get(&spec.node_type) {
            Some(class) => format!("Python, {}:{}", class.module, class.class),
            None => "Rust".to_owned(),
        };
        println!("  {:<20} {:<24} {runs}", spec.id, spec.node_type);
    }
    if let Some(layer) = bundle.layer() {
        let (changed, runs) = layer.extent();
        println!(
            "\nlayer: {} of memory in {runs} runs, {} pages in all",
            size(changed as u64),
            layer.pages()
        );
        println!("\nmodules");
        for module in bundle.modules() {
            let state = if module.loaded { "loaded" } else { "carried" };
            println!(
                "  {:<34} {:<8} {state:<8} {:>9}  {}",
                module.name,
                module.origin,
                size(module.size),
                module.reason
            );
        }
    }
    Ok(())
}
