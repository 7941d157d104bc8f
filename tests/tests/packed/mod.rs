//! Pipelines packed in this process, without writing a bundle's file, and run.

use std::path::Path;

use end_to_end::tree;
use rm_pack::pack::{Packed, Request, pack};
use rm_runtime::cache::Cache;
use rm_runtime::nodes::Registry;
use rm_runtime::pipeline::{Pipeline, Settings};
use rm_runtime::value::Value;

/// Write files into a folder and pack the `pipeline.yaml` among them.
pub fn pack_files(folder: &Path, files: &[(&str, &str)]) -> Packed {
    tree::write(
        folder,
        files.iter().map(|(name, text)| (*name, text.as_bytes())),
    );
    let request = Request {
        manifest: folder.join("pipeline.yaml"),
        ..Request::default()
    };
    pack(&request, &Cache::user(), &|_| {}).unwrap_or_else(|error| panic!("{error:?}"))
}

/// A pipeline of the nodes and connections of a manifest, with Python nodes from one source.
pub fn pipeline_with(registry: Registry, manifest: &str, source: &str) -> Pipeline {
    let settings = Settings {
        registry,
        ..Settings::default()
    };
    pipeline_under(settings, manifest, source)
}

/// The same under settings of the test's own.
pub fn pipeline_under(settings: Settings, manifest: &str, source: &str) -> Pipeline {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!("version: v1\nmetadata: {{name: case}}\n{manifest}");
    let packed = pack_files(
        folder.path(),
        &[("pipeline.yaml", &manifest), ("nodes.py", source)],
    );
    let engine = packed.engine.map(|built| built.engine);
    Pipeline::with_engine(&packed.bundle, engine, settings).unwrap()
}

/// A pipeline of one Python node, the class `Case`.
pub fn python(source: &str) -> Pipeline {
    pipeline_with(
        Registry::builtin(),
        "nodes: [{id: case, node_type: Case}]",
        source,
    )
}

/// Run a pipeline that does not fail.
pub fn run(pipeline: &Pipeline, items: impl IntoIterator<Item = impl Into<Value>>) -> Vec<Value> {
    let outputs = pipeline.run(items.into_iter().map(Into::<Value>::into));
    outputs.unwrap_or_else(|error| panic!("{error:?}"))
}
