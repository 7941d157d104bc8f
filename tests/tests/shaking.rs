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

/// Values that nobody uses, and what giving them does: whatever is called on the way is noted.
const EFFECTS: &str = r#"
import csv, dataclasses, enum, functools

SEEN = []


def note(word):
    SEEN.append(word)
    return word


def route(path):
    def decorate(function):
        SEEN.append(path)
        return function
    return decorate


def route_by_lambda(path):
    return lambda function: SEEN.append(path) or function


class Route:
    def __init__(self, path):
        self.path = path

    def __call__(self, function):
        SEEN.append(self.path)
        return function


@route("/decorated")
def page():
    pass


@route_by_lambda("/lambda")
def other_page():
    pass


@Route("/object")
def last_page():
    pass


mapped = list(map(note, ["map"]))
filtered = tuple(filter(SEEN.append, ["filter"]))
ordered = sorted(["key"], key=note)
reduced = functools.reduce(lambda _, word: note(word), ["reduce"], 0)

LINES = csv.reader(["head", "row"])
HEAD = next(LINES)
NUMBERS = iter(range(12))
first, second = next(NUMBERS), next(NUMBERS)
third = [number for number in zip(NUMBERS, "a")]
known = 5 in NUMBERS
joined = "".join(str(number) for number in zip(NUMBERS, "b"))


def after():
    return next(NUMBERS)


fifth = after()


@dataclasses.dataclass
class Post:
    value: int = 0

    def __post_init__(self):
        SEEN.append("post_init")


@dataclasses.dataclass
class Factory:
    value: str = dataclasses.field(default_factory=lambda: note("factory"))


class Calls:
    def __init__(self, then):
        self.then = then
        self.prepare()
        self.then("callback")

    def prepare(self):
        pass


class CallsMore(Calls):
    def prepare(self):
        SEEN.append("overridden")


class Task:
    def __init__(self, name):
        self.name = name

    def __class_getitem__(cls, name):
        SEEN.append(f"class {name}")
        return cls(name)

    def __rshift__(self, other):
        SEEN.append(f"{self.name} >> {other.name}")
        return other

    def __len__(self):
        SEEN.append(f"len {self.name}")
        return 1

    def __getattr__(self, name):
        SEEN.append(f"getattr {name}")
        return self

    @property
    def loud(self):
        SEEN.append(f"property {self.name}")
        return self

    @classmethod
    def named(cls, name):
        return cls(name)


task = Task("first")
flow = task >> Task.named("second") >> Task("third")
of_class = Task["item"]
length = len(task)
asked = task.computed
of_property = task.loud
in_text = f"{task.loud}"


class Shared:
    all = []

    def __init__(self):
        self.all.append("shared")


class Sets:
    def __init__(self):
        self.value = 1

    @property
    def value(self):
        return 1

    @value.setter
    def value(self, value):
        SEEN.append("setter")


class Named:
    def __set_name__(self, owner, name):
        SEEN.append("set_name")


class Owner:
    attribute = Named()


class Members(enum.Enum):
    ONE = 1

    def __init__(self, value):
        SEEN.append("enum")


post, factory, calls, shared, sets = Post(), Factory(), CallsMore(note), Shared(), Sets()
shared_again = Shared()
__name__ = "renamed"


class Late:
    pass


class Counts:
    def process(self, data):
        return [SEEN, list(LINES), list(NUMBERS), Shared.all, Late.__module__]
"#;

#[test]
fn what_nobody_uses_is_computed_where_that_does_something() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "manifest:\n  version: v1\n  metadata: {name: counts}\n  nodes: [{id: n, node_type: Counts}]\ninput_data: [1]\n";
    std::fs::write(folder.path().join("nodes.py"), EFFECTS).unwrap();
    std::fs::write(folder.path().join("pipeline.yaml"), manifest).unwrap();
    let told = |options: &[&str]| {
        let mut command = rm_pack();
        let command = command.arg("run").args(options);
        Finished::of(command.arg(folder.path().join("pipeline.yaml"))).success()
    };
    let whole = told(&["--no-shake"]);
    for word in [
        "/decorated",
        "reduce",
        "factory",
        "overridden",
        "setter",
        "enum",
        "first >> second",
        "second >> third",
        "class item",
        "len first",
        "getattr computed",
        "property first",
    ] {
        assert!(whole.contains(word), "{word}: {whole}");
    }
    assert_eq!(told(&[]), whole);
}

/// `multiprocessing` takes all of a submodule of its own, before anything is seen to import the package.
#[test]
fn a_package_that_takes_names_from_its_submodule_is_packed() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "manifest:\n  version: v1\n  metadata: {name: takes}\n  nodes: [{id: n, node_type: Takes}]\ninput_data: [1]\n";
    let node = "class Takes:\n    def process(self, data):\n        import multiprocessing\n        return multiprocessing.cpu_count.__name__\n";
    std::fs::write(folder.path().join("node.py"), node).unwrap();
    let file = folder.path().join("pipeline.yaml");
    std::fs::write(&file, manifest).unwrap();
    let told = |arguments: &[&str]| {
        let mut command = rm_pack();
        let command = command.arg(arguments[0]).arg(&file).args(&arguments[1..]);
        Finished::of(command).success()
    };
    assert_eq!(told(&["run"]), "\"cpu_count\"\n");
    let why = told(&["why", "multiprocessing"]);
    assert!(
        why.contains("in a function") && why.contains("node.py"),
        "{why}"
    );
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

/// Runs a node whose `process` is this, with `data` as its item.
fn processes(body: &str, data: &str, settings: &str) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    let body = body.replace('\n', "\n        ");
    let node = format!(
        "class Node:\n    def process(self, data):\n        {}\n",
        body.trim_end()
    );
    std::fs::write(folder.path().join("nodes.py"), node).unwrap();
    let manifest = format!(
        "manifest:\n  version: v1\n  metadata: {{name: node}}\n  nodes: [{{id: n, node_type: Node}}]\ninput_data: [{data}]\n"
    );
    std::fs::write(folder.path().join("pipeline.yaml"), manifest).unwrap();
    std::fs::write(folder.path().join("pyproject.toml"), settings).unwrap();
    let mut command = rm_pack();
    Finished::of(command.arg("run").arg(folder.path().join("pipeline.yaml")))
}

#[test]
fn an_encoding_that_was_left_out_says_so() {
    let encodes = "return list('é'.encode(data))\n";
    let said = processes(encodes, "shift_jisx0213", "").failure(5);
    assert!(
        said.contains("RemovedError: the encoding `shift_jisx0213` was left out of this bundle")
            && said.contains("include = [\"encodings.shift_jisx0213\"]"),
        "{said}"
    );
    // Under one of its other names.
    let said = processes(encodes, "Windows-1252", "").failure(5);
    assert!(said.contains("[\"encodings.cp1252\"]"), "{said}");
    let kept = "[tool.rm-pack]\ninclude = [\"encodings.cp1252\"]\n";
    assert_eq!(
        processes(encodes, "Windows-1252", kept).success(),
        "[233]\n"
    );
    let catches =
        "try:\n    data.encode(data)\nexcept LookupError as error:\n    return str(error)\n";
    // `bz2_codec` needs a module in C that the engine lacks, and `mbcs` is that of Windows.
    for none in ["nonsense", "mbcs", "bz2", "aliases"] {
        assert_eq!(
            processes(catches, none, "").success(),
            format!("\"unknown encoding: {none}\"\n")
        );
    }
    let said = processes(catches, "shift_jisx0213", "").failure(5);
    assert!(said.contains("RemovedError"), "{said}");
}

#[test]
fn names_whose_objects_somebody_changes_say_so_too() {
    let body = "from typing import Dict\nmodule = __import__('typ' + data)\nreturn str(Dict) + str(getattr(module, 'Iter' + 'able'))\n";
    let said = processes(body, "ing", "").failure(5);
    assert!(
        said.contains("RemovedError: `typing.Iterable` was left out"),
        "{said}"
    );
    let kept = "[tool.rm-pack]\nkeep = [\"typing.Iterable\"]\n";
    let given = processes(body, "ing", kept).success();
    assert_eq!(given, "\"typing.Dicttyping.Iterable\"\n");
}

#[test]
fn names_of_hosts_are_looked_up_without_their_encoding() {
    let connects = "import socket\ntry:\n    socket.create_connection((data, 80))\nexcept OSError as error:\n    return type(error).__name__\n";
    for host in ["localhost", "127.0.0.1"] {
        assert_eq!(processes(connects, host, "").success(), "\"gaierror\"\n");
    }
    let encodes = "try:\n    return data.encode('id' + 'na').decode()\nexcept UnicodeError as error:\n    return str(error)\n";
    let same = |host: &str| {
        let kept = "[tool.rm-pack]\ninclude = [\"encodings.idna\"]\n";
        let without = processes(encodes, host, "").success();
        assert_eq!(without, processes(encodes, host, kept).success(), "{host}");
    };
    same("example.org.");
    same("a..b");
    same(&format!("a.{}.b", "c".repeat(64)));
    let said = processes(encodes, "é.org", "").failure(5);
    assert!(said.contains("include = [\"encodings.idna\"]"), "{said}");
}

#[test]
fn a_coroutine_that_nobody_awaits_gives_its_warning_and_nothing_else() {
    // `re` brings `warnings` along, without what C code would ask it for.
    let forgets = "import re\nre.match(data, data)\nasync def forgotten():\n    pass\nforgotten()\nreturn 1\n";
    let said = processes(forgets, "a", "");
    let lines: Vec<&str> = said
        .stderr
        .lines()
        .filter(|line| line.starts_with("[n]"))
        .collect();
    assert_eq!(
        lines,
        [
            "[n] nodes.py:7: RuntimeWarning: coroutine 'Node.process.<locals>.forgotten' was never awaited",
            "[n] RuntimeWarning: Enable tracemalloc to get the object allocation traceback",
        ]
    );
    let tracks = format!("import sys\nsys.set_coroutine_origin_tracking_depth(1)\n{forgets}");
    let said = processes(&tracks, "a", "");
    assert!(
        said.stderr.contains("Coroutine created at"),
        "{}",
        said.stderr
    );
}

#[test]
fn what_only_a_star_would_have_brought_says_so() {
    let take = "import asyncio\ndef take(module, name):\n    return getattr(module, name)\nreturn take(asyncio, data), asyncio.sleep\n";
    let said = processes(take, "BoundedSemaphore", "").failure(5);
    assert!(
        said.contains("RemovedError: `asyncio.BoundedSemaphore` was left out"),
        "{said}"
    );
    let has = "import asyncio\ndef has(module, name):\n    return hasattr(module, name)\nreturn has(asyncio, data), asyncio.sleep is None\n";
    assert_eq!(
        processes(has, "BoundedSemaphore", "").success(),
        "[true,false]\n"
    );
    assert_eq!(
        processes(has, "BoundedNonsense", "").success(),
        "[false,false]\n"
    );
}

#[test]
fn pickling_works_where_somebody_does_it() {
    let copies = "import copy, logging\nclass Own:\n    def __init__(self, x):\n        self.x = x\n    def __reduce__(self):\n        return Own, (self.x + 1,)\nown = copy.copy(Own(data)).x\nreturn own, copy.deepcopy(logging.getLogger('a')) is logging.getLogger('a')\n";
    assert_eq!(processes(copies, "1", "").success(), "[2,true]\n");
    let reduces = "return data.__reduce_ex__(2)[1][1]\n";
    assert_eq!(processes(reduces, "7", "").success(), "7\n");
}

#[test]
fn long_numbers_are_those_of_the_whole_program() {
    let divides = "return (7**20000) // (3**9000) % 1000007\n";
    assert_eq!(processes(divides, "1", "").success(), "676178\n");
    let writes = "try:\n    return len(str(10**data))\nexcept ValueError as error:\n    return str(error)[:30]\n";
    assert_eq!(
        processes(writes, "20000", "").success(),
        "\"Exceeds the limit (4300 digits\"\n"
    );
    let lifts = format!(
        "import sys\nsys.set_int_max_str_digits(0)\nassert int('9' * 20000) + 1 == 10**20000\n{writes}"
    );
    assert_eq!(processes(&lifts, "20000", "").success(), "20001\n");
}

#[test]
fn what_the_library_imports_by_name_is_whole_enough() {
    let reads = "import xml.sax\nclass Names(xml.sax.ContentHandler):\n    def __init__(self):\n        self.names = []\n    def startElement(self, name, attributes):\n        self.names.append(name)\nnames = Names()\nxml.sax.parseString(data, names)\nreturn names.names\n";
    assert_eq!(
        processes(reads, "'<a><b/></a>'", "").success(),
        "[\"a\",\"b\"]\n"
    );
    let opens = "import io, zipfile\nfile = io.BytesIO()\nwith zipfile.ZipFile(file, 'w') as archive:\n    archive.writestr('a.txt', data)\nreturn zipfile.ZipFile(file).read('a.txt').decode()\n";
    assert_eq!(processes(opens, "hi", "").success(), "\"hi\"\n");
    let encodes = "code = 'cp1252'\nreturn list(data.encode(code))\n";
    assert_eq!(processes(encodes, "'\u{20ac}'", "").success(), "[128]\n");
    let formats = "class Inner:\n    @property\n    def loud(self):\n        return data.upper()\nreturn '{0.loud}'.format(Inner())\n";
    assert_eq!(processes(formats, "a", "").success(), "\"A\"\n");
}
