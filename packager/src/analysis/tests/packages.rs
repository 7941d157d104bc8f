//! Packages that whoever runs the bundle adds: nothing is known of what is in them.

use super::*;

/// The packages that `node.py`, which imports `given` and `other` from whoever runs it, needs in all and to be imported.
#[track_caller]
fn needs(files: &[(&str, &str)], all: &[&str], at_import: &[&str]) -> Closure {
    let mut case = case(files);
    case.target.packages = names(&["given", "other"]);
    let entry = NodeModule {
        node_type: "Node".to_owned(),
        module: "node".to_owned(),
        class: None,
    };
    let closure = analyse(&case.sources, &case.target, &[entry], &whole()).unwrap();
    assert_eq!(closure.packages, names(all));
    assert_eq!(closure.packages_at_import, names(at_import));
    closure
}

#[test]
fn they_are_there_with_all_that_is_asked_of_them() {
    let text =
        "import given.sub\nfrom given import name\ndef later():\n    from other.deep import *\n";
    let closure = needs(&[("node.py", text)], &["given", "other"], &["given"]);
    assert!(closure.missing.is_empty(), "{:?}", closure.missing);
    assert_eq!(shown(&closure), "");
}

#[test]
fn an_import_of_one_works_so_that_its_handler_is_not_needed() {
    let text = "try:\n    import given\nexcept ImportError:\n    import a\n";
    let files = [("node.py", text), ("a.py", "")];
    assert_eq!(shown(&needs(&files, &["given"], &["given"])), "");
}

#[test]
fn a_module_of_the_users_own_wins() {
    let own = ("given/__init__.py", "");
    let closure = needs(&[("node.py", "import given\n"), own], &[], &[]);
    assert_eq!(shown(&closure), "given");
    let own = ("given/inner.py", "");
    let closure = needs(&[("node.py", "import given.inner\n"), own], &[], &[]);
    assert_eq!(shown(&closure), "given.inner");
}

#[test]
fn what_another_target_has_is_said_instead_of_a_guess() {
    let mut case = case(&[("node.py", "import given.sub\n"), ("give.py", "")]);
    let hint = "take the other target";
    case.target.elsewhere = BTreeMap::from([("given".to_owned(), hint.to_owned())]);
    let entry = NodeModule {
        node_type: "Node".to_owned(),
        module: "node".to_owned(),
        class: None,
    };
    let error = analyse(&case.sources, &case.target, &[entry], &whole()).unwrap_err();
    let said = error.to_string();
    assert!(said.contains(hint), "{said}");
    assert!(!said.contains("did you mean"), "{said}");
}
