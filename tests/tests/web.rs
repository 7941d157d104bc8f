//! The engine for browsers beside a bundle: what is written, and that it is the same every time. That it runs is tested in
//! Chromium, by `browser-demo/tests/browser/parity.test.mjs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use end_to_end::{Finished, build, example, rm_pack};
use rm_runtime::digest::Digest;
use serde_json::Value;

/// Pack an example for the web: the bundle's path, and the files of its engine by name.
#[track_caller]
fn build_for_web(name: &str, out: &Path) -> (PathBuf, BTreeMap<String, Vec<u8>>) {
    let mut command = rm_pack();
    command.arg("build").arg(example(name));
    command.args(["--target", "web", "--out"]).arg(out);
    let bundle = PathBuf::from(Finished::of(&mut command).success().trim_end());
    let engines: Vec<_> = std::fs::read_dir(out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    let [engine] = engines.as_slice() else {
        panic!("{engines:?}");
    };
    let files = std::fs::read_dir(engine)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        });
    (bundle, files.collect())
}

#[test]
fn each_file_has_its_brotli_form_beside_it_where_that_is_asked_for() {
    let out = tempfile::tempdir().unwrap();
    let manifest = example("mixed");
    let mut command = rm_pack();
    command
        .arg("build")
        .arg(&manifest)
        .args(["--target", "web"]);
    command.arg("--brotli").arg("--out").arg(out.path());
    Finished::of(&mut command).success();
    let engine = std::fs::read_dir(out.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir())
        .unwrap();
    let files = end_to_end::tree::read(&engine);
    let (compressed, plain): (Vec<_>, Vec<_>) = files
        .iter()
        .partition(|(name, _)| Path::new(name).extension() == Some("br".as_ref()));
    assert_eq!(compressed.len(), plain.len());
    let mut sizes = (0, 0);
    for (name, bytes) in plain {
        let there = &files[&format!("{name}.br")];
        let mut decompressed = Vec::new();
        brotli::BrotliDecompress(&mut there.as_slice(), &mut decompressed).unwrap();
        assert!(decompressed == *bytes, "{name}");
        sizes = (sizes.0 + there.len(), sizes.1 + bytes.len());
    }
    // 2.5 of 9.6 MB.
    assert!(sizes.0 < 2_700_000 && sizes.0 * 3 < sizes.1, "{sizes:?}");

    let mut elsewhere = rm_pack();
    elsewhere.arg("build").arg(&manifest).arg("--brotli");
    let told = Finished::of(&mut elsewhere).failure(2);
    assert!(
        told.contains("--brotli is for the files of --target web"),
        "{told}"
    );
}

#[test]
fn the_bundle_is_the_native_one_and_its_engine_lies_beside_it() {
    let (web, native) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (bundle, files) = build_for_web("mixed", web.path());
    let expected = build(&example("mixed"), native.path());
    assert_eq!(bundle.file_name(), expected.file_name());
    assert_eq!(
        std::fs::read(&bundle).unwrap(),
        std::fs::read(&expected).unwrap()
    );
    let plan: Value = serde_json::from_slice(&files["engine.json"]).unwrap();
    let inspected = Finished::of(rm_pack().arg("inspect").arg(&bundle).arg("--json")).success();
    let inspected: Value = serde_json::from_str(&inspected).unwrap();
    let engine = &inspected["description"]["engine"]["digest"];
    assert_eq!(&plan["engine"], engine);
    let folder = format!("engine-{}-web", engine.as_str().unwrap());
    assert!(web.path().join(folder).is_dir());
    let index: Value =
        serde_json::from_slice(&std::fs::read(web.path().join("index.json")).unwrap()).unwrap();
    assert_eq!(&index["web_engines"][0]["digest"], engine);
    let mut indexed: Vec<_> = index["web_engines"][0]["files"].as_array().unwrap().clone();
    let mut beside = 1;
    for module in plan["modules"].as_array().unwrap() {
        let Some(file) = module["file"].as_str() else {
            assert!(module["base64"].is_string(), "{module}");
            continue;
        };
        beside += 1;
        let bytes = &files[file];
        assert!(bytes.starts_with(b"\0asm"), "{file}");
        assert_eq!(module["size"], bytes.len());
        indexed.retain(|file| file != module);
        let digest = Digest::of(bytes);
        assert_eq!(module["sha256"], digest.to_string());
        assert_eq!(file, format!("{}.wasm", digest.short()));
    }
    assert_eq!(files.len(), beside);
    assert!(indexed.is_empty(), "{indexed:?}");
    // What only builds and reads engines is not there, and with it all that only this calls.
    let called: Vec<_> = plan["exports"].as_object().unwrap().keys().collect();
    assert_eq!(called, ["call", "layer-begin", "layer-end"]);
    let size: usize = files.values().map(Vec::len).sum();
    assert!(size < 10_000_000, "{size}");
}

#[test]
fn an_engine_is_the_same_every_time_and_shared() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_, files) = build_for_web("mixed", first.path());
    let (_, again) = build_for_web("counter", second.path());
    assert_eq!(files, again);
    let (_, both) = build_for_web("counter", first.path());
    assert_eq!(files, both);
}

#[test]
fn without_python_nodes_there_is_no_engine() {
    let out = tempfile::tempdir().unwrap();
    let mut command = rm_pack();
    command.arg("build").arg(example("calculator"));
    command.args(["--target", "web", "--out"]).arg(out.path());
    Finished::of(&mut command).success();
    let names: Vec<_> = std::fs::read_dir(out.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}
