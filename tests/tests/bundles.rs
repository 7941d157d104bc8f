//! Folders of bundles: their index, the engine beside them, and what `inspect` says.

use std::path::{Path, PathBuf};

use end_to_end::{Finished, build, example, rm_pack, tree};
use rm_runtime::bundle::{Bundle, Index, Parts, Target};
use rm_runtime::digest::Digest;
use rm_runtime::manifest::Manifest;
use serde_json::Value;

fn rm_pack_in(folder: &Path, arguments: &[&str]) -> Finished {
    Finished::of(rm_pack().current_dir(folder).args(arguments))
}

/// A pipeline without Python, which takes no time to pack.
fn write_adder(folder: &Path, name: &str, addend: i64) -> PathBuf {
    let manifest = format!(
        "version: v1\nmetadata: {{name: {name}}}\nnodes:\n  - {{id: add, node_type: AddNode, params: {{addend: {addend}}}}}\n"
    );
    let file = format!("{name}.yaml");
    tree::write(
        folder,
        [
            (file.as_str(), manifest.as_bytes()),
            ("items.jsonl", b"1\n"),
        ],
    );
    folder.join(file)
}

#[test]
fn the_index_tells_the_truth_and_the_engine_is_there_once() {
    let out = tempfile::tempdir().unwrap();
    let first = build(&example("mixed"), out.path());
    let alone = tree::read(out.path());
    build(&example("audio-meter"), out.path());
    build(&example("calculator"), out.path());
    assert_eq!(build(&example("mixed"), out.path()), first);

    let index = Index::read(out.path()).unwrap();
    let names: Vec<_> = index
        .bundles
        .iter()
        .map(|bundle| bundle.name.as_str())
        .collect();
    assert_eq!(names, ["audio-meter", "calculator", "mixed"]);
    let files = tree::read(out.path());
    for entry in &index.bundles {
        let bytes = &files[&entry.file];
        assert_eq!(
            (Digest::of(bytes), bytes.len() as u64),
            (entry.sha256, entry.size)
        );
        let bundle = Bundle::open(&out.path().join(&entry.file)).unwrap();
        assert_eq!(bundle.content(), entry.content);
        assert_eq!(bundle.file_name(), entry.file);
        assert_eq!(
            bundle
                .description()
                .engine
                .as_ref()
                .map(|engine| engine.digest),
            entry.engine
        );
    }
    let [engine] = index.engines.as_slice() else {
        panic!("one engine: {:?}", index.engines)
    };
    let bytes = &files[&engine.file];
    assert_eq!(
        (Digest::of(bytes), bytes.len() as u64),
        (engine.sha256, engine.size)
    );
    assert_eq!(files.len(), index.bundles.len() + 2, "{:?}", files.keys());
    for (name, bytes) in alone.iter().filter(|(name, _)| *name != "index.json") {
        assert_eq!(&files[name], bytes, "{name}");
    }
}

#[test]
fn a_second_build_takes_the_place_of_the_first() {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("out");
    let first = build(&write_adder(scratch.path(), "adder", 1), &out);
    let second = build(&write_adder(scratch.path(), "adder", 2), &out);
    assert_ne!(first, second);
    let index = Index::read(&out).unwrap();
    let files: Vec<_> = index
        .bundles
        .iter()
        .map(|bundle| bundle.file.as_str())
        .collect();
    assert_eq!(files, [second.file_name().unwrap().to_str().unwrap()]);
    let run = rm_pack_in(scratch.path(), &["run", "out", "--input", "items.jsonl"]);
    assert_eq!(run.success(), "3\n");
}

#[test]
fn of_several_bundles_one_must_be_named() {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("out");
    build(&write_adder(scratch.path(), "first", 1), &out);
    build(&write_adder(scratch.path(), "second", 2), &out);
    let message = rm_pack_in(scratch.path(), &["run", "out", "--input", "items.jsonl"]).failure(3);
    assert!(
        message.contains("several bundles (first, second)"),
        "{message}"
    );

    let open = |name| Bundle::open_from_folder(&out, Target::Wasmtime, name);
    assert_eq!(open(Some("second")).unwrap().description().name, "second");
    let message = open(Some("secnod")).unwrap_err().to_string();
    assert!(message.contains("no bundle `secnod`"), "{message}");
    assert!(message.contains("`second`"), "{message}");
}

#[test]
fn several_builds_into_one_folder_at_once() {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("out");
    let names = ["a", "b", "c", "d", "e", "f"];
    std::thread::scope(|scope| {
        for name in names {
            let manifest = write_adder(scratch.path(), name, 1);
            let out = &out;
            scope.spawn(move || build(&manifest, out));
        }
    });
    let index = Index::read(&out).unwrap();
    let found: Vec<_> = index
        .bundles
        .iter()
        .map(|bundle| bundle.name.as_str())
        .collect();
    assert_eq!(found, names);
    assert_eq!(tree::read(&out).len(), names.len() + 1);
}

#[test]
fn another_name_is_fine_unless_it_promises_other_contents() {
    let scratch = tempfile::tempdir().unwrap();
    let bundle = build(
        &write_adder(scratch.path(), "adder", 1),
        &scratch.path().join("out"),
    );
    let run_as = |name: &str| {
        std::fs::copy(&bundle, scratch.path().join(name)).unwrap();
        rm_pack_in(scratch.path(), &["run", name, "--input", "items.jsonl"])
    };
    for name in ["adder.rmpkg", "my adder-v2.rmpkg", "x-0123.rmpkg"] {
        assert_eq!(run_as(name).success(), "2\n", "{name}");
    }
    let message = run_as("adder-wasmtime-0123456789abcdef.rmpkg").failure(3);
    assert!(
        message.contains("its name promises the content 0123456789abcdef"),
        "{message}"
    );
}

/// Compiles the engine for a cache of its own: slow.
#[test]
fn a_self_contained_bundle_needs_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let manifest = example("mixed");
    let out = scratch.path().join("out");
    let mut command = rm_pack();
    command
        .arg("build")
        .arg(&manifest)
        .arg("--self-contained")
        .arg("--out")
        .arg(&out);
    let bundle = PathBuf::from(Finished::of(&mut command).success().trim_end());
    let files: Vec<_> = tree::read(&out).into_keys().collect();
    assert_eq!(
        files,
        ["index.json", bundle.file_name().unwrap().to_str().unwrap()]
    );

    std::fs::rename(&bundle, scratch.path().join("alone.rmpkg")).unwrap();
    let mut command = rm_pack();
    command
        .current_dir(&scratch)
        .args(["run", "alone.rmpkg", "--input"])
        .arg(manifest.with_file_name("input.jsonl"))
        .env("RM_CACHE_DIR", scratch.path().join("cache"));
    let expected = std::fs::read_to_string(manifest.with_file_name("expected.jsonl")).unwrap();
    assert_eq!(Finished::of(&mut command).success(), expected);
}

#[test]
fn inspect_shows_nodes_and_why_each_module_is_in() {
    let out = tempfile::tempdir().unwrap();
    let bundle = build(&example("mixed"), out.path());
    let bundle = bundle.to_str().unwrap();
    let json = rm_pack_in(out.path(), &["inspect", bundle, "--json"]).success();
    let json: Value = serde_json::from_str(&json).unwrap();
    let description = &json["description"];
    assert_eq!(json["size"], std::fs::metadata(bundle).unwrap().len());
    assert_eq!(description["format"], 1);
    assert_eq!(description["target"], "wasmtime");
    assert_eq!(description["manifest"]["nodes"][0]["params"]["factor"], 2);
    let class = &description["nodes"]["DeadbandNode"];
    assert_eq!(
        (&class["class"], &class["is_async"]),
        (&"DeadbandNode".into(), &false.into())
    );
    let entries = description["entries"].as_object().unwrap();
    assert!(
        entries
            .values()
            .all(|entry| entry["sha256"].as_str().unwrap().len() == 64)
    );
    let modules = json["modules"].as_array().unwrap();
    assert!(
        modules
            .iter()
            .all(|module| !module["reason"].as_str().unwrap().is_empty())
    );
    let own: Vec<_> = modules
        .iter()
        .filter(|module| module["origin"] == "node")
        .collect();
    assert!(
        own.iter()
            .any(|module| module["name"] == class["module"] && module["loaded"] == true)
    );

    // Nothing of the machine that packed it.
    let text = json.to_string();
    for place in [end_to_end::repository(), out.path()] {
        assert!(
            !text.contains(place.to_str().unwrap()),
            "{}",
            place.display()
        );
    }

    let shown = rm_pack_in(out.path(), &["inspect", bundle]).success();
    for part in [
        json["content"].as_str().unwrap(),
        "Python, nodes.deadband:DeadbandNode",
        "MultiplyNode",
        "Python 3.14",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    for module in modules {
        assert!(
            shown.contains(module["reason"].as_str().unwrap()),
            "{module}"
        );
    }
}

#[test]
fn a_bundle_is_known_by_what_it_is_and_not_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = write_adder(folder.path(), "add", 2);
    let bundle = build(&manifest, &folder.path().join("dist"));
    std::fs::copy(bundle, folder.path().join("renamed")).unwrap();
    let run = rm_pack_in(folder.path(), &["run", "renamed", "--input", "items.jsonl"]);
    assert_eq!(run.success(), "3\n");
    let refused = rm_pack_in(folder.path(), &["build", "renamed"]).failure(3);
    assert!(refused.contains("is a bundle"), "{refused}");
}

#[test]
fn what_others_wrote_does_not_command_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = write_adder(folder.path(), "add", 2);
    let text = std::fs::read_to_string(&manifest).unwrap();
    let parts = Parts {
        name: "add".to_owned(),
        manifest: Manifest::parse(&text, &manifest).unwrap().manifest,
        packer: "\u{1b}[31mred".to_owned(),
        python: None,
    };
    let path = Bundle::assemble(parts)
        .unwrap()
        .write(folder.path())
        .unwrap();
    let path = path.to_str().unwrap();
    let shown = rm_pack_in(folder.path(), &["inspect", path]).success();
    assert!(shown.contains("packer   \\u{1b}[31mred\n"), "{shown}");
    let json = rm_pack_in(folder.path(), &["inspect", path, "--json"]).success();
    assert!(json.contains("\"\\u001b[31mred\""), "{json}");

    let source = "
class Case:
    def process(self, data):
        print('\\x1b[2Jgone')
        raise ValueError('\\x1b[31m' + 'x' * data + 'end')
";
    let manifest = "version: v1\nmetadata: {name: case}\nnodes: [{id: case, node_type: Case}]\n";
    tree::write(
        folder.path(),
        [
            ("pipeline.yaml", manifest.as_bytes()),
            ("nodes.py", source.as_bytes()),
            ("long.jsonl", b"10000000\n"),
        ],
    );
    let run = rm_pack_in(
        folder.path(),
        &["run", "pipeline.yaml", "--input", "long.jsonl"],
    );
    let said = run.failure(5);
    assert!(said.contains("[case] \\u{1b}[2Jgone\n"), "{said:.200}");
    assert!(said.contains("ValueError: \\u{1b}[31mxxx"), "{said:.200}");
    assert!(said.ends_with("xxxend\n"), "{said:.200}");
    assert!(said.len() < 30_000, "{} bytes", said.len());
}
