use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use rm_runtime::manifest::Manifest;

use super::*;
use crate::report::example::{description, example, unfinished};
use crate::report::metafile::{Because, Metafile, Place};

/// What stands between two texts, the second searched behind the first.
fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, behind) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start}"));
    behind
        .split_once(end)
        .unwrap_or_else(|| panic!("no {end} behind {start}"))
        .0
}

fn data_of(page: &str) -> serde_json::Value {
    let json = between(
        page,
        r#"<script type="application/json" id="data">"#,
        "</script>",
    );
    serde_json::from_str(json).unwrap()
}

#[test]
fn the_page_holds_the_metafile() {
    let page = html(&example(), None);
    let data = data_of(&page);
    let metafile = Metafile::from_json(data["metafile"].to_string().as_bytes(), Path::new("page"));
    assert_eq!(metafile.unwrap(), example());
    assert_eq!(data["difference"], serde_json::Value::Null);
    assert_eq!(data["phrases"]["kinds"]["call"], "calls");
    assert_eq!(data["phrases"]["when"]["guarded"], ", guarded");
}

#[test]
fn a_previous_one_is_compared_with() {
    let mut after = unfinished();
    after.modules[2].code = 1;
    after.content = Digest::of(b"after");
    let page = html(&after.finish().unwrap(), Some(&Side::from(&example())));
    let data = data_of(&page);
    assert_eq!(data["difference"]["modules"][0]["name"], "json.decoder");
    assert_eq!(data["difference"]["modules"][0]["how"], "shrank");
}

#[test]
fn nothing_in_the_data_ends_its_element_or_becomes_markup() {
    let evil = "</script><script>alert(1)</script><!-- {{script}} \u{2028} & ' \" ]]>";
    let mut metafile = unfinished();
    metafile.notes = vec![evil.to_owned()];
    metafile.modules[4].name = format!("shout{evil}");
    metafile.modules[4].definitions[0].name = evil.to_owned();
    let manifest = serde_json::json!({
        "version": "v1", "metadata": {"name": evil},
        "nodes": [{"id": "shout", "node_type": "Shout"}],
    });
    metafile.bundle.manifest = Manifest::parse(&manifest.to_string(), "evil.json".as_ref())
        .unwrap()
        .manifest;
    let metafile = metafile.finish().unwrap();
    let page = html(&metafile, None);
    let plain = html(&example(), None);
    for tag in ["<script", "</script", "<!--", "<style", "</style"] {
        assert_eq!(
            page.matches(tag).count(),
            plain.matches(tag).count(),
            "{tag}"
        );
    }
    assert!(
        page.contains("<h1 id=\"title\">&lt;/script&gt;&lt;script&gt;alert(1)"),
        "{page}"
    );
    assert_eq!(data_of(&page)["metafile"]["notes"][0], evil);
    assert_eq!(page.matches("{{").count(), plain.matches("{{").count() + 6);
}

#[test]
fn the_policy_allows_what_is_there_and_nothing_else() {
    let page = html(&example(), None);
    let policy = between(
        &page,
        "http-equiv=\"Content-Security-Policy\" content=\"",
        "\"",
    );
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let style = between(&page, "<style>", "</style>");
    assert!(policy.contains(&format!("style-src 'sha256-{}'", source_hash(style))));
    let script = between(&page, "<script>", "</script>");
    assert!(policy.contains(&format!("script-src 'sha256-{}'", source_hash(script))));
    for outside in [
        "src=", "url(", "@import", "http://", "https://", "fetch(", "style=",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn a_hash_is_what_browsers_expect() {
    // The example of the specification of content security policies, level 2.
    assert_eq!(
        source_hash("alert('Hello, world.');"),
        "qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
    );
}

#[test]
fn elements_that_scripts_look_for_are_there() {
    let page = html(&example(), None);
    let script = between(&page, "<script>", "</script>");
    let calls = ["getElementById(\"", "byId(\""];
    let wanted: Vec<_> = calls
        .iter()
        .flat_map(|call| script.split(call).skip(1))
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(wanted.len() > 20, "{wanted:?}");
    for id in wanted {
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[test]
fn a_pipeline_without_python_has_a_page_too() {
    let mut bundle = description();
    bundle.engine = None;
    bundle.nodes.clear();
    let metafile = Metafile::begin(Digest::of(b"none"), bundle, Vec::new())
        .finish()
        .unwrap();
    assert_eq!(
        data_of(&html(&metafile, None))["metafile"]["modules"],
        serde_json::json!([])
    );
}

/// What the scripts make of a page's data, and `why` of the same metafile. Node.js runs the scripts, where it is there.
#[test]
fn the_page_finds_the_ways_that_why_finds() {
    let mut metafile = unfinished();
    metafile.modules[0].because = Some(Because::Interpreter);
    let metafile = metafile.finish().unwrap();
    let page = html(&metafile, None);
    let data = serde_json::to_string(&data_of(&page).to_string()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("test.js");
    let ask = "const both = treeOf({}, { show: 'both', by: 'source' }).children;
        console.log(JSON.stringify({
            ways: things.map((thing) => chainTo(thing).map((step) => step.name)),
            led: things.map((thing) => broughtIn(thing).length),
            sum: both.reduce((sum, { size }) => sum + size, 0),
        }));";
    let model = SCRIPTS[0];
    let text = format!(
        "const document = {{ getElementById: () => ({{ textContent: {data} }}) }};\n{model}\n{ask}"
    );
    std::fs::write(&script, text).unwrap();
    let output = match Command::new("node").arg(&script).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("no node here: the page's scripts are not run");
            return;
        }
        output => output.unwrap(),
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let places: Vec<_> = (0..metafile.modules.len())
        .flat_map(|module| {
            let definitions = 0..metafile.modules[module].definitions.len();
            let definitions = definitions.map(move |number| Place::definition(module, number));
            [Place::module(module)].into_iter().chain(definitions)
        })
        .collect();
    let way = |place: &Place| -> Vec<_> {
        let chain = metafile.chain(*place);
        chain
            .iter()
            .rev()
            .map(|(place, _)| metafile.name(*place))
            .collect()
    };
    let ways: Vec<_> = places.iter().map(way).collect();
    assert_eq!(found["ways"], serde_json::json!(ways));
    let leads_to = |place: &Place| {
        let from = |other: &&Place| metafile.because(**other).and_then(Because::from);
        places
            .iter()
            .filter(|other| from(other) == Some(*place))
            .count()
    };
    let led: Vec<_> = places.iter().map(leads_to).collect();
    assert_eq!(found["led"], serde_json::json!(led));
    assert_eq!(found["sum"], metafile.totals.source.before);
}
