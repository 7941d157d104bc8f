use std::path::Path;

use super::*;
use crate::report::example::{example, link, unfinished};

fn read(json: &str) -> Result<Metafile, String> {
    Metafile::from_json(json.as_bytes(), Path::new("meta.json")).map_err(|error| {
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        format!("{error}{}", source.unwrap_or_default())
    })
}

#[test]
fn what_is_written_is_read_and_written_again() {
    let metafile = example();
    let json = metafile.to_json();
    let again = read(&json).unwrap();
    assert_eq!(again, metafile);
    assert_eq!(again.to_json(), json);
}

#[test]
fn a_definition_is_a_line() {
    let json = example().to_json();
    let method = r#"{"name":"JSONDecoder.decode","kind":"method","line":30,"end_line":39,"bytes":700,"because":{"link":{"from":[1,2],"line":46,"kind":"attribute"}}}"#;
    assert!(
        json.lines()
            .any(|line| line.trim_end_matches(',') == method),
        "{json}"
    );
}

#[test]
fn modules_and_definitions_are_sorted_whatever_their_order_was() {
    let names = |metafile: &Metafile| -> Vec<_> {
        metafile
            .modules
            .iter()
            .map(|module| module.name.clone())
            .collect()
    };
    let metafile = example();
    assert_eq!(
        names(&metafile),
        ["_json", "json", "json.decoder", "json.tool", "shout"]
    );
    let mut modules = metafile.modules.clone();
    modules.reverse();
    for module in &mut modules {
        module.definitions.reverse();
    }
    let other = Metafile::begin(metafile.content, metafile.bundle.clone(), modules);
    assert_eq!(other.modules, metafile.modules);
}

#[test]
fn totals_leave_the_engine_out() {
    let totals = example().totals;
    assert_eq!(
        totals.modules,
        KeptAndRemoved {
            kept: 3,
            removed: 1
        }
    );
    assert_eq!(
        totals.definitions,
        KeptAndRemoved {
            kept: 5,
            removed: 2
        }
    );
    assert_eq!(
        totals.source,
        BeforeAndKept {
            before: 4200,
            kept: 2600
        }
    );
    assert_eq!(totals.code, 1300);
}

#[test]
fn a_chain_leads_to_the_root() {
    let metafile = example();
    let chain = metafile.chain(Place::definition(2, 0));
    let places: Vec<_> = chain
        .iter()
        .map(|(place, _)| metafile.name(*place))
        .collect();
    assert_eq!(
        places,
        [
            "json.decoder.JSONDecoder",
            "json.JSONDecoder",
            "json.loads",
            "shout.Shout"
        ]
    );
    assert_eq!(chain.last().unwrap().1, &Because::Node("Shout".to_owned()));
    assert_eq!(metafile.chain(Place::module(3)), []);
    assert_eq!(metafile.chain(Place::definition(99, 0)), []);
}

#[test]
fn other_files_are_refused_by_name() {
    let advice = "; `rm-pack build PIPELINE --metafile FILE` writes one";
    assert_eq!(
        read(r#"{"version":"v1","nodes":[]}"#).unwrap_err(),
        format!("`meta.json` is not a metafile: it has no `schema`{advice}")
    );
    assert_eq!(
        read(r#"{"schema":1}"#).unwrap_err(),
        format!("`meta.json` is not a metafile: it has no `modules`{advice}")
    );
    assert!(
        read("PK\u{3}\u{4}")
            .unwrap_err()
            .contains("it is no JSON object (expected value at line 1")
    );
    assert!(read("").unwrap_err().contains("it is no JSON object"));
    assert!(read("[]").unwrap_err().contains("it is no JSON object"));
    for schema in ["2", "\"1\"", "1.5"] {
        let json = example()
            .to_json()
            .replacen("\"schema\":1", &format!("\"schema\":{schema}"), 1);
        let error = read(&json).unwrap_err();
        assert!(
            error.starts_with(&format!(
                "`meta.json` is a metafile of schema {schema}, and this rm-pack reads schema 1"
            )),
            "{error}"
        );
    }
}

#[test]
fn fields_of_another_type_are_named() {
    let json = example().to_json().replacen("\"code\":", "\"kode\":", 1);
    let error = read(&json).unwrap_err();
    assert!(
        error.contains("damaged metafile: missing field `code` at line"),
        "{error}"
    );
    let json = example().to_json().replacen("[4,0]", "[4,0,1]", 1);
    let error = read(&json).unwrap_err();
    assert!(
        error.contains("a place is the number of a module"),
        "{error}"
    );
}

/// What is wrong with an example that was changed.
fn wrong(change: impl FnOnce(&mut Metafile)) -> String {
    let mut metafile = unfinished();
    change(&mut metafile);
    metafile.finish().unwrap_err()
}

#[test]
fn what_does_not_fit_together_is_found() {
    let nowhere = wrong(|metafile| {
        metafile.modules[2].because = link(Place::module(7), 1, LinkKind::Import);
    });
    assert_eq!(
        nowhere,
        "modules[2] (`json.decoder`) is there because of [7], which is not in the bundle"
    );
    let of_removed = wrong(|metafile| {
        metafile.modules[2].definitions[0].because =
            link(Place::definition(1, 1), 1, LinkKind::Call);
    });
    assert_eq!(
        of_removed,
        "modules[2] (`json.decoder`).definitions[0] (`JSONDecoder`) is there because of [1, 1], which is not in the bundle"
    );
    let circle = wrong(|metafile| {
        metafile.modules[4].because = link(Place::module(1), 1, LinkKind::Import);
    });
    assert_eq!(circle, "`json` is there because of itself");
    let itself = wrong(|metafile| {
        metafile.modules[4].because = link(Place::module(4), 1, LinkKind::Import);
    });
    assert_eq!(itself, "`shout` is there because of itself");
    let orphan = wrong(|metafile| metafile.modules[2].because = None);
    assert!(orphan.contains("is not in the bundle"), "{orphan}");
    let twice = wrong(|metafile| metafile.modules[1].name = "json.decoder".to_owned());
    assert!(twice.contains("each named once"), "{twice}");
    let counted_twice = wrong(|metafile| metafile.modules[2].definitions[0].bytes = 1001);
    assert!(counted_twice.contains("add up to more"), "{counted_twice}");
    let too_many = wrong(|metafile| metafile.modules[2].definitions[0].bytes = u64::MAX);
    assert!(too_many.contains("add up to more"), "{too_many}");
}

#[test]
fn wrong_totals_are_found_and_huge_ones_do_no_harm() {
    let json = example()
        .to_json()
        .replacen("\"before\":4200", "\"before\":4201", 1);
    let error = read(&json).unwrap_err();
    assert_eq!(
        error,
        "`meta.json` is a damaged metafile: totals are not the sums over its modules"
    );
    let mut metafile = example();
    for module in &mut metafile.modules {
        module.source.before = u64::MAX;
        module.code = u64::MAX;
    }
    assert!(
        read(&metafile.to_json())
            .unwrap_err()
            .contains("totals are not")
    );
}

#[test]
fn files_that_cannot_be_read_or_written_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meta.json");
    let error = Metafile::read(&path).unwrap_err().to_string();
    assert_eq!(error, format!("cannot read `{}`", path.display()));
    example().write(&path).unwrap();
    assert_eq!(Metafile::read(&path).unwrap(), example());
    let error = example()
        .write(&path.join("below"))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        format!("cannot write `{}`", path.join("below").display())
    );
}
