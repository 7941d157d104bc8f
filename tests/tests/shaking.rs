//! A shaken program is the same program; and what was left out says so.

use std::path::Path;

use end_to_end::{Finished, examples, input_of, rm_pack};

#[test]
fn every_example_gives_the_same_shaken() {
    for (name, manifest) in examples() {
        let mut command = rm_pack();
        command
            .arg("run")
            .arg(&manifest)
            .arg("--input")
            .arg(input_of(&manifest));
        let expected = std::fs::read_to_string(manifest.with_file_name("expected.jsonl")).unwrap();
        assert_eq!(Finished::of(&mut command).success(), expected, "{name}");
    }
}

/// Asks `colorsys` for something by a name that is not in the text; the item says what.
const ASKS: &str = "\
import colorsys

FALLBACK = colorsys.rgb_to_yiq


class Asks:
    def __init__(self, how, **config):
        self.how = how

    def process(self, name):
        name = \"_\".join(name)
        try:
            if self.how == 'has':
                return hasattr(colorsys, name)
            if self.how == 'dir':
                return name in look(colorsys)
            if self.how == 'default':
                return take(colorsys, name, FALLBACK).__name__
        except Exception as error:
            return type(error).__name__
        function = take(colorsys, name)
        return function(1, 0, 0) if self.how == 'call' else function.__name__


def take(module, *arguments):
    return getattr(module, *arguments)


def look(module):
    return dir(module)
";

fn asks(folder: &Path, how: &str, settings: &str) -> Finished {
    let manifest = format!(
        "manifest:\n  version: v1\n  metadata: {{name: asks}}\n  nodes: [{{id: n, node_type: Asks, params: {{how: {how}}}}}]\n\
         input_data: [[rgb, to, hsv]]\n"
    );
    std::fs::write(folder.join("nodes.py"), ASKS).unwrap();
    std::fs::write(folder.join("pipeline.yaml"), manifest).unwrap();
    std::fs::write(folder.join("pyproject.toml"), settings).unwrap();
    let mut command = rm_pack();
    Finished::of(command.arg("run").arg(folder.join("pipeline.yaml")))
}

#[test]
fn what_was_left_out_is_there_for_those_who_only_look() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(asks(folder.path(), "has", "").success(), "true\n");
    assert_eq!(asks(folder.path(), "dir", "").success(), "true\n");
}

#[test]
fn what_ran_in_a_trace_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let asks = |trace: &str| {
        std::fs::write(folder.path().join("trace.jsonl"), trace).unwrap();
        let mut command = rm_pack();
        command
            .arg("run")
            .arg(folder.path().join("pipeline.yaml"))
            .arg("--trace")
            .arg(folder.path().join("trace.jsonl"));
        Finished::of(&mut command)
    };
    // It writes the pipeline, too.
    self::asks(folder.path(), "call", "").failure(5);
    let same = asks("[\"rgb\", \"to\", \"hsv\"]\n");
    assert!(!same.stderr.contains("rm-pack ran"), "{}", same.stderr);
    assert_eq!(same.success(), "[0.0,1.0,1]\n");
    let other = asks("[\"hsv\", \"to\", \"rgb\"]\n").failure(5);
    assert!(
        other.contains("RemovedError: `colorsys.rgb_to_hsv`"),
        "{other}"
    );
}

#[test]
fn what_was_left_out_is_not_hidden_by_except_or_a_default() {
    let folder = tempfile::tempdir().unwrap();
    for how in ["get", "default"] {
        let said = asks(folder.path(), how, "").failure(5);
        assert!(
            said.contains("RemovedError: `colorsys.rgb_to_hsv` was left out of this bundle"),
            "{said}"
        );
        assert!(said.contains("keep = [\"colorsys.rgb_to_hsv\"]"), "{said}");
    }
}

#[test]
fn settings_keep_it() {
    let folder = tempfile::tempdir().unwrap();
    for kept in ["colorsys.rgb_to_hsv", "colorsys:rgb_to_hsv", "colorsys.*"] {
        let settings = format!("[tool.rm-pack]\nkeep = [\"{kept}\"]\n");
        assert_eq!(
            asks(folder.path(), "get", &settings).success(),
            "\"rgb_to_hsv\"\n"
        );
    }
}
