use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::*;
use crate::json::{from_json, to_json};
use crate::value::MAX_DEPTH;

#[track_caller]
fn parse(text: &str, file: &str) -> ParsedManifest {
    Manifest::parse(text, Path::new(file)).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn message(text: &str, file: &str) -> String {
    Manifest::parse(text, Path::new(file))
        .unwrap_err()
        .to_string()
}

/// The params of the one node of a YAML manifest, as JSON.
#[track_caller]
fn yaml_params(params: &str) -> String {
    let text = format!(
        "version: v1\nmetadata: {{name: t}}\nnodes:\n- id: a\n  node_type: T\n  params:\n{params}"
    );
    let manifest = parse(&text, "t.yaml").manifest;
    to_json(&manifest.nodes[0].params.clone().into()).unwrap()
}

/// The message about a YAML manifest with such params, without the place, which is checked to be `line`.
#[track_caller]
fn yaml_params_error(line: usize, params: &str) -> String {
    let text = format!(
        "version: v1\nmetadata: {{name: t}}\nnodes:\n- id: a\n  node_type: T\n  params:\n{params}"
    );
    match Manifest::parse(&text, Path::new("t.yaml")) {
        Err(ManifestError::Syntax {
            position, message, ..
        }) => {
            assert_eq!(position.line, line, "{message}");
            message
        }
        other => panic!("{other:?}"),
    }
}

const FULL_YAML: &str = r#"
version: v1
metadata:
  name: full
  description: Every field
  created_at: 2025-01-02
  author: someone
nodes:
  - id: first-1
    node_type: MultiplyNode
    params: {factor: 2, "big": 123456789012345678901234567890, ratio: 1.50, on: yes}
    runtime_hint: rust
  - id: second_2
    node_type: package.module:Class
    params:
    capabilities: {gpu: {type: cuda}}
    host: localhost
    is_streaming: true
    execution: {mode: isolated}
    color: red
    join: true
    instances: 4
    on_error: skip
  - {id: third, node_type: T, join: false, instances: 1, on_error: fail}
connections:
  - {from: first-1, to: second_2, note: kept}
  - {from: first-1, to: second_2, output: low-1}
format: [1, 2]
"#;

const FULL_JSON: &str = r#"{
  "manifest": {
    "version": "v1",
    "metadata": {"name": "full", "description": "Every field", "created_at": "2025-01-02", "author": "someone"},
    "nodes": [
      {"runtime_hint": "rust", "id": "first-1", "node_type": "MultiplyNode",
       "params": {"factor": 2, "big": 123456789012345678901234567890, "ratio": 1.50, "on": "yes"}},
      {"id": "second_2", "node_type": "package.module:Class", "capabilities": {"gpu": {"type": "cuda"}},
       "host": "localhost", "is_streaming": true, "execution": {"mode": "isolated"}, "color": "red",
       "join": true, "on_error": "skip", "instances": 4},
      {"id": "third", "node_type": "T", "on_error": "fail", "instances": 1, "join": null}
    ],
    "connections": [{"from": "first-1", "to": "second_2", "output": null, "note": "kept"},
      {"output": "low-1", "from": "first-1", "to": "second_2"}],
    "format": [1, 2]
  },
  "input_data": [1, 2.0]
}"#;

const CANONICAL: &str = concat!(
    r#"{"version":"v1","metadata":{"name":"full","description":"Every field","created_at":"2025-01-02","author":"someone"},"#,
    r#""nodes":[{"id":"first-1","node_type":"MultiplyNode","#,
    r#""params":{"factor":2,"big":123456789012345678901234567890,"ratio":1.5,"on":"yes"},"runtime_hint":"rust"},"#,
    r#"{"id":"second_2","node_type":"package.module:Class","capabilities":{"gpu":{"type":"cuda"}},"host":"localhost","#,
    r#""is_streaming":true,"execution":{"mode":"isolated"},"on_error":"skip","instances":4,"join":true,"color":"red"},"#,
    r#"{"id":"third","node_type":"T","on_error":"fail","instances":1}],"#,
    r#""connections":[{"from":"first-1","to":"second_2","note":"kept"},"#,
    r#"{"from":"first-1","to":"second_2","output":"low-1"}],"format":[1,2]}"#,
);

#[test]
fn both_formats_give_the_same_canonical_manifest() {
    let yaml = parse(FULL_YAML, "full.yml");
    let json = parse(FULL_JSON, "full.json");
    assert_eq!(yaml.manifest, json.manifest);
    assert_eq!(yaml.input_data, None);
    assert_eq!(json.input_data, Some(from_json("[1,2.0]").unwrap()));
    assert_eq!(serde_json::to_string(&yaml.manifest).unwrap(), CANONICAL);
    assert_eq!(
        serde_json::from_str::<Manifest>(CANONICAL).unwrap(),
        yaml.manifest
    );
    assert_eq!(parse(CANONICAL, "bundle.json").manifest, yaml.manifest);
}

#[test]
fn the_known_fields_are_those_that_are_read_and_written() {
    /// The fields of all `objects`, without those in `extra`.
    fn known<'v>(
        objects: impl IntoIterator<Item = &'v serde_json::Value>,
        extra: &str,
    ) -> BTreeSet<&'v str> {
        let objects = objects
            .into_iter()
            .map(|object| object.as_object().unwrap());
        let fields = objects.flat_map(|fields| fields.keys().map(String::as_str));
        fields.filter(|name| *name != extra).collect()
    }
    let all = |fields: &[&'static str]| fields.iter().copied().collect::<BTreeSet<_>>();
    let manifest = parse(FULL_YAML, "full.yml").manifest;
    assert_eq!(manifest.extra.len(), 1);
    assert_eq!(manifest.metadata.extra.len(), 1);
    let written = serde_json::to_value(&manifest).unwrap();
    let list = |name: &str| written[name].as_array().unwrap();
    assert_eq!(known([&written], "format"), all(Manifest::FIELDS));
    assert_eq!(
        known([&written["metadata"]], "author"),
        all(Metadata::FIELDS)
    );
    assert_eq!(known(list("nodes"), "color"), all(NodeSpec::FIELDS));
    assert_eq!(known(list("connections"), "note"), all(Connection::FIELDS));
}

#[test]
fn the_format_is_told_by_extension_then_content() {
    for file in ["m.json", "m", "m.JSON", "dir.yaml/m.json"] {
        assert_eq!(parse(CANONICAL, file).manifest.metadata.name, "full");
    }
    // JSON is YAML too.
    assert_eq!(
        parse(CANONICAL, "m.yaml").manifest,
        parse(CANONICAL, "m.json").manifest
    );
    assert_eq!(
        parse(&format!("\u{FEFF}{FULL_YAML}"), "m")
            .manifest
            .metadata
            .name,
        "full"
    );
    assert_eq!(
        parse(&FULL_YAML.replace('\n', "\r\n"), "m").manifest,
        parse(FULL_YAML, "m").manifest
    );
    assert!(message(FULL_YAML, "m.json").starts_with("m.json:2:1: expected value"));
}

#[test]
fn yaml_scalars_follow_the_core_schema() {
    assert_eq!(
        yaml_params(
            "    {a: yes, b: off, c: 2024-01-01, d: 1.0, e: 010, f: 0o10, g: 0xfF, h: 12:30, i: 1_000}"
        ),
        r#"{"a":"yes","b":"off","c":"2024-01-01","d":1.0,"e":10,"f":8,"g":255,"h":"12:30","i":"1_000"}"#
    );
    assert_eq!(
        yaml_params(
            "    {a: ~, b: , c: True, d: 'true', e: -0.0, f: +5, g: 1e3, h: .5, i: -1., j: 1e, k: ., l: '5', m: '-'}"
        ),
        r#"{"a":null,"b":null,"c":true,"d":"true","e":-0.0,"f":5,"g":1000.0,"h":0.5,"i":-1.0,"j":"1e","k":".","l":"5","m":"-"}"#
    );
    assert_eq!(
        yaml_params(
            "    {a: .inf, b: -.INF, c: .NaN, d: 9223372036854775808, e: 0xffffffffffffffffff}"
        ),
        concat!(
            r#"{"a":{"$float":"inf"},"b":{"$float":"-inf"},"c":{"$float":"nan"},"#,
            r#""d":9223372036854775808,"e":4722366482869645213695}"#
        )
    );
    assert_eq!(
        yaml_params(
            "    {a: !!str 5, b: !!float 5, c: !!int '5', d: {$bytes: AAE=}, e: [!!seq [], !!map {}]}"
        ),
        r#"{"a":"5","b":5.0,"c":5,"d":{"$bytes":"AAE="},"e":[[],{}]}"#
    );
    assert_eq!(
        yaml_params("    a: |\n      x\n      y\n    b: >-\n      x\n      y\n"),
        r#"{"a":"x\ny\n","b":"x y"}"#
    );
    assert!(yaml_params_error(7, "    a: 1e999").contains("too large"));
    assert!(yaml_params_error(7, "    a: !!int x").contains("does not fit its tag"));
    assert!(yaml_params_error(7, "    a: !python/object:os.system x").contains("unsupported tag"));
    assert!(yaml_params_error(7, "    a: !!set {x}").contains("unsupported tag"));
}

#[test]
fn yaml_keys_are_text_and_unique() {
    assert_eq!(yaml_params("    on: 1\n    '5': 2"), r#"{"on":1,"5":2}"#);
    assert_eq!(
        yaml_params_error(8, "    a: 1\n    5: 2"),
        "expected text as a key, found the number 5: quote it"
    );
    assert_eq!(
        yaml_params_error(7, "    [a]: 1"),
        "expected text as a key, found a collection"
    );
    assert_eq!(
        yaml_params_error(8, "    a: 1\n    'a': 2"),
        "duplicate key \"a\", first on line 7"
    );
    assert!(yaml_params_error(8, "    a: &x {b: 1}\n    <<: *x").contains("merge keys"));
}

#[test]
fn yaml_aliases_are_copies_and_bounded() {
    assert_eq!(
        yaml_params("    a: &x [1, &y two]\n    b: *x\n    c: *y"),
        r#"{"a":[1,"two"],"b":[1,"two"],"c":"two"}"#
    );
    assert_eq!(
        yaml_params_error(7, "    a: &x [*x]"),
        "alias to a collection that contains it"
    );
    let mut bomb = String::from("    a0: &a0 [lol]\n");
    for level in 1..40 {
        let below = level - 1;
        writeln!(
            bomb,
            "    a{level}: &a{level} [*a{below}, *a{below}, *a{below}, *a{below}]"
        )
        .unwrap();
    }
    assert_eq!(
        yaml_params_error(16, &bomb),
        "anchors and aliases that copy too much"
    );
    let mut deep = String::from("    a0: &a0 []\n");
    for level in 1..400 {
        writeln!(deep, "    a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert!(yaml_params_error(259, &deep).contains("nested deeper"));
}

#[test]
fn depth_is_bounded_in_both_formats() {
    // The document, `nodes`, the node and `params` are four levels.
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let objects = |levels: usize| format!("{}1{}", "{\"k\":".repeat(levels), "}".repeat(levels));
    let manifest = |params: &str| {
        format!(
            r#"{{"version":"v1","metadata":{{"name":"t"}},"nodes":[{{"id":"a","node_type":"T","params":{{"x":{params}}}}}]}}"#
        )
    };
    for file in ["t.json", "t.yaml"] {
        parse(&manifest(&nested(200)), file);
        parse(&manifest(&objects(200)), file);
        assert!(Manifest::parse(&manifest(&nested(MAX_DEPTH)), Path::new(file)).is_err());
        assert!(Manifest::parse(&"[".repeat(100_000), Path::new(file)).is_err());
        assert!(Manifest::parse(&"{\"a\":".repeat(100_000), Path::new(file)).is_err());
    }
    // Block collections are not bounded by the YAML parser itself.
    assert!(yaml_params_error(7, &format!("    a: {}", "- ".repeat(300))).contains("not allowed"));
    assert!(yaml_params_error(7, &format!("    {}", "- ".repeat(300))).contains("nested deeper"));
    let text = serde_json::to_string(&parse(&manifest(&objects(110)), "t.json").manifest).unwrap();
    serde_json::from_str::<Manifest>(&text).unwrap();
}

#[test]
fn syntax_errors_show_the_place() {
    assert_eq!(
        message(
            "{\n  \"version\": \"v1\",\n  \"nodes\": [,]\n}",
            "dir/p.json"
        ),
        "dir/p.json:3:13: expected value\n    \"nodes\": [,]\n              ^"
    );
    assert_eq!(
        message("{\"version\": \"v1\",\n\t\"version\": \"v1\"}", "p.json"),
        "p.json:2:2: duplicate key \"version\", first on line 1\n  \t\"version\": \"v1\"}\n  \t^"
    );
    let yaml = message(
        "version: v1\nnodes:\n  - id: a\n   node_type: b\n",
        "p.yaml",
    );
    assert!(yaml.starts_with("p.yaml:4:"), "{yaml}");
    assert!(yaml.contains("\n     node_type: b\n"), "{yaml}");
    for text in [
        "// c\n{}",
        "{'a': 1}",
        "{a: 1}",
        "[1,]",
        "{\"a\" 1}",
        "",
        "{}{}",
    ] {
        assert!(
            matches!(
                Manifest::parse(text, Path::new("p.json")),
                Err(ManifestError::Syntax { .. })
            ),
            "{text}"
        );
    }
    assert!(
        message("a: 1\n---\nb: 2\n", "p.yaml").starts_with("p.yaml:2:1: expected one document")
    );
    assert!(message("a: \"\\ud800\"", "p.yaml").starts_with("p.yaml:1:"));
}

#[test]
fn long_lines_are_cut_around_the_caret() {
    let text = format!("{{\"a\": [{}x]}}", "1,".repeat(500));
    let message = message(&text, "p.json");
    let lines: Vec<_> = message.lines().collect();
    assert!(lines[1].len() <= 102, "{message}");
    assert_eq!(
        lines[1].chars().nth(lines[2].chars().count() - 1),
        Some('x'),
        "{message}"
    );
}

#[test]
fn a_document_that_is_no_manifest() {
    assert_eq!(
        message("", "p.yaml"),
        "p.yaml:1:1: document: expected an object, found nothing (null)"
    );
    assert_eq!(
        message("[1]", "p.json"),
        "p.json:1:1: document: expected an object, found a list of 1"
    );
    assert_eq!(
        message("{}", "p.json"),
        "p.json:1:1: version: missing, expected text\n\
         p.json:1:1: metadata: missing, expected an object\n\
         p.json:1:1: nodes: missing, expected a list"
    );
    assert_eq!(
        message("{\"manifest\": 5}", "p.json"),
        "p.json:1:14: manifest: expected an object, found the number 5"
    );
}

#[test]
fn all_problems_are_reported_in_text_order() {
    let text = r#"version: 1
metadata: {name: "", description: [x]}
nodes:
  - id: load file
    node_type: Loader
    is_streaming: maybe
  - id: shift
    nodetype: AddNode
    params: [1]
  - id: double
    node_type: 7
  - just text
  - id: shift
    node_type: AddNode
"#;
    assert_eq!(
        message(text, "p.yaml"),
        r#"p.yaml:1:10: version: expected text, found the number 1
p.yaml:2:18: metadata.name: must not be empty
p.yaml:2:35: metadata.description: expected text, found a list of 1
p.yaml:4:9: nodes[0].id: "load file" is not a node id: expected letters of ASCII, digits, `_` and `-` only
p.yaml:6:19: nodes[0].is_streaming: expected true or false, found the text "maybe"
p.yaml:7:5: nodes[1].node_type: missing, expected text (the unknown field `nodetype` is similar)
p.yaml:9:13: nodes[1].params: expected an object, found a list of 1
p.yaml:11:16: nodes[2].node_type: expected text, found the number 7
p.yaml:12:5: nodes[3]: expected an object, found the text "just text"
p.yaml:13:9: nodes[4].id: duplicate node id `shift`, first used by nodes[1].id (line 7)"#
    );
}

/// The messages about the connections between three good nodes.
#[track_caller]
fn connections(connections: &str) -> String {
    let text = format!(
        "version: v1\nmetadata: {{name: t}}\nnodes: [{{id: load, node_type: T}}, {{id: mix, node_type: T}}, \
         {{id: save, node_type: T}}]\nconnections: {connections}\n"
    );
    match Manifest::parse(&text, Path::new("p.yaml")) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn connections_are_checked() {
    assert_eq!(connections("[]"), "");
    assert_eq!(connections(""), "");
    assert_eq!(
        connections("[{from: load, to: save}, {from: load, to: mix}, {from: mix, to: save}]"),
        ""
    );
    assert_eq!(
        connections("[{from: load, to: svae}, {from: other, to: save}]"),
        "p.yaml:4:32: connections[0].to: no node has the id `svae`; did you mean `save`?\n\
         p.yaml:4:46: connections[1].from: no node has the id `other`"
    );
    assert_eq!(
        connections("[{from: mix, to: mix}]"),
        "p.yaml:4:15: connections[0]: connects `mix` to itself"
    );
    assert_eq!(
        connections("[{from: load, to: mix}, {from: load, to: mix}]"),
        "p.yaml:4:38: connections[1]: connects `load` to `mix` again, as connections[0] does (line 4)"
    );
    assert_eq!(
        connections("\n- {from: save, to: load}\n- {from: load, to: mix}\n- {from: mix, to: save}"),
        "p.yaml:7:3: connections[2]: the connections form a cycle: load -> mix -> save -> load"
    );
    assert_eq!(
        connections("[{from: load}]"),
        "p.yaml:4:15: connections[0].to: missing, expected text"
    );
    assert_eq!(
        connections("{from: a}"),
        "p.yaml:4:14: connections: expected a list, found an object"
    );
}

#[test]
fn outputs_tell_connections_apart() {
    assert_eq!(
        connections(
            "[{from: load, to: mix}, {from: load, to: mix, output: a}, {from: load, to: mix, output: b}]"
        ),
        ""
    );
    assert_eq!(
        connections(
            "\n- {from: load, to: mix, output: a}\n- {from: load, to: mix}\n- {from: load, to: mix, output: a}"
        ),
        "p.yaml:7:3: connections[2]: connects `load` to `mix` again, as connections[0] does (line 5)"
    );
    assert_eq!(
        connections(
            "\n- {from: load, to: mix, output: a b}\n- {from: load, to: save, output: ''}\n- {from: mix, to: save, output: 1}"
        ),
        "p.yaml:5:33: connections[0].output: \"a b\" is not an output's name: expected letters of ASCII, digits, `_` and `-` only\n\
         p.yaml:6:34: connections[1].output: must not be empty\n\
         p.yaml:7:33: connections[2].output: expected text, found the number 1"
    );
    assert_eq!(
        connections(
            "\n- {from: load, to: mix, output: a}\n- {from: mix, to: load}\n- {from: load, to: mix, output: b}"
        ),
        "p.yaml:6:3: connections[1]: the connections form a cycle: load -> mix -> load"
    );
}

#[test]
fn how_a_node_runs_is_checked() {
    let problems = |fields: &str| {
        let text = format!(
            "version: v1\nmetadata: {{name: t}}\nnodes:\n- {{id: a, node_type: T, {fields}}}\n"
        );
        message(&text, "p.yaml")
    };
    assert_eq!(
        problems("on_error: fial"),
        "p.yaml:4:35: nodes[0].on_error: expected `fail`, `skip` or `stop`, found \"fial\"; did you mean `fail`?"
    );
    assert_eq!(
        problems("on_error: retry"),
        "p.yaml:4:35: nodes[0].on_error: expected `fail`, `skip` or `stop`, found \"retry\""
    );
    assert_eq!(
        problems("on_error: {skip: 3}"),
        "p.yaml:4:35: nodes[0].on_error: expected `fail`, `skip` or `stop`, found an object"
    );
    for (instances, found) in [
        ("0", "the number 0"),
        ("-1", "the number -1"),
        ("65", "the number 65"),
        ("2.0", "float 2.0"),
        ("'2'", "the text \"2\""),
        ("true", "true"),
    ] {
        assert_eq!(
            problems(&format!("instances: {instances}")),
            format!(
                "p.yaml:4:36: nodes[0].instances: expected a whole number from 1 to 64, found {found}"
            )
        );
    }
    assert_eq!(
        problems("join: all"),
        "p.yaml:4:31: nodes[0].join: expected true or false, found the text \"all\""
    );
}

#[test]
fn a_manifest_needs_a_node() {
    assert_eq!(
        message("{version: v1, metadata: {name: x}, nodes: []}", "p.yaml"),
        "p.yaml:1:43: nodes: expected at least one node"
    );
    assert_eq!(
        message(
            "{version: v2, metadata: {name: x}, nodes: [{id: a, node_type: T}]}",
            "p.yaml"
        ),
        "p.yaml:1:11: version: expected \"v1\", the only manifest version known here, found \"v2\""
    );
}

#[test]
fn deserialising_checks_too() {
    let error = serde_json::from_str::<Manifest>(
        r#"{"version":"v1","metadata":{"name":"t"},"nodes":[{"id":"a"}]}"#,
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "not a manifest: nodes[0].node_type: missing, expected text"
    );
}

#[test]
fn a_wrong_escape_is_told_where_it_stands() {
    let text = "{\"version\": \"v1\",\n \"metadata\": {\"name\": \"ab\\ud800\"}}";
    match Manifest::parse(text, Path::new("p.json")).unwrap_err() {
        ManifestError::Syntax { position, .. } => {
            assert_eq!(position.line, 2);
            assert!((24..=34).contains(&position.column), "{position}");
        }
        ManifestError::Invalid { .. } => panic!("it is no document"),
    }
}
