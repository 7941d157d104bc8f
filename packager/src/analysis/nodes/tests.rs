//! Finding node classes in folders.

use std::collections::BTreeSet;

use super::{NodeClass, ProcessKind, find_nodes, with_bases};
use crate::source::SourceSet;

fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, SourceSet) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut sources = SourceSet::new();
    sources.add_folder(folder.path()).unwrap();
    (folder, sources)
}

/// The one answer, the folder's own path written as `DIR`.
fn find(files: &[(&str, &str)], node_type: &str) -> Result<NodeClass, String> {
    let (folder, sources) = folder(files);
    let mut answers = find_nodes(&sources, &BTreeSet::from([node_type.to_owned()])).unwrap();
    let root = folder.path().canonicalize().unwrap();
    answers.remove(node_type).unwrap().map_err(|error| {
        error
            .to_string()
            .replace(&root.display().to_string(), "DIR")
    })
}

#[test]
fn class_by_name_with_its_facts() {
    let text = "import x\n\nclass Base:\n    is_streaming: bool = True\n    async def process(self, data):\n        yield data\n\n@x.deco\nclass Node(Base):\n    pass\n";
    let found = find(
        &[("sub/my.py", text), ("other.py", "class Nodes: pass\n")],
        "Node",
    )
    .unwrap();
    assert_eq!(
        (found.module.as_str(), found.file.as_str(), found.line),
        ("sub.my", "sub/my.py", 9)
    );
    assert_eq!(
        (found.process, found.is_streaming),
        (Some(ProcessKind::AsyncGenerator), true)
    );
}

#[test]
fn what_a_class_takes_over_from_other_files() {
    let (_folder, sources) = folder(&[
        (
            "base.py",
            "class Base:\n    is_streaming = True\n    def process(self, data): pass\nclass Other(Base): pass\n",
        ),
        ("between.py", "from base import Other as Known\n"),
        (
            "node.py",
            "from between import Known\nclass Stream(Known): pass\nclass Source(Known):\n    is_streaming = False\n    def process(self): yield 1\n",
        ),
    ]);
    let found = |class: &str| {
        let types = BTreeSet::from([class.to_owned()]);
        let found = find_nodes(&sources, &types)
            .unwrap()
            .remove(class)
            .unwrap()
            .unwrap();
        let whole = with_bases(&sources, &found);
        (whole.process, whole.is_streaming, whole.is_source)
    };
    assert_eq!(found("Stream"), (Some(ProcessKind::Plain), true, false));
    assert_eq!(found("Source"), (Some(ProcessKind::Generator), false, true));
}

#[test]
fn kinds_of_process() {
    let kind = |body: &str| {
        find(&[("n.py", &format!("class N:\n  {body}\n"))], "N")
            .unwrap()
            .process
    };
    assert_eq!(
        kind("def process(self, d): return d"),
        Some(ProcessKind::Plain)
    );
    assert_eq!(
        kind("async def process(self, d): return d"),
        Some(ProcessKind::Coroutine)
    );
    assert_eq!(
        kind("def process(self, d): x = yield d"),
        Some(ProcessKind::Generator)
    );
    assert_eq!(
        kind("def process(self, d): return lambda: (yield d)"),
        Some(ProcessKind::Plain)
    );
    assert_eq!(kind("pass"), None);
    let is_source = |body: &str| {
        find(&[("n.py", &format!("class N:\n  {body}\n"))], "N")
            .unwrap()
            .is_source
    };
    assert!(is_source("def process(self): return 1"));
    assert!(!is_source(
        "@staticmethod\n  def process(data): return data"
    ));
    assert!(is_source("@staticmethod\n  def process(): return 1"));
}

#[test]
fn found_twice_lists_both() {
    let class = "class Node: pass\n";
    assert_eq!(
        find(&[("b.py", class), ("a/__init__.py", class), ("tests/c.py", class), ("v/pyvenv.cfg", ""), ("v/d.py", class)], "Node"),
        Err("class `Node` is defined more than once; name one as `module:Class`:\n  DIR/a/__init__.py:1 (`a:Node`)\n  DIR/b.py:1 (`b:Node`)".to_owned())
    );
    assert_eq!(
        find(&[("b.py", class), ("a.py", class)], "b:Node")
            .unwrap()
            .module,
        "b"
    );
}

#[test]
fn not_found_names_the_nearest() {
    assert_eq!(
        find(&[("a.py", "class TextNode(object): pass\n")], "TextNod"),
        Err("no class `TextNod` in DIR; did you mean `TextNode`?".to_owned())
    );
    assert_eq!(
        find(&[("text.py", "class A: ...\n")], "txt:A"),
        Err("no module `txt` in DIR; did you mean `text`?".to_owned())
    );
    assert_eq!(
        find(&[("text.py", "class Alpha: ...\n")], "text:Alpa"),
        Err("DIR/text.py neither defines nor imports a class `Alpa` at its top level; did you mean `Alpha`?".to_owned())
    );
}

#[test]
fn broken_files_matter_only_when_they_have_the_name() {
    let broken = ("broken.py", "def (:\n");
    assert!(find(&[broken, ("a.py", "class Node: pass\n")], "Node").is_ok());
    let error = find(&[("a.py", "class Node\n")], "Node").unwrap_err();
    assert!(
        error.starts_with("DIR/a.py:1:11: syntax error: "),
        "{error}"
    );
}

#[test]
fn explicit_class_may_be_imported() {
    let files = [
        ("p/__init__.py", "from .impl import Inner as Outer\n"),
        (
            "p/impl.py",
            "try:\n    pass\nfinally:\n    class Inner:\n        def process(self, d): yield d\n",
        ),
    ];
    let found = find(&files, "p:Outer").unwrap();
    assert_eq!(
        (
            found.module.as_str(),
            found.class.as_str(),
            found.file.as_str()
        ),
        ("p", "Outer", "p/impl.py")
    );
    assert_eq!(
        (found.line, found.process),
        (4, Some(ProcessKind::Generator))
    );
}

#[test]
fn overlapping_folders_give_the_shorter_name() {
    let (folder, mut sources) = folder(&[("src/pkg/n.py", "class N: pass\n")]);
    sources.add_folder(&folder.path().join("src")).unwrap();
    let answers = find_nodes(&sources, &BTreeSet::from(["N".to_owned()])).unwrap();
    assert_eq!(answers["N"].as_ref().unwrap().module, "pkg.n");
}

/// A pipe would be read for ever; what is no file has no class in it.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_passed_over() {
    let (folder, sources) = folder(&[("node.py", "class N:\n    def process(self, data): ...\n")]);
    std::os::unix::fs::symlink("nowhere", folder.path().join("dangling.py")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket.py")).unwrap();
    let mut answers = find_nodes(&sources, &BTreeSet::from(["N".to_owned()])).unwrap();
    assert_eq!(answers.remove("N").unwrap().unwrap().module, "node");
}

#[test]
fn a_file_that_another_folder_hides_defines_nothing() {
    let class = "class N: pass\n";
    let (folder, mut sources) = folder(&[("a.py", class), ("more/a.py", class)]);
    let more = folder.path().join("more");
    std::fs::write(more.join("__init__.py"), "").unwrap();
    let mut first = SourceSet::new();
    first.add_folder(folder.path()).unwrap();
    first.add_folder(&more).unwrap();
    let wanted = BTreeSet::from(["N".to_owned()]);
    // `more.a` is another module than `a`, and both can be imported.
    assert!(find_nodes(&first, &wanted).unwrap()["N"].is_err());
    // As folders side by side, the second `a` can never be.
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("a.py"), class).unwrap();
    std::fs::remove_dir_all(&more).unwrap();
    sources.add_folder(other.path()).unwrap();
    let found = &find_nodes(&sources, &wanted).unwrap()["N"];
    assert_eq!(found.as_ref().unwrap().module, "a");
}
