use rm_runtime::bundle::{Bundle, EngineReference, Parts};
use rm_runtime::manifest::Manifest;

use super::*;
use crate::report::example::{definition, example, link, module, unfinished};
use crate::report::metafile::{DefinitionKind, LinkKind, Metafile, Origin, Place};

/// The example with another engine, another mark, and other code.
fn changed_example() -> Metafile {
    let mut metafile = unfinished();
    metafile.content = Digest::of(b"other");
    let manifest = "{version: v1, metadata: {name: shout}, nodes: [\
        {id: shout, node_type: Shout, params: {mark: '?', loud: true}}, {id: echo, node_type: Echo}], \
        connections: [{from: shout, to: echo}]}";
    metafile.bundle.manifest = Manifest::parse(manifest, "shout.yaml".as_ref())
        .unwrap()
        .manifest;
    metafile.bundle.engine = Some(EngineReference {
        digest: Digest::of(b"other engine"),
        python: "3.14.0".to_owned(),
    });
    let json = &mut metafile.modules[1];
    json.loaded = true;
    json.definitions[0].bytes = 35;
    json.definitions[1].because = link(Place::module(1), 9, LinkKind::Effect);
    metafile.modules[2].definitions[1].because = None;
    metafile.modules[2].code = 100;
    let mut added = module("zlib", Origin::Node, 60, 60);
    added.because = link(Place::module(4), 2, LinkKind::Import);
    added.definitions = vec![definition("crc", DefinitionKind::Function, 1, 60)];
    added.definitions[0].because = link(Place::module(5), 1, LinkKind::Effect);
    metafile.modules.push(added);
    metafile.finish().unwrap()
}

#[test]
fn nothing_differs_from_itself() {
    let difference = diff(&example(), &example());
    assert!(difference.is_none());
    assert_eq!(difference.modules, []);
    assert_eq!(difference.nodes, []);
    assert_eq!(difference.definitions, Some(Vec::new()));
    let text = difference.to_string();
    assert_eq!(
        text,
        format!("no difference: both are {}", Digest::of(b"shout"))
    );
}

#[test]
fn everything_that_changed_is_told() {
    let difference = diff(&example(), &changed_example());
    let (before, after) = (Digest::of(b"shout"), Digest::of(b"other"));
    let (engine, other) = (Digest::of(b"engine"), Digest::of(b"other engine"));
    assert_eq!(
        difference.to_string(),
        format!(
            "\
from {before}
  to {after}
engine: {engine} -> {other}

                 before      after      change
code            1.30 kB      580 B      -720 B
definitions           5          6          +1
modules               3          4          +1
source          2.60 kB    2.66 kB       +60 B

nodes
  + echo
  ~ shout: params.loud none -> true, params.mark \"!\" -> \"?\"

connections
  + shout -> echo

modules
  ~ json.decoder                                      -750 B  850 B -> 100 B
  + zlib                                               +30 B
  ~ json                                                   =  200 B, carried -> loaded

definitions
  - json.decoder.JSONDecoder.decode                   -700 B
  + json.load                                         +300 B
  ~ json.JSONDecoder                                    +5 B  30 B -> 35 B"
        )
    );
}

#[test]
fn the_other_way_round_signs_turn() {
    let there = diff(&example(), &changed_example());
    let back = diff(&changed_example(), &example());
    let turned = |how| match how {
        How::Came => How::Went,
        How::Went => How::Came,
        How::Grew => How::Shrank,
        How::Shrank => How::Grew,
        How::Altered => How::Altered,
    };
    let there: Vec<_> = there
        .modules
        .iter()
        .map(|row| (&row.name, turned(row.how), row.after, row.before))
        .collect();
    let back: Vec<_> = back
        .modules
        .iter()
        .map(|row| (&row.name, row.how, row.before, row.after))
        .collect();
    assert_eq!(there, back);
}

#[test]
fn long_lists_are_cut_and_long_values_shortened() {
    let mut metafile = unfinished();
    metafile.content = Digest::of(b"other");
    for number in 0..50 {
        let mut added = module(&format!("z{number:02}"), Origin::Node, 0, 0);
        added.because = link(Place::module(4), 2, LinkKind::Import);
        metafile.modules.push(added);
    }
    let manifest = format!(
        "{{version: v1, metadata: {{name: shout}}, nodes: [{{id: shout, node_type: Shout, params: {{mark: '{}'}}}}]}}",
        "é".repeat(100)
    );
    metafile.bundle.manifest = Manifest::parse(&manifest, "shout.yaml".as_ref())
        .unwrap()
        .manifest;
    let difference = diff(&example(), &metafile.finish().unwrap());
    let text = difference.to_string();
    assert!(
        text.ends_with("\n  and 10 more, which --json lists"),
        "{text}"
    );
    assert!(text.contains(&format!("\"{}...", "é".repeat(56))), "{text}");
    assert_eq!(difference.modules.len(), 50);
}

#[test]
fn a_bundle_is_compared_by_what_it_says_itself() {
    let bundle = |mark: &str| {
        let manifest = format!(
            "{{version: v1, metadata: {{name: add}}, nodes: [{{id: add, node_type: AddNode, params: {{addend: {mark}}}}}]}}"
        );
        Bundle::assemble(Parts {
            name: "add".to_owned(),
            manifest: Manifest::parse(&manifest, "add.yaml".as_ref())
                .unwrap()
                .manifest,
            packer: "rm-pack 0.1.0".to_owned(),
            python: None,
        })
        .unwrap()
    };
    let difference = diff(&bundle("1"), &bundle("2"));
    assert_eq!(difference.definitions, None);
    assert!(
        difference
            .to_string()
            .ends_with("~ add: params.addend 1 -> 2"),
        "{difference}"
    );
    let mixed = diff(&bundle("1"), &example());
    assert_eq!(mixed.facts["engine"].before, None);
    assert_eq!(mixed.definitions, None);
    assert_eq!(mixed.modules.len(), 3);
    assert!(!mixed.totals.contains_key("source"));
}

#[test]
fn json_has_the_same() {
    let json = serde_json::to_value(diff(&example(), &changed_example())).unwrap();
    assert_eq!(json["modules"][0]["name"], "json.decoder");
    assert_eq!(json["modules"][0]["how"], "shrank");
    assert_eq!(
        json["nodes"][1]["fields"]["params.loud"]["before"],
        serde_json::Value::Null
    );
    assert_eq!(json["totals"]["modules"]["after"], 4);
}

#[test]
fn files_that_are_neither_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Side::read(&path).unwrap_err().to_string()
    };
    assert!(file("a.json", "{}").contains("a.json` is not a metafile: it has no `schema`"));
    assert!(file("b.rmpkg", "{}").contains("b.rmpkg"));
    assert!(file("c.zip", "PK").contains("c.zip"));
    let error = Side::read(&folder.path().join("none"))
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("cannot read `"), "{error}");
}
