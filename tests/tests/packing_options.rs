//! What packing can leave out or carry beside the program, where it is asked to.

use std::path::Path;

use end_to_end::{Finished, rm_pack};

fn run(folder: &Path, node: &str, options: &[&str]) -> Finished {
    write(folder, node);
    let mut command = rm_pack();
    Finished::of(
        command
            .arg("run")
            .args(options)
            .arg(folder.join("pipeline.yaml")),
    )
}

fn write(folder: &Path, node: &str) {
    let manifest = "manifest:\n  version: v1\n  metadata: {name: asks}\n  nodes: [{id: n, node_type: Asks}]\n\
                    input_data: [[1, 2]]\n";
    std::fs::write(folder.join("nodes.py"), node).unwrap();
    std::fs::write(folder.join("pipeline.yaml"), manifest).unwrap();
}

/// Uses a module and a function for nothing but asserts; and asserts what is not true.
const ASSERTS: &str = "\
import colorsys


def is_right(data):
    return colorsys.rgb_to_hsv(*data)


class Asks:
    def process(self, data):
        assert is_right(data), 'no'
        assert (found := data) is None
        if __debug__:
            import wave
            raise ValueError(wave)
        return [f'{__debug__}', 'is_right' in dir_of(self)]


def dir_of(node):
    return type(node).process.__globals__.keys()
";

#[test]
fn asserts_go_with_all_that_only_they_use() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(folder.path(), ASSERTS, &[]).failure(5);
    assert!(said.contains("rgb_to_hsv() missing 1 required"), "{said}");
    for options in [&["-O"][..], &["-O", "--no-shake"]] {
        let is_there = options.len() > 1;
        assert_eq!(
            run(folder.path(), ASSERTS, options).success(),
            format!("[\"False\",{is_there}]\n")
        );
    }
    let mut command = rm_pack();
    let modules = Finished::of(
        command
            .args(["why", "-O"])
            .arg(folder.path().join("pipeline.yaml"))
            .arg("colorsys"),
    );
    let said = modules.success();
    assert!(
        said.contains("nothing that is in the bundle reaches it"),
        "{said}"
    );
}

/// Looks at its own source, and at the lines of an exception.
const LOOKS: &str = "\
import inspect
import traceback

import beside


def unused():
    '''Gone.'''


class Asks:
    def process(self, data):
        '''Its docstring.'''
        try:
            text = inspect.getsource(type(self).process)
        except OSError as error:
            text = str(error)
        try:
            beside.fails()
        except ZeroDivisionError:
            trace = traceback.format_exc()
        whole = inspect.getmodule(self).__loader__.get_source(__name__)
        return [text.splitlines()[0], '1 / 0  # Wrong' in trace, whole is not None and 'Gone.' in whole]
";

#[test]
fn source_is_there_where_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("beside.py"),
        "def unused():\n    pass\n\n\ndef fails():\n    return 1 / 0  # Wrong\n",
    )
    .unwrap();
    assert_eq!(
        run(folder.path(), LOOKS, &[]).success(),
        "[\"could not get source code\",false,false]\n"
    );
    assert_eq!(
        run(folder.path(), LOOKS, &["--keep-source"]).success(),
        "[\"    def process(self, data):\",true,true]\n"
    );
    // A bundle that was written has it, too, and nothing else is needed to run it.
    let out = folder.path().join("dist");
    let mut build = rm_pack();
    Finished::of(
        build
            .args(["build", "-O", "--keep-source", "--out"])
            .arg(&out)
            .arg(folder.path().join("pipeline.yaml")),
    )
    .success();
    let items = folder.path().join("items.jsonl");
    std::fs::write(&items, "1\n").unwrap();
    let mut command = rm_pack();
    assert_eq!(
        Finished::of(command.arg("run").arg(&out).arg("--input").arg(&items)).success(),
        "[\"    def process(self, data):\",true,true]\n"
    );
}
