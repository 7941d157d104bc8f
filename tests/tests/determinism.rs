//! The same input gives the same bytes: in any folder, at any thread count, with any environment, whatever is cached.

mod packed;

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use end_to_end::tree::{self, Tree, differences};
use end_to_end::{Finished, example, rm_pack};
use packed::pack_files;
use rm_runtime::cache::Cache;

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
    // The second cache is warm now.
    let third = build_in(&there, "3", &variables);
    assert_eq!(differences(&first, &third), [] as [&str; 0]);
}

#[test]
fn times_of_files_and_other_files_do_not_matter() {
    let scratch = tempfile::tempdir().unwrap();
    let files = pipeline("1", "");
    let before = pack_files(scratch.path(), &files).bundle.content();
    for (name, _) in &files {
        let file = File::options()
            .write(true)
            .open(scratch.path().join(name))
            .unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000))
            .unwrap();
    }
    tree::write(
        scratch.path(),
        [
            ("unused.py", &b"import numpy\n"[..]),
            ("notes.txt", b"text"),
            ("__pycache__/nodes.cpython-314.pyc", b"stale"),
            ("empty.json", b"{}"),
        ],
    );
    assert_eq!(pack_files(scratch.path(), &files).bundle.content(), before);
}

#[test]
fn what_a_node_does_matters() {
    let content = |constant, comment| {
        let scratch = tempfile::tempdir().unwrap();
        pack_files(scratch.path(), &pipeline(constant, comment))
            .bundle
            .content()
    };
    let first = content("1", "");
    assert_eq!(content("1", ""), first);
    assert_ne!(content("2", ""), first);
    // A comment behind the code is not in a code object; one that moves lines is, through the tracebacks.
    assert_eq!(content("1", "# as before\n"), first);
}

fn pipeline(constant: &'static str, comment: &str) -> [(&'static str, &'static str); 2] {
    let node = format!(
        "import json\n\n\nclass Case:\n    def process(self, data):\n        return json.dumps([data, {constant}])\n{comment}"
    );
    let manifest = "version: v1\nmetadata: {name: case}\nnodes: [{id: n, node_type: Case}]\n";
    // A few texts of a test may stay for as long as the process runs.
    [("pipeline.yaml", manifest), ("nodes.py", node.leak())]
}
