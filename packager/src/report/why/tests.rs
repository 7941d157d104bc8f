use super::*;
use crate::report::example::{definition, example, link, module, unfinished};
use crate::report::metafile::{LinkKind, Place};

fn ask(query: &str) -> String {
    match why(&example(), query) {
        Ok(explanation) => explanation.to_string(),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn a_definition_is_followed_back_to_a_node() {
    let expected = "\
json.decoder.JSONDecoder: class of the standard library, json/decoder.py:20, 200 B
in the bundle:
  node type `Shout` is `shout.Shout`
  `shout.Shout` (shout.py:8) calls `json.loads`
  `json.loads` (json/__init__.py:44) mentions `json.JSONDecoder`
  `json.JSONDecoder` (json/__init__.py:5) imports `json.decoder.JSONDecoder`";
    assert_eq!(ask("json.decoder.JSONDecoder"), expected);
    assert_eq!(ask("json.decoder:JSONDecoder"), expected);
    assert_eq!(ask("decoder.JSONDecoder"), expected);
}

#[test]
fn a_module_is_followed_back_too() {
    assert_eq!(
        ask("_json"),
        "\
_json: module of the engine
used; the engine has it:
  node type `Shout` is in `shout`
  `shout` (shout.py:1) imports `json`
  `json` (json/__init__.py:5) imports `json.decoder`
  `json.decoder` (json/decoder.py:4) imports `_json`"
    );
}

#[test]
fn the_end_of_a_name_means_the_original_and_not_its_imports() {
    assert!(ask("JSONDecoder").starts_with("json.decoder.JSONDecoder: class"));
    // The whole name of the import means the import.
    assert!(ask("json.JSONDecoder").starts_with("json.JSONDecoder: import"));
}

#[test]
fn what_was_removed_can_be_brought_back() {
    assert_eq!(
        ask("json.load"),
        "\
json.load: function of the standard library, json/__init__.py:10, 300 B
removed:
  nothing that is in the bundle reaches it
to bring it back, under [tool.rm-pack] in pyproject.toml:
  keep = [\"json.load\"]"
    );
    assert!(ask("raw_decode").contains("keep = [\"json.decoder.JSONDecoder.raw_decode\"]"));
}

#[test]
fn what_was_refused_cannot() {
    assert_eq!(
        ask("json.tool"),
        "\
json.tool: module of the standard library, json/tool.py, 800 B
removed:
  `json.loads` (json/__init__.py:48) imports `json.tool`, in a function, but `json.tool` is certain to raise ImportError on wasmtime"
    );
}

#[test]
fn what_holds_a_removed_definition_is_named() {
    let mut metafile = unfinished();
    metafile.modules[2].definitions[0].because = None;
    let metafile = metafile.finish().unwrap();
    let explained = why(&metafile, "raw_decode").unwrap().to_string();
    assert!(
        explained.contains("its class `json.decoder.JSONDecoder` was removed"),
        "{explained}"
    );

    let mut metafile = unfinished();
    let mut removed = module("zipapp", Origin::Stdlib, 100, 0);
    removed.definitions = vec![definition("main", DefinitionKind::Function, 1, 90)];
    metafile.modules.push(removed);
    let metafile = metafile.finish().unwrap();
    let explained = why(&metafile, "zipapp.main").unwrap().to_string();
    assert!(
        explained.contains("its module `zipapp` was removed"),
        "{explained}"
    );
    assert!(
        explained.contains("keep = [\"zipapp.main\"]"),
        "{explained}"
    );
    let explained = why(&metafile, "zipapp").unwrap().to_string();
    assert!(explained.contains("include = [\"zipapp\"]"), "{explained}");
}

#[test]
fn of_two_definitions_of_one_name_the_one_in_the_bundle_is_meant() {
    let mut metafile = unfinished();
    let json = &mut metafile.modules[1];
    json.definitions
        .push(definition("load", DefinitionKind::Function, 70, 20));
    json.definitions[3].because = link(Place::module(1), 70, LinkKind::Effect);
    let metafile = metafile.finish().unwrap();
    let explained = why(&metafile, "json.load").unwrap();
    assert_eq!(explained.line, 70);
    assert!(matches!(explained.answer, Answer::Kept { .. }));
}

#[test]
fn several_are_listed() {
    let error = ask("decode");
    assert!(error.starts_with("json.decoder"), "{error}");
    let mut metafile = unfinished();
    for number in 0..30 {
        metafile
            .modules
            .push(module(&format!("z{number:02}.case"), Origin::Node, 1, 0));
    }
    let metafile = metafile.finish().unwrap();
    let error = why(&metafile, "case").unwrap_err().to_string();
    assert!(
        error.starts_with("`case` may mean\n  z00.case\n  z01.case\n"),
        "{error}"
    );
    assert!(
        error.contains("\n  z19.case\n  and 10 more\nhint:"),
        "{error}"
    );
}

#[test]
fn unknown_names_are_answered_with_near_ones() {
    for (query, near) in [
        ("json.decodr", Some("json.decoder")),
        ("jsondecoder", Some("json.JSONDecoder")),
        (
            "json.decoder.JSONDecodr.decode",
            Some("json.decoder.JSONDecoder.decode"),
        ),
        (
            "JSONDecoder.raw_decod",
            Some("json.decoder.JSONDecoder.raw_decode"),
        ),
        ("numpy", None),
        ("", None),
        (".", None),
        (":", None),
    ] {
        let Err(QueryError::Unknown { nearest, .. }) = why(&example(), query) else {
            panic!("{query}")
        };
        assert_eq!(nearest.as_deref(), near, "{query}");
    }
    assert!(ask("numpy").contains("add include = [\"numpy\"] under"));
    let told = ask("json.tool.main");
    assert!(
        told.ends_with("hint: the definitions of `json.tool` are not listed; ask for the module"),
        "{told}"
    );
    assert!(ask("json.nothing").contains("add include = [\"json.nothing\"]"));
}
