//! Bundles for Pyodide: what is written, that it is the same every time, and what the command line says about them. That they
//! run is tested in Chromium, by `browser-demo/tests/browser/pyodide.test.mjs`.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use end_to_end::{Finished, example, rm_pack};
use flate2::read::DeflateDecoder;
use rm_runtime::bundle::{Bundle, Index, Target};
use rm_runtime::digest::Digest;
use serde_json::Value;

/// Pack an example for Pyodide; the bundle's path.
#[track_caller]
fn build(name: &str, out: &Path) -> PathBuf {
    let mut command = build_command(&example(name), out);
    PathBuf::from(Finished::of(&mut command).success().trim_end())
}

fn build_command(manifest: &Path, out: &Path) -> Command {
    let mut command = rm_pack();
    command.arg("build").arg(manifest);
    command.args(["--target", "pyodide", "--out"]).arg(out);
    command
}

/// The files of a zip archive, as another implementation than ours reads it.
fn unzip(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut contents = Vec::new();
        DeflateDecoder::new(file)
            .read_to_end(&mut contents)
            .unwrap();
        files.insert(name, contents);
    }
    files
}

#[test]
fn a_bundle_has_wheels_a_lock_and_a_library_and_they_lie_beside_it() {
    let out = tempfile::tempdir().unwrap();
    let path = build("text-processor", out.path());
    let bundle = Bundle::open(&path).unwrap();
    assert_eq!(bundle.description().target, Target::Pyodide);
    assert_eq!(bundle.description().engine, None);
    let names: Vec<_> = bundle.files().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "pyodide-lock.json",
            "python_stdlib.zip",
            "remotemedia_pack_guest-0.1.0-cp314-none-any.whl",
            "text_processor-0.1.0-cp314-none-any.whl",
        ]
    );
    for (name, bytes) in bundle.files() {
        let beside = std::fs::read(path.with_extension("").join(name)).unwrap();
        assert_eq!(&beside, bytes, "{name}");
        assert_eq!(
            bundle.description().entries[name].sha256,
            Digest::of(bytes),
            "{name}"
        );
    }
    let lock: Value = serde_json::from_slice(&bundle.files()["pyodide-lock.json"]).unwrap();
    for package in lock["packages"].as_object().unwrap().values() {
        let file = package["file_name"].as_str().unwrap();
        let wheel = &bundle.files()[file];
        assert_eq!(package["sha256"], Digest::of(wheel).to_string(), "{file}");
    }
    let index = Index::read(out.path()).unwrap();
    assert_eq!(index.bundles[0].target, Target::Pyodide);
    assert!(index.engines.is_empty(), "it needs no engine");
    assert!(!out.path().join("engines").exists());
    let library = &bundle.files()["python_stdlib.zip"];
    assert!(library.len() < 700_000, "{}", library.len());
}

#[test]
fn the_same_pipeline_gives_the_same_bytes() {
    let [first, second] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    let [first, second] = [&first, &second].map(|out| build("mixed", out.path()));
    assert_eq!(first.file_name(), second.file_name());
    assert_eq!(
        std::fs::read(first).unwrap(),
        std::fs::read(second).unwrap()
    );
}

#[test]
fn archives_can_be_read_and_hold_compiled_modules_alone() {
    let out = tempfile::tempdir().unwrap();
    let bundle = Bundle::open(&build("subtitles", out.path())).unwrap();
    let mut modules = Vec::new();
    for (name, bytes) in bundle.files() {
        if name == "pyodide-lock.json" {
            continue;
        }
        for (path, contents) in unzip(bytes) {
            if path.contains(".dist-info/") {
                continue;
            }
            // The magic number of CPython 3.14, and a hash that is not to be checked.
            assert_eq!(contents[..8], *b"\x2b\x0e\r\n\x01\0\0\0", "{path}");
            let module = path.strip_suffix(".pyc").unwrap();
            modules.push(module.trim_end_matches("/__init__").replace('/', "."));
        }
    }
    for module in bundle.modules() {
        // A namespace package is where its modules are.
        assert!(
            modules.contains(&module.name) || module.size == 0,
            "{}",
            module.name
        );
    }
    for module in ["_remotemedia", "_rm_pyodide", "encodings", "asyncio"] {
        assert!(modules.iter().any(|name| name == module), "{module}");
    }
}

#[test]
fn a_pipeline_without_python_is_a_description_alone() {
    let out = tempfile::tempdir().unwrap();
    let path = build("calculator", out.path());
    assert_eq!(Bundle::open(&path).unwrap().files().len(), 0);
    assert!(!path.with_extension("").exists());
    // Its nodes are everywhere.
    let mut command = rm_pack();
    command.arg("run").arg(&path).arg("--input");
    command.arg(example("calculator").with_file_name("input.jsonl"));
    Finished::of(&mut command).success();
}

/// Pack a pipeline of one node for Pyodide, the text of whose module is given: the folder, the bundle, and what was noted.
#[track_caller]
fn pack_node(files: &[(&str, &str)]) -> (tempfile::TempDir, Bundle, String) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let manifest = folder.path().join("pipeline.json");
    let text = r#"{"version": "v1", "metadata": {"name": "numpy"}, "nodes": [{"id": "node", "node_type": "Case"}]}"#;
    std::fs::write(&manifest, text).unwrap();
    let output = build_command(&manifest, &folder.path().join("out"))
        .output()
        .unwrap();
    let noted = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{noted}");
    let path = String::from_utf8(output.stdout).unwrap();
    let bundle = Bundle::open(Path::new(path.trim_end())).unwrap();
    (folder, bundle, noted)
}

const PANDAS: &str =
    "import pandas\n\n\nclass Case:\n    def process(self):\n        yield pandas.__version__\n";

#[test]
fn packages_that_come_with_pyodide_are_named_and_not_in_the_bundle() {
    let (folder, bundle, noted) = pack_node(&[("case.py", PANDAS)]);
    let description = bundle.description();
    let names: Vec<_> = description.packages.keys().map(String::as_str).collect();
    assert_eq!(names, ["numpy", "pandas", "python-dateutil", "pytz", "six"]);
    assert!(
        description.nodes["Case"].is_source,
        "it was read, and not imported"
    );
    let files: Vec<_> = bundle.files().keys().map(String::as_str).collect();
    assert_eq!(
        files,
        [
            "numpy_pipeline-0.1.0-cp314-none-any.whl",
            "pyodide-lock.json",
            "remotemedia_pack_guest-0.1.0-cp314-none-any.whl",
        ],
        "what packages use of the library is not known, so that Pyodide gets its own"
    );
    let lock: Value = serde_json::from_slice(&bundle.files()["pyodide-lock.json"]).unwrap();
    let ours = &lock["packages"]["numpy-pipeline"]["depends"];
    assert!(
        ours.as_array().unwrap().contains(&"pandas".into()),
        "{ours}"
    );
    for (name, package) in &description.packages {
        let locked = &lock["packages"][name];
        assert_eq!(locked["file_name"], package.file, "{name}");
        assert_eq!(locked["sha256"], package.sha256.to_string(), "{name}");
        assert!(noted.contains(&package.file), "{noted}");
    }
    let path = folder.path().join("out").join(bundle.file_name());
    let said = Finished::of(rm_pack().arg("inspect").arg(path)).success();
    let numpy = &description.packages["numpy"];
    assert!(
        said.contains("\npackages of Pyodide, beside the bundle\n"),
        "{said}"
    );
    assert!(said.contains(&numpy.sha256.to_string()), "{said}");
    let mut why = rm_pack();
    why.arg("why").arg(folder.path().join("pipeline.json"));
    let said = Finished::of(why.args(["pandas", "--target", "pyodide"])).success();
    let expected =
        "pandas: module of a package that comes with Pyodide\nused; it comes with Pyodide:\n";
    assert!(said.starts_with(expected), "{said}");
}

#[test]
fn a_package_of_the_users_own_wins() {
    let own = ("pandas/__init__.py", "__version__ = 'own'\n");
    let (_folder, bundle, _) = pack_node(&[("case.py", PANDAS), own]);
    assert!(bundle.description().packages.is_empty());
    assert!(bundle.files().contains_key("python_stdlib.zip"));
    let names: Vec<_> = bundle
        .modules()
        .iter()
        .map(|module| &*module.name)
        .collect();
    assert!(names.contains(&"pandas"), "{names:?}");
}

#[test]
fn a_package_that_nothing_uses_is_not_asked_for() {
    let text = "def unused():\n    import numpy\n\n\nclass Case:\n    def process(self, data):\n        return data\n";
    let (_folder, bundle, _) = pack_node(&[("case.py", text)]);
    assert!(bundle.description().packages.is_empty());
}

#[test]
fn the_project_may_ask_for_packages() {
    let project = ("pyproject.toml", "[tool.rm-pack]\ninclude = [\"tzdata\"]\n");
    let text = "class Case:\n    def process(self, data):\n        return data\n";
    let (_folder, bundle, _) = pack_node(&[("case.py", text), project]);
    let names: Vec<_> = bundle.description().packages.keys().collect();
    assert_eq!(names, ["tzdata"]);
}

#[test]
fn what_the_project_excludes_is_not_asked_for() {
    let project = ("pyproject.toml", "[tool.rm-pack]\nexclude = [\"numpy\"]\n");
    let text = "try:\n    import numpy\nexcept ImportError:\n    numpy = None\n\n\nclass Case:\n    def process(self, data):\n        return numpy is None\n";
    let (_folder, bundle, noted) = pack_node(&[("case.py", text), project]);
    assert!(bundle.description().packages.is_empty());
    assert!(!noted.contains("note:"), "{noted}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let out = tempfile::tempdir().unwrap();
    let path = build("counter", out.path());
    let said = Finished::of(rm_pack().arg("run").arg(&path)).failure(3);
    assert!(
        said.contains("was packed for the target pyodide, and wasmtime is needed here"),
        "{said}"
    );
    let mut command = build_command(&example("counter"), out.path());
    let said = Finished::of(command.arg("--self-contained")).failure(2);
    assert!(
        said.contains("has no meaning with --target pyodide"),
        "{said}"
    );
}

#[test]
fn sources_lie_beside_compiled_modules_where_python_does_not_run_them() {
    let out = tempfile::tempdir().unwrap();
    let mut command = build_command(&example("subtitles"), out.path());
    let path = PathBuf::from(
        Finished::of(command.arg("--keep-source"))
            .success()
            .trim_end(),
    );
    let bundle = Bundle::open(&path).unwrap();
    let wheel = &bundle.files()["subtitles-0.1.0-cp314-none-any.whl"];
    let files = unzip(wheel);
    let module = "subtitle_tools/node";
    let text = std::fs::read(
        example("subtitles")
            .with_file_name(module)
            .with_extension("py"),
    )
    .unwrap();
    assert_eq!(files[&format!("{module}.py")], text);
    // Where a wheel is unpacked, Python finds this beside the source; in an archive, the other one.
    let cached = &files["subtitle_tools/__pycache__/node.cpython-314.pyc"];
    assert_eq!(cached, &files[&format!("{module}.pyc")]);
    let library = unzip(&bundle.files()["python_stdlib.zip"]);
    assert!(
        library
            .keys()
            .all(|path| path.strip_suffix(".py").is_none())
    );
}

#[test]
fn a_metafile_tells_what_is_in_a_bundle_for_pyodide() {
    let out = tempfile::tempdir().unwrap();
    let metafile = out.path().join("metafile.json");
    let mut command = build_command(&example("text-processor"), out.path());
    let path = PathBuf::from(
        Finished::of(command.arg("--metafile").arg(&metafile))
            .success()
            .trim_end(),
    );
    let bundle = Bundle::open(&path).unwrap();
    let read: Value = serde_json::from_slice(&std::fs::read(&metafile).unwrap()).unwrap();
    assert_eq!(read["content"], bundle.content().to_string());
    assert_eq!(read["bundle"]["target"], "pyodide");
    let modules = read["modules"].as_array().unwrap();
    let sizes: BTreeMap<_, _> = modules
        .iter()
        .map(|module| (module["name"].as_str().unwrap(), &module["code"]))
        .collect();
    for module in bundle.modules() {
        assert_eq!(
            sizes[&*module.name],
            &Value::from(module.size),
            "{}",
            module.name
        );
    }
    for module in modules.iter().filter(|module| module["code"] != 0) {
        assert!(!module["because"].is_null(), "{module}");
    }
    let ask = |query: &str| {
        let mut command = rm_pack();
        Finished::of(command.arg("why").arg(&metafile).arg(query)).success()
    };
    assert!(ask("text_processor").contains("node type `TextProcessorNode`"));
    assert!(ask("tokenize").contains("in the bundle:"));
    let mut command = rm_pack();
    command.arg("why").arg(example("text-processor"));
    command.args(["tokenize", "--target", "pyodide"]);
    assert_eq!(Finished::of(&mut command).success(), ask("tokenize"));
}

#[test]
fn what_is_in_it_can_be_looked_at() {
    let out = tempfile::tempdir().unwrap();
    let path = build("counter", out.path());
    let said = Finished::of(rm_pack().arg("inspect").arg(&path)).success();
    assert!(said.starts_with("counter for pyodide, "), "{said}");
    assert!(said.contains("python_stdlib.zip"), "{said}");
    assert!(said.contains("\nmodules\n  "), "{said}");
}

#[test]
fn a_file_that_was_changed_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let path = build("counter", out.path());
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = Bundle::open(&path).unwrap_err().to_string();
    assert!(error.contains("was altered after it was packed"), "{error}");
}
