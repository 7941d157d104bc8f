//! Programs that a shaken text could get wrong without a word: each gives the same whole and shaken, and that is what plain
//! Python gives.

use std::path::{Path, PathBuf};

use end_to_end::{Finished, rm_pack};

const MANIFEST: &str = "manifest:\n  version: v1\n  metadata: {name: case}\n  nodes: [{id: case, node_type: Case}]\ninput_data: [1]\n";

/// What the node `Case` of `files` gives, packed whole and shaken.
fn gives(files: &[(&str, &str)], expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    write("pipeline.yaml", MANIFEST);
    for (name, text) in files {
        write(name, text);
    }
    for options in [&["--no-shake"][..], &[]] {
        assert_eq!(
            run(folder.path(), options),
            format!("{expected}\n"),
            "{options:?}"
        );
    }
}

fn run(folder: &Path, options: &[&str]) -> String {
    let mut command = rm_pack();
    let command = command.arg("run").args(options);
    Finished::of(command.arg(folder.join("pipeline.yaml"))).success()
}

/// One node whose `process` returns `value`, behind `text`.
fn node_gives(text: &str, value: &str, expected: &str) {
    let node =
        format!("{text}\nclass Case:\n    def process(self, data):\n        return {value}\n");
    gives(&[("node.py", &node)], expected);
}

/// Programs of several modules that change what others have, each in its own way: `tests/cases/whole_and_shaken`.
#[test]
fn programs_of_several_modules() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/whole_and_shaken");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    let failed: Vec<String> = std::thread::scope(|scope| {
        let halves = cases.chunks(cases.len().div_ceil(2));
        let running: Vec<_> = halves
            .map(|half| scope.spawn(|| half.iter().filter_map(|case| differs(case)).collect()))
            .collect();
        let each = running.into_iter().map(|thread| thread.join().unwrap());
        each.flat_map(|failed: Vec<String>| failed).collect()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What a case gives instead of what it should, whole or shaken.
fn differs(case: &Path) -> Option<String> {
    let expected = std::fs::read_to_string(case.join("expected.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("pipeline.yaml");
    std::fs::write(&manifest, MANIFEST).unwrap();
    for options in [&["--no-shake"][..], &[]] {
        let mut command = rm_pack();
        command.arg("run").args(options).arg(&manifest);
        let finished = Finished::of(command.arg("--source").arg(case));
        if finished.stdout != expected {
            return Some(format!("{} {options:?}: {finished:?}", case.display()));
        }
    }
    None
}

#[test]
fn methods_that_are_called_like_those_of_built_in_types() {
    node_gives(
        r"
import queue

class Registry:
    def __init__(self): self.names = []
    def get(self, name):
        self.names.append(name)
        return name
    @classmethod
    def keys(cls): SEEN.append('keys')

class Items(dict):
    def items(self):
        SEEN.append('items')
        return []

SEEN = []
registry = Registry()
first = registry.get('a')
second = Registry.keys()
items = Items()
third = items.items()
jobs = queue.Queue()
jobs.put(1)
jobs.put(2)
fourth = jobs.get()
fifth = jobs.get()
plain = 'a-b'.split('-')
",
        "[registry.names, SEEN, fifth]",
        r#"[["a"],["keys","items"],2]"#,
    );
}

#[test]
fn iterators_that_classes_and_containers_hold() {
    node_gives(
        r"
import itertools

class Task:
    ids = itertools.count()
    def __init__(self): self.id = next(Task.ids)

class Job:
    ids = itertools.count()
    def __init__(self): self.id = next(type(self).ids)

class Step:
    ids = itertools.count()
    def __init__(self): self.id = self.next_id()
    @classmethod
    def next_id(kind): return next(kind.ids)

def number(ids=itertools.count()): return next(ids)

task, other_task = Task(), Task()
job, other_job = Job(), Job()
step, other_step = Step(), Step()
zero = number()
one = number()
held = {'a': itertools.count()}
first = next(held['a'])
second = next(held['a'])
lines = iter('abcd')
skipped = next(itertools.chain(lines))
pair = next(zip(*[lines] * 2))
",
        "[other_task.id, other_job.id, other_step.id, one, second, ''.join(lines)]",
        r#"[1,1,1,1,1,"d"]"#,
    );
}

#[test]
fn what_operators_and_additions_change() {
    node_gives(
        r"
class Counts:
    def __init__(self): self.n = 0
    def __add__(self, other):
        self.n += 1
        return self
    def __str__(self):
        self.n += 10
        return ''
    def __hash__(self):
        self.n += 100
        return 1
    def __index__(self):
        self.n += 1000
        return 0
    @property
    def asked(self): self.n += 10000

class Sums:
    total = []
    def __init__(self): self.total += [1]

def add(items): items += [1]
def merge(table): table |= {'a': 1}

ITEMS, TABLE = [], {}
counts = Counts()
plus = counts + 1
text = '%s' % (counts,)
also = '{}'.format(counts)
key = {counts: 1}
item = [0, 1][counts]
rest = [0, 1][counts:]
value = counts.asked
added = add(ITEMS)
merged = merge(TABLE)
one, two = Sums(), Sums()
",
        "[counts.n, ITEMS, TABLE, Sums.total]",
        r#"[12121,[1],{"a":1},[1,1]]"#,
    );
}

#[test]
fn what_objects_of_another_module_do() {
    let registry = r"
import itertools

SEEN = []

class Registry:
    def __str__(self): SEEN.append('str')
    def __len__(self): return SEEN.append('len') or 0
    def __bool__(self): return not SEEN.append('bool')
    def __getitem__(self, key): SEEN.append(key)
    def __lt__(self, other): SEEN.append('lt')
    def __neg__(self): SEEN.append('neg')
    def __eq__(self, other): return not SEEN.append('eq')
    @property
    def size(self): SEEN.append('size')

def make(): return Registry()

registry = Registry()
ids = itertools.count()
";
    let node = r"
import registry as others
from registry import SEEN, make, registry

number = next(others.ids)
other_number = next(others.ids)
length = len(registry)
chosen = registry or 1
item = registry['item']
less = others.registry < 1
negative = -registry
equal = [1] == [registry]
own = make()
size = own.size

class Case:
    def process(self, data):
        return [other_number, SEEN]
";
    gives(
        &[("registry.py", registry), ("node.py", node)],
        r#"[1,["len","bool","item","lt","neg","eq","size"]]"#,
    );
}

#[test]
fn what_making_and_asking_classes_does() {
    node_gives(
        r"
import re

SEEN = []

class Base:
    def __init_subclass__(cls, **options): SEEN.append(cls.__name__)

class Meta(type):
    def __getitem__(cls, item): SEEN.append(item)
    def __len__(cls):
        SEEN.append('len')
        return 0

class Descriptor:
    def __get__(self, instance, owner): SEEN.append('get')

class Asked(metaclass=Meta): pass
class Has: field = Descriptor()

made = type('Made', (Base,), {})
item = Asked['item']
size = len(Asked)
field = Has.field
compile = re.compile
re.compile = lambda text: SEEN.append(text)
pattern = re.compile('a')
re.compile = compile
",
        "SEEN",
        r#"["Made","item","len","get","a"]"#,
    );
}

#[test]
fn stars_inside_statements() {
    gives(
        &[
            (
                "node.py",
                "from own import *\nfrom passed import *\ntry:\n    from textwrap import *\nexcept ImportError:\n    pass\n\nclass Case:\n    def process(self, data):\n        return [go(), other(), element('a').tag, fill('a')]\n",
            ),
            (
                "own.py",
                "try:\n    from first import *\nexcept ImportError:\n    go = None\ntry:\n    from nowhere import *\nexcept ImportError:\n    from second import *\n",
            ),
            ("first.py", "def go(): return 'first'\n"),
            ("second.py", "def other(): return 'second'\n"),
            (
                "passed.py",
                "try:\n    from xml.etree.cElementTree import *\nexcept ImportError:\n    from xml.etree.ElementTree import *\n\ndef element(tag): return Element(tag)\n",
            ),
        ],
        r#"["first","second","a","a"]"#,
    );
}

#[test]
fn what_the_library_notes_and_provides() {
    node_gives(
        "import collections.abc as c, codecs, statistics\n",
        "[c.Sequence.__name__, round(statistics.kde([1, 2], 1)(1.0), 4), codecs.encode(b'a', 'hex').decode()]",
        r#"["Sequence",0.3205,"61"]"#,
    );
}

#[test]
fn what_the_library_asks_modules_for() {
    node_gives(
        r"
import sys, unittest

def load_tests(loader, tests, pattern):
    return unittest.TestSuite([unittest.FunctionTestCase(lambda: None)])
",
        "unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]).countTestCases()",
        "1",
    );
}

#[test]
fn a_package_whose_part_in_c_is_for_another_platform() {
    gives(
        &[
            (
                "fast/__init__.py",
                "import fast._main\nfrom fast._main import *\n",
            ),
            (
                "fast/_main.py",
                "__all__ = ['go']\nfrom fast import _fast\ndef go(): return _fast.go()\n",
            ),
            (
                "node.py",
                r"
try:
    from fast import go
except ImportError:
    def go(): return 'slow'

class Case:
    def process(self, data):
        return go()
",
            ),
        ],
        r#""slow""#,
    );
}
