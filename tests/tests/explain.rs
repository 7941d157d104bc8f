//! What explains a bundle: metafiles, `why`, `report` and `diff`.

use std::path::{Path, PathBuf};

use end_to_end::{Finished, build, example, rm_pack, tree};
use rm_pack::report::Metafile;
use rm_pack::report::metafile::{Because, Origin};
use rm_runtime::bundle::Bundle;
use serde_json::Value;

fn rm_pack_in(folder: &Path, arguments: &[&str]) -> Finished {
    Finished::of(rm_pack().current_dir(folder).args(arguments))
}

const NODE: &str = "import helper\n\nclass Case:\n    def process(self, data):\n        return helper.twice(data)\n";

/// A pipeline of one Python node and a module that it imports.
fn write_case(folder: &Path, params: &str, helper: &str) -> PathBuf {
    let manifest = format!(
        "version: v1\nmetadata: {{name: case}}\nnodes: [{{id: case, node_type: Case, params: {{{params}}}}}]\n"
    );
    tree::write(
        folder,
        [
            ("pipeline.yaml", manifest.as_bytes()),
            ("case.py", NODE.as_bytes()),
            ("helper.py", helper.as_bytes()),
        ],
    );
    folder.join("pipeline.yaml")
}

const HELPER: &str =
    "import colorsys\n\ndef twice(data):\n    return 2 * data * colorsys.hsv_to_rgb(0, 0, 1)[0]\n";

#[test]
fn the_metafile_says_what_the_bundle_says() {
    let scratch = tempfile::tempdir().unwrap();
    let text = HELPER.replace("return", "import ssl\n    return ssl or");
    write_case(scratch.path(), "", &text);
    let built = rm_pack_in(
        scratch.path(),
        &["build", "pipeline.yaml", "--metafile", "out/meta.json"],
    );
    let bundle = Bundle::open(&scratch.path().join(built.success().trim_end())).unwrap();
    let metafile = Metafile::read(&scratch.path().join("out/meta.json")).unwrap();
    assert_eq!(metafile.content, bundle.content());
    assert_eq!(&metafile.bundle, bundle.description());
    let in_bundle: Vec<_> = metafile
        .modules
        .iter()
        .filter(|module| module.origin != Origin::Engine && module.because.is_some())
        .map(|module| (module.name.as_str(), module.loaded, module.code))
        .collect();
    let packed: Vec<_> = bundle
        .modules()
        .iter()
        .map(|module| (module.name.as_str(), module.loaded, module.size))
        .collect();
    assert_eq!(in_bundle, packed);
    assert_eq!(metafile.totals.modules.kept, packed.len() as u64);
    let module = |name: &str| {
        metafile
            .modules
            .iter()
            .find(|module| module.name == name)
            .unwrap()
    };
    assert_eq!(
        module("case").because,
        Some(Because::Node("Case".to_owned()))
    );
    let helper = module("helper");
    assert_eq!(
        (helper.file.as_str(), helper.source.before),
        ("helper.py", text.len() as u64)
    );
    assert_eq!(helper.source.kept, helper.source.before);
    // Written in C, for wasi not there.
    assert!(module("ssl").refused.is_some());
    assert_eq!(module("_struct").origin, Origin::Engine);
}

#[test]
fn the_metafile_and_the_page_are_the_same_in_every_folder() {
    let arguments = [
        "report",
        "pipeline.yaml",
        "--metafile",
        "meta.json",
        "--html",
        "page.html",
    ];
    let written = |threads: &str| {
        let scratch = tempfile::tempdir().unwrap();
        // A note of the user's code, which on standard error names the folder.
        let helper = HELPER.replace("2 * data", "2 * data if data else later(data)");
        let helper = format!("{helper}\ndef later(name):\n    return __import__(name)\n");
        write_case(scratch.path(), "", &helper);
        let mut command = rm_pack();
        command
            .current_dir(&scratch)
            .args(arguments)
            .env("RAYON_NUM_THREADS", threads);
        assert_eq!(
            Finished::of(&mut command).success(),
            "meta.json\npage.html\n"
        );
        let read = |name: &str| std::fs::read_to_string(scratch.path().join(name)).unwrap();
        let texts = [read("meta.json"), read("page.html")];
        for text in &texts {
            assert!(!text.contains(scratch.path().to_str().unwrap()));
        }
        texts
    };
    let first = written("1");
    assert!(
        first[0].contains(
            "\"file\":\"helper.py\",\"line\":7,\"what\":\"imports a module by a computed name"
        ),
        "{}",
        first[0]
    );
    assert!(first == written("3"));
}

#[test]
fn why_follows_a_module_back_to_a_node() {
    let scratch = tempfile::tempdir().unwrap();
    write_case(scratch.path(), "", HELPER);
    let expected = "\
colorsys: module of the standard library, colorsys.py, 4.13 kB
in the bundle:
  node type `Case` is in `case`
  `case` (case.py:1) imports `helper`
  `helper` (helper.py:1) imports `colorsys`
";
    let told = rm_pack_in(scratch.path(), &["why", "pipeline.yaml", "colorsys"]).success();
    let (first, rest) = told.split_once(", colorsys.py, ").unwrap();
    let (expected_first, expected_rest) = expected.split_once(", colorsys.py, ").unwrap();
    assert_eq!(first, expected_first);
    let without_size = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    assert_eq!(without_size(rest), without_size(expected_rest));

    let json = rm_pack_in(
        scratch.path(),
        &["why", "pipeline.yaml", "colorsys", "--json"],
    )
    .success();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["answer"]["kept"]["chain"][1],
        "`case` (case.py:1) imports `helper`"
    );

    let helper = HELPER.replace(
        "return",
        "try: import ssl\n    except ImportError: ssl = None\n    return",
    );
    write_case(scratch.path(), "", &helper);
    let refused = rm_pack_in(scratch.path(), &["why", "pipeline.yaml", "ssl"]).success();
    assert!(
        refused.contains("removed:") && refused.contains("is certain to raise ImportError"),
        "{refused}"
    );
}

#[test]
fn why_answers_from_a_metafile_and_not_from_a_bundle() {
    let scratch = tempfile::tempdir().unwrap();
    write_case(scratch.path(), "", HELPER);
    let run = |arguments: &[&str]| rm_pack_in(scratch.path(), arguments);
    let built = run(&["build", "pipeline.yaml", "--metafile", "meta.json"]).success();
    let from_manifest = run(&["why", "pipeline.yaml", "colorsys"]).success();
    assert_eq!(
        run(&["why", "meta.json", "colorsys"]).success(),
        from_manifest
    );
    let bundle = built.trim_end();
    let expected =
        format!("error: `{bundle}` is a bundle; name the manifest that it was packed from\n");
    assert_eq!(run(&["why", bundle, "colorsys"]).failure(3), expected);
    assert_eq!(
        run(&["report", bundle, "--html", "page.html"]).failure(3),
        expected
    );
    tree::write(
        scratch.path(),
        [("old.json", b"{\"schema\":0,\"modules\":[]}".as_slice())],
    );
    let error = run(&["why", "old.json", "colorsys"]).failure(3);
    assert!(error.contains("is a metafile of schema 0"), "{error}");
}

#[test]
fn why_names_what_comes_near() {
    let scratch = tempfile::tempdir().unwrap();
    write_case(scratch.path(), "", HELPER);
    let error = rm_pack_in(scratch.path(), &["why", "pipeline.yaml", "colorsis"]).failure(3);
    assert!(
        error.starts_with("error: `colorsis` is neither a module that the nodes reach nor a definition in one; did you mean `colorsys`?\n"),
        "{error}"
    );
    assert!(error.contains("include = [\"colorsis\"]"), "{error}");
    let helper = format!("import one.shared, two.shared\n{HELPER}");
    write_case(scratch.path(), "", &helper);
    let empty = b"".as_slice();
    tree::write(
        scratch.path(),
        [("one/shared.py", empty), ("two/shared.py", empty)],
    );
    let error = rm_pack_in(
        scratch.path(),
        &["why", "pipeline.yaml", "shared", "--no-shake"],
    )
    .failure(3);
    assert_eq!(
        error,
        "error: `shared` may mean\n    one.shared\n    two.shared\n  hint: write more of the name\n"
    );
}

#[test]
fn what_the_project_includes_is_there_because_of_it() {
    let scratch = tempfile::tempdir().unwrap();
    write_case(
        scratch.path(),
        "",
        "def twice(data):\n    return 2 * data\n",
    );
    tree::write(
        scratch.path(),
        [(
            "pyproject.toml",
            b"[tool.rm-pack]\ninclude = ['colorsys']\n".as_slice(),
        )],
    );
    let told = rm_pack_in(scratch.path(), &["why", "pipeline.yaml", "colorsys"]).success();
    assert!(
        told.ends_with("in the bundle:\n  `include` under [tool.rm-pack] names `colorsys`\n"),
        "{told}"
    );
}

#[test]
fn all_modules_of_a_package_are_included_and_what_only_pyodide_has_may_be_excluded() {
    let scratch = tempfile::tempdir().unwrap();
    write_case(
        scratch.path(),
        "",
        "def twice(data):\n    return 2 * data\n",
    );
    let write = |project: &str| {
        tree::write(scratch.path(), [("pyproject.toml", project.as_bytes())]);
    };
    tree::write(
        scratch.path(),
        [
            ("plugins/__init__.py", b"".as_slice()),
            ("plugins/one.py", b"NAME = 1\n".as_slice()),
            ("plugins/deep/__init__.py", b"".as_slice()),
            ("plugins/deep/two.py", b"NAME = 2\n".as_slice()),
        ],
    );
    write("[tool.rm-pack]\ninclude = ['plugins.*']\nexclude = ['numpy']\n");
    for module in ["plugins.one", "plugins.deep", "plugins.deep.two"] {
        let told = rm_pack_in(scratch.path(), &["why", "pipeline.yaml", module]).success();
        let because = format!("`include` under [tool.rm-pack] names `{module}`\n");
        assert!(told.ends_with(&because), "{told}");
    }
    let listed = "import pkgutil\nimport plugins\n\n\ndef twice(data):\n    return [[one.name, one.ispkg] for one in pkgutil.walk_packages(plugins.__path__, 'plugins.')]\n";
    tree::write(
        scratch.path(),
        [("helper.py", listed.as_bytes()), ("items.jsonl", b"1\n")],
    );
    let ran = rm_pack_in(
        scratch.path(),
        &["run", "pipeline.yaml", "--input", "items.jsonl"],
    );
    assert_eq!(
        ran.success(),
        "[[\"plugins.deep\",true],[\"plugins.deep.two\",false],[\"plugins.one\",false]]\n"
    );
    write("[tool.rm-pack]\ninclude = ['plugin.*']\n");
    let told = rm_pack_in(scratch.path(), &["why", "pipeline.yaml", "plugins"]).failure(3);
    assert!(
        told.contains("there is no package `plugin` with modules in it"),
        "{told}"
    );
}

#[test]
fn bundles_are_compared_and_metafiles_too() {
    let scratch = tempfile::tempdir().unwrap();
    write_case(scratch.path(), "mark: 1", HELPER);
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let pack = |meta: &str| {
        let built = rm_pack_in(
            scratch.path(),
            &["build", "pipeline.yaml", "--metafile", meta],
        );
        built.success().trim_end().to_owned()
    };
    let before = pack("a.json");
    write_case(
        scratch.path(),
        "mark: 2",
        "import this_is_new\n\ndef twice(data):\n    return data + data + this_is_new.X\n",
    );
    tree::write(scratch.path(), [("this_is_new.py", b"X = 1\n".as_slice())]);
    let after = pack("b.json");

    for (a, b) in [
        (&before, &after),
        (&path("a.json"), &path("b.json")),
        (&before, &path("b.json")),
    ] {
        let told = rm_pack_in(scratch.path(), &["diff", a, b]).success();
        for line in [
            "  ~ case: params.mark 1 -> 2\n",
            "  + this_is_new ",
            "  - colorsys ",
        ] {
            assert!(told.contains(line), "{line}: {told}");
        }
        let json = rm_pack_in(scratch.path(), &["diff", a, b, "--json"]).success();
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["modules"][0]["name"], "colorsys");
        assert_eq!(json["modules"][0]["how"], "went");
        assert_eq!(
            json["totals"].get("source").is_some(),
            a.ends_with("a.json")
        );
        assert_eq!(json["facts"], serde_json::json!({}));
    }
    let same = rm_pack_in(scratch.path(), &["diff", &before, "a.json"]).success();
    assert!(same.starts_with("no difference: both are "), "{same}");
}

#[test]
fn the_page_shows_what_changed() {
    let scratch = tempfile::tempdir().unwrap();
    write_case(scratch.path(), "mark: 1", HELPER);
    let dist = scratch.path().join("dist");
    let previous = build(&scratch.path().join("pipeline.yaml"), &dist);
    write_case(scratch.path(), "mark: 2", HELPER);
    let arguments = [
        "report",
        "pipeline.yaml",
        "--html",
        "page.html",
        "--previous",
        previous.to_str().unwrap(),
    ];
    rm_pack_in(scratch.path(), &arguments).success();
    let page = std::fs::read_to_string(scratch.path().join("page.html")).unwrap();
    let (_, data) = page.split_once(r#"id="data">"#).unwrap();
    let data: Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    let mark = &data["difference"]["nodes"][0]["fields"]["params.mark"];
    assert_eq!(
        (&mark["before"], &mark["after"]),
        (&"1".into(), &"2".into())
    );
    assert_eq!(data["metafile"]["bundle"]["name"], "case");
}

#[test]
fn a_pipeline_without_python_is_explained_too() {
    let scratch = tempfile::tempdir().unwrap();
    let manifest = "version: v1\nmetadata: {name: add}\nnodes: [{id: add, node_type: AddNode, params: {addend: 1}}]\n";
    tree::write(scratch.path(), [("add.yaml", manifest.as_bytes())]);
    let arguments = [
        "report",
        "add.yaml",
        "--html",
        "page.html",
        "--metafile",
        "meta.json",
    ];
    rm_pack_in(scratch.path(), &arguments).success();
    let metafile = Metafile::read(&scratch.path().join("meta.json")).unwrap();
    assert_eq!(metafile.modules, []);
    assert_eq!(metafile.bundle.engine, None);
    let error = rm_pack_in(scratch.path(), &["why", "add.yaml", "json"]).failure(3);
    assert!(error.contains("`json` is neither"), "{error}");
}

#[test]
fn what_cannot_be_read_or_written_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let manifest = example("calculator");
    let manifest = manifest.to_str().unwrap();
    let run = |arguments: &[&str]| rm_pack_in(scratch.path(), arguments);
    tree::write(
        scratch.path(),
        [
            ("old.json", b"{\"schema\":0,\"modules\":[]}".as_slice()),
            ("cut.rmpkg", b"PK".as_slice()),
            ("taken/file", b"".as_slice()),
        ],
    );
    let error = run(&["diff", "none.json", "old.json"]).failure(3);
    assert!(
        error.starts_with("error: cannot read `none.json`\n"),
        "{error}"
    );
    let error = run(&["diff", "old.json", "old.json"]).failure(3);
    assert!(
        error.starts_with(
            "error: `old.json` is a metafile of schema 0, and this rm-pack reads schema 1"
        ),
        "{error}"
    );
    let error = run(&["diff", manifest, manifest]).failure(3);
    assert!(
        error.contains("is not a metafile: it has no `schema`"),
        "{error}"
    );
    let error = run(&["diff", "cut.rmpkg", "cut.rmpkg"]).failure(3);
    assert!(error.contains("cut.rmpkg"), "{error}");
    let error = run(&[
        "report",
        manifest,
        "--html",
        "page.html",
        "--previous",
        "old.json",
    ])
    .failure(3);
    assert!(error.contains("schema 0"), "{error}");
    assert!(!scratch.path().join("page.html").exists());
    for option in ["--html", "--metafile"] {
        let error = run(&["report", manifest, option, "taken"]).failure(3);
        assert_eq!(
            error,
            format!("error: {option} taken: that is a folder; name a file\n")
        );
        let error = run(&["report", manifest, option, "old.json/below"]).failure(4);
        assert!(
            error.starts_with("error: cannot write `old.json/below`\n"),
            "{error}"
        );
    }
    let error = run(&["report", manifest]).failure(2);
    assert!(error.contains("--html <FILE>|--metafile <FILE>"), "{error}");
    let error = run(&[
        "report",
        manifest,
        "--metafile",
        "m.json",
        "--previous",
        "old.json",
    ])
    .failure(2);
    assert!(error.contains("--html <FILE>"), "{error}");
}
