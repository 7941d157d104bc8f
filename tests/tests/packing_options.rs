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
        return [f'{__debug__}']
";

#[test]
fn asserts_go_with_all_that_only_they_use() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(folder.path(), ASSERTS, &[]).failure(5);
    assert!(said.contains("rgb_to_hsv() missing 1 required"), "{said}");
    for options in [&["-O"][..], &["-O", "--no-shake"]] {
        assert_eq!(
            run(folder.path(), ASSERTS, options).success(),
            "[\"False\"]\n"
        );
    }
    for gone in ["colorsys", "nodes.is_right"] {
        let mut command = rm_pack();
        command.args(["why", "-O"]);
        command.arg(folder.path().join("pipeline.yaml")).arg(gone);
        let said = Finished::of(&mut command).success();
        assert!(
            said.contains("nothing that is in the bundle reaches it"),
            "{said}"
        );
    }
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

/// Asks for what the data names: globals of a module, attributes of an object.
const ASKS: &str = "\
import shapes


class Asks:
    def __init__(self, **config):
        self.shape = shapes.Shape()

    def process(self, parts):
        kind, *name = parts
        what = shapes if kind == \"module\" else self.shape
        shown = (\"{0.\" + \"\".join(name) + \"}\").format(what)
        return [shown.partition(\" at \")[0], self.shape.used()]
";

/// Beside it: definitions of all kinds that nothing is seen to use, and an import that only they need.
const SHAPES: &str = "\
import colorsys

import shelves

NAMES = (\"a\", \"b\")


def helper(count):
    return count * SCALE


SCALE = colorsys.ONE_SIXTH
TABLE = {\"made\": helper}
Text = shelves.Shelf

if NAMES[0]:
    from colorsys import ONE_THIRD, TWO_THIRD
    doubtful = [SCALE, TWO_THIRD]
    kept = NAMES
else:
    doubtful = None


class Base:
    @property
    def titled(self):
        return \"base\"


class Shape(Base):
    first = NAMES[0]

    def used(self):
        return [self.first, kept]

    @property
    def titled(self):
        return super().titled + \" of a shape \" + repr(self.__own(SCALE))

    def __own(self, scale, first=first):
        return [scale, first, __class__.__name__, kept]

    @classmethod
    def maker(cls) -> Base:
        return cls
";

const SHELVES: &str = "\
import textwrap

SIZE = 3


class Shelf:
    def __init__(self):
        textwrap.dedent(\"\")
";

const PARTS: [&str; 10] = [
    "module, TA, BLE",
    "module, SCA, LE",
    "module, doubt, ful",
    "module, Te, xt",
    "module, help, er",
    "object, tit, led",
    "object, ma, ker",
    "object, tit, led",
    "object, ma, ker.__annotations__",
    "module, TA, BLE",
];

#[test]
fn what_was_left_out_is_brought_in_where_it_is_carried() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("pipeline.yaml");
    write(folder.path(), ASKS);
    std::fs::write(folder.path().join("shapes.py"), SHAPES).unwrap();
    std::fs::write(folder.path().join("shelves.py"), SHELVES).unwrap();
    let text = std::fs::read_to_string(&manifest).unwrap();
    let items = PARTS.map(|parts| format!("[{parts}]")).join(", ");
    std::fs::write(&manifest, text.replace("[1, 2]", &items)).unwrap();
    let run = |options: &[&str]| {
        let mut command = rm_pack();
        Finished::of(command.arg("run").args(options).arg(&manifest))
    };
    let said = run(&[]).failure(5);
    assert!(
        said.contains("RemovedError: `shapes.TABLE` was left out"),
        "{said}"
    );
    let whole = run(&["--no-shake"]);
    let brought = run(&["--on-missing", "load"]);
    // Each is named once, and what it needs in its own module or in others is not.
    let warned: Vec<&str> = brought
        .stderr
        .lines()
        .filter_map(|line| line.split_once("keep = [\"")?.1.split_once("\"]"))
        .map(|(definition, _)| definition)
        .collect();
    assert_eq!(
        warned,
        [
            "shapes.TABLE",
            "shapes.doubtful",
            "shapes.Text",
            "shapes.Shape.titled",
            "shapes.Base.titled",
            "shapes.Shape.__own",
            "shapes.Shape.maker",
        ]
    );
    assert_eq!(brought.success(), whole.success());
    // A bundle says which modules it has only for that.
    let out = folder.path().join("dist");
    let mut build = rm_pack();
    build
        .args(["build", "--on-missing", "load", "--out"])
        .arg(&out)
        .arg(&manifest);
    let path = Finished::of(&mut build).success();
    let mut inspect = rm_pack();
    let shown = Finished::of(inspect.args(["inspect", "--json"]).arg(path.trim())).success();
    assert!(
        shown.contains("left out, and brought in when it is asked for"),
        "{shown}"
    );
    let mut verify = rm_pack();
    Finished::of(verify.arg("verify").arg(path.trim())).success();
}

/// Does without a module that it can do without.
const DOES_WITHOUT: &str = "\
try:
    import colorsys
except ImportError:
    colorsys = None


class Asks:
    def process(self, data):
        return colorsys is None
";

#[test]
fn what_is_excluded_is_as_if_it_were_not_installed() {
    let folder = tempfile::tempdir().unwrap();
    let told = || run(folder.path(), DOES_WITHOUT, &[]).success();
    assert_eq!(told(), "false\n");
    let settings = "[tool.rm-pack]\nexclude = ['colorsys']\n";
    std::fs::write(folder.path().join("pyproject.toml"), settings).unwrap();
    assert_eq!(told(), "true\n");
}

#[test]
fn a_node_cannot_be_excluded() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[tool.rm-pack]\nexclude = ['nodes']\n";
    std::fs::write(folder.path().join("pyproject.toml"), settings).unwrap();
    let told = run(folder.path(), DOES_WITHOUT, &[]).failure(3);
    assert!(
        told.contains("`nodes` is where a node of the pipeline is"),
        "{told}"
    );
}
