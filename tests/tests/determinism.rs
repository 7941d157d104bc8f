//! The same input gives the same bytes: in any folder, at any thread count, with any environment, whatever is cached.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use end_to_end::tree::{self, Tree, differences};
use end_to_end::{Finished, example, rm_pack};
use rm_pack::pack::{Request, pack};
use rm_runtime::cache::Cache;
use rm_runtime::digest::Digest;

/// What `rm-pack build` writes for a copy of an example in `folder`, at one thread count, with other variables set.
fn build_in(folder: &Path, threads: &str, variables: &[(&str, &str)]) -> Tree {
    let example = example("text-processor");
    tree::copy(example.parent().unwrap(), folder);
    let out = tempfile::tempdir().unwrap();
    let mut command = rm_pack();
    command
        .current_dir(folder)
        .args(["build", "pipeline.yaml", "--out"])
        .arg(out.path())
        .env("RAYON_NUM_THREADS", threads)
        .envs(variables.iter().copied());
    Finished::of(&mut command).success();
    tree::read(out.path())
}

/// A cache with the engine of the user's own, and nothing else.
fn cache_with_engine_only(folder: &Path) {
    for kind in ["engines", "compiled"] {
        let from = Cache::user().root().join(kind);
        let to = folder.join(kind);
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let link = to.join(entry.file_name());
            if std::fs::hard_link(entry.path(), &link).is_err() {
                std::fs::copy(entry.path(), &link).unwrap();
            }
        }
    }
}

#[test]
fn folder_threads_environment_and_caches_do_not_matter() {
    let scratch = tempfile::tempdir().unwrap();
    let here = scratch.path().join("a");
    let there = scratch.path().join("quite/another place/näme");
    let first = build_in(&here, "1", &[]);
    let cache = scratch.path().join("cache");
    cache_with_engine_only(&cache);
    let home = scratch.path().join("home");
    let variables = [
        ("RM_CACHE_DIR", cache.to_str().unwrap()),
        ("HOME", home.to_str().unwrap()),
        ("LANG", "tr_TR.UTF-8"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("TZ", "Asia/Kathmandu"),
        ("PYTHONPATH", "/nowhere"),
        ("PYTHONHASHSEED", "7"),
        ("PYTHONOPTIMIZE", "2"),
        ("SOURCE_DATE_EPOCH", "1"),
        ("RUST_LOG", "debug"),
        ("TERM", "dumb"),
    ];
    let second = build_in(&there, "4", &variables);
    assert_eq!(differences(&first, &second), [] as [&str; 0]);
    let names: Vec<_> = first
        .keys()
        .map(|name| name.split('-').next().unwrap())
        .collect();
    assert_eq!(names, ["engine", "index.json", "text"]);
    // The second cache is warm now; of its entries, some are whole and some damaged.
    for entry in std::fs::read_dir(cache.join("code")).unwrap().step_by(2) {
        let path = entry.unwrap().path();
        let mut code = std::fs::read(&path).unwrap();
        let middle = code.len() / 2;
        code[middle] ^= 1;
        std::fs::write(&path, code).unwrap();
    }
    let third = build_in(&there, "3", &variables);
    assert_eq!(differences(&first, &third), [] as [&str; 0]);
}

const MANIFEST: &str = "version: v1\nmetadata: {name: case}\nnodes: [{id: n, node_type: Case}]\n";

fn node(constant: i32, comment: &str) -> String {
    format!(
        "import json\n\n\nclass Case:\n    def process(self, data):\n        return json.dumps([data, {constant}])\n{comment}"
    )
}

fn write_files(folder: &Path, files: &[(&str, &str)]) {
    tree::write(
        folder,
        files.iter().map(|(name, text)| (*name, text.as_bytes())),
    );
}

/// The content hash of a folder's `pipeline.yaml`, after writing files there.
fn content_of(folder: &Path, files: &[(&str, &str)]) -> Digest {
    write_files(folder, files);
    let request = Request::new(folder.join("pipeline.yaml"));
    let packed = pack(&request, &Cache::user(), &|_| {}).unwrap();
    packed.bundle.content()
}

#[test]
fn times_of_files_and_other_files_do_not_matter() {
    let scratch = tempfile::tempdir().unwrap();
    let node = node(1, "");
    let files = [("pipeline.yaml", MANIFEST), ("nodes.py", node.as_str())];
    let before = content_of(scratch.path(), &files);
    let unused = [
        ("unused.py", "import numpy\n"),
        ("notes.txt", "text"),
        ("__pycache__/nodes.cpython-314.pyc", "stale"),
        ("empty.json", "{}"),
    ];
    let files: Vec<_> = files.into_iter().chain(unused).collect();
    write_files(scratch.path(), &files);
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for (name, _) in &files {
        let file = File::options()
            .write(true)
            .open(scratch.path().join(name))
            .unwrap();
        file.set_modified(long_ago).unwrap();
    }
    assert_eq!(content_of(scratch.path(), &[]), before);
}

#[test]
fn what_a_node_does_matters() {
    let content = |constant, comment| {
        let scratch = tempfile::tempdir().unwrap();
        let node = node(constant, comment);
        let files = [("pipeline.yaml", MANIFEST), ("nodes.py", node.as_str())];
        content_of(scratch.path(), &files)
    };
    let first = content(1, "");
    assert_eq!(content(1, ""), first);
    assert_ne!(content(2, ""), first);
    // A comment behind the code leaves no trace in a code object.
    assert_eq!(content(1, "# as before\n"), first);
}
