//! Packages from the index do the same in plain CPython, packed whole, and with what they do not use left out.
//!
//! Each has a folder in `tests/corpus`, whose README.md says what is in it. A node uses the package, and what it gives is
//! compared with what `python3` gives. The tests that the package brings run packed as well.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use end_to_end::{Finished, repository, rm_pack};
use serde_json::Value;

/// Makes a test of each folder in `tests/corpus`, and the list of all.
macro_rules! packages {
    ($($test:ident: $folder:literal,)*) => {
        const PACKAGES: &[&str] = &[$($folder),*];
        $(
            #[test]
            fn $test() {
                Package::fetch($folder).check();
            }
        )*
    };
}

packages! {
    attrs: "attrs",
    cerberus: "cerberus",
    ftfy: "ftfy",
    jinja2: "jinja2",
    jmespath: "jmespath",
    markdown_it_py: "markdown-it-py",
    mistune: "mistune",
    more_itertools: "more-itertools",
    mpmath: "mpmath",
    num2words: "num2words",
    pyparsing: "pyparsing",
    pysubs2: "pysubs2",
    python_dateutil: "python-dateutil",
    sqlparse: "sqlparse",
    toolz: "toolz",
    transitions: "transitions",
    webvtt_py: "webvtt-py",
}

#[test]
fn every_package_is_tested() {
    let folders: BTreeSet<_> = std::fs::read_dir(corpus())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("package.toml").is_file())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let tested = PACKAGES.iter().map(|package| (*package).to_owned());
    assert_eq!(folders, tested.collect());
}

/// Prints a table for the documents; run it with `--ignored --nocapture`.
#[test]
#[ignore = "it measures, and checks nothing"]
fn measure() {
    println!(
        "| package | its own tests | modules | packed whole | packed |\n|---|---|---|---|---|"
    );
    for name in PACKAGES {
        let package = Package::fetch(name);
        let tests = package.tests.as_ref().map_or_else(
            || "none".to_owned(),
            |tests| format!("{} of {}", tests.passed, tests.passed + tests.fails.len()),
        );
        let whole = package.build(&["--no-shake"]);
        let shaken = package.build(&[]);
        println!(
            "| {name} | {tests} | {} | {} kB | {} kB |",
            shaken.0,
            whole.1 / 1000,
            shaken.1 / 1000
        );
    }
}

/// A package of the corpus, fetched.
struct Package {
    name: &'static str,
    folder: PathBuf,
    /// Where its modules are.
    sources: Vec<PathBuf>,
    tests: Option<OwnTests>,
}

/// The tests that a package brings.
struct OwnTests {
    /// Where their modules are, beyond those of the package.
    sources: Vec<PathBuf>,
    /// How many pass.
    passed: usize,
    /// Which cannot pass, and why.
    fails: BTreeSet<String>,
}

fn corpus() -> PathBuf {
    repository().join("tests/corpus")
}

/// Run a script of the corpus.
fn python(script: &str, package: &str) -> Finished {
    let mut command = Command::new("python3");
    command
        .arg(corpus().join(script))
        .arg(package)
        .env("PYTHONWARNINGS", "ignore")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().unwrap_or_else(|error| {
        panic!("{script} needs Python 3.11.4 or later as `python3`, with pip: {error}")
    });
    Finished::from_output(output)
}

impl Package {
    #[track_caller]
    fn fetch(name: &'static str) -> Self {
        let folder = corpus().join(name);
        let fetched = PathBuf::from(python("fetch.py", name).success().trim_end());
        let text = std::fs::read_to_string(folder.join("package.toml")).unwrap();
        let table: toml::Table = text
            .parse()
            .unwrap_or_else(|error| panic!("{name}/package.toml: {error}"));
        let sources = |table: &toml::Table| -> Vec<PathBuf> {
            let paths = table["sources"].as_array().unwrap().iter();
            paths
                .map(|path| fetched.join(path.as_str().unwrap()))
                .collect()
        };
        let tests = table.get("tests").map(|tests| {
            let tests = tests.as_table().unwrap();
            let fails = tests.get("fails").and_then(toml::Value::as_table);
            OwnTests {
                sources: sources(tests),
                passed: tests
                    .get("passed")
                    .and_then(toml::Value::as_integer)
                    .and_then(|passed| usize::try_from(passed).ok())
                    .unwrap_or_else(|| panic!("{name}/package.toml: how many tests `passed`?")),
                fails: fails
                    .into_iter()
                    .flat_map(toml::Table::keys)
                    .cloned()
                    .collect(),
            }
        });
        Self {
            name,
            sources: sources(&table),
            tests,
            folder,
        }
    }

    fn check(&self) {
        let checked = python("check_expected.py", self.name);
        assert_eq!(
            checked.code,
            Some(0),
            "{}{}",
            checked.stdout,
            checked.stderr
        );
        self.check_node();
        if let Some(tests) = &self.tests {
            self.check_tests(tests);
        }
    }

    /// The node gives what it gives in plain CPython, packed whole and shaken.
    fn check_node(&self) {
        let input = self.folder.join("input.jsonl");
        let run = |options: &[&str]| {
            let mut command = self.run("pipeline.yaml", options);
            Finished::of(command.arg("--input").arg(&input))
        };
        let whole = run(&["--no-shake"]);
        let expected = std::fs::read_to_string(self.folder.join("expected.jsonl")).unwrap();
        assert_eq!(
            whole.clone().success(),
            expected,
            "{}: packed whole",
            self.name
        );
        let shaken = run(&[]);
        assert_eq!(shaken.clone().success(), expected, "{}: shaken", self.name);
        // Notes are about what is in the bundle, and so is the summary.
        let told = |finished: &Finished| -> Vec<String> {
            let mut lines: Vec<_> = finished.stderr.lines().map(str::to_owned).collect();
            lines.pop();
            lines.retain(|line| !line.starts_with("note: "));
            lines
        };
        assert_eq!(told(&shaken), told(&whole), "{}", self.name);
    }

    /// Of the tests that the package brings, those that can pass here do, packed whole and shaken.
    fn check_tests(&self, tests: &OwnTests) {
        let support = corpus().join("support");
        let run = |options: &[&str]| {
            let mut command = self.run("suite.yaml", options);
            command.arg("--source").arg(&support);
            for source in &tests.sources {
                command.arg("--source").arg(source);
            }
            Finished::of(&mut command)
        };
        let whole = run(&["--no-shake"]);
        let stderr = whole.stderr.clone();
        let outcomes = outcomes(&whole.success());
        let failed: BTreeSet<_> = named(&outcomes, "failed");
        let unknown: Vec<_> = failed.difference(&tests.fails).collect();
        assert!(
            unknown.is_empty(),
            "{}: these failed, and are not in package.toml: {unknown:#?}\n{stderr}",
            self.name
        );
        let wrong: Vec<_> = tests.fails.difference(&failed).collect();
        assert!(
            wrong.is_empty(),
            "{}: these did not fail; take them out of package.toml: {wrong:#?}",
            self.name
        );
        let passed = named(&outcomes, "passed").len();
        assert_eq!(passed, tests.passed, "{}: tests that passed", self.name);

        let shaken = run(&[]);
        let stderr = shaken.stderr.clone();
        let shaken = self::outcomes(&shaken.success());
        let differ: Vec<_> = outcomes
            .iter()
            .filter(|(test, outcome)| shaken.get(*test) != Some(outcome))
            .map(|(test, _)| test)
            .collect();
        assert!(
            differ.is_empty() && shaken.len() == outcomes.len(),
            "{}: these do not end as they do packed whole: {differ:#?}\n{stderr}",
            self.name
        );
    }

    fn run(&self, manifest: &str, options: &[&str]) -> Command {
        let mut command = rm_pack();
        command
            .arg("run")
            .arg(self.folder.join(manifest))
            .args(options);
        self.add_sources(&mut command);
        command
    }

    fn add_sources(&self, command: &mut Command) {
        for source in &self.sources {
            command.arg("--source").arg(source);
        }
    }

    /// How many modules the node's bundle has, and its size in bytes.
    fn build(&self, options: &[&str]) -> (usize, u64) {
        let out = tempfile::tempdir().unwrap();
        let mut command = rm_pack();
        command
            .arg("build")
            .arg(self.folder.join("pipeline.yaml"))
            .args(options);
        command.arg("--out").arg(out.path());
        self.add_sources(&mut command);
        let built = Finished::of(&mut command).success();
        let bundle = rm_runtime::bundle::Bundle::open(built.trim_end().as_ref()).unwrap();
        let size = std::fs::metadata(built.trim_end()).unwrap().len();
        (bundle.modules().len(), size)
    }
}

/// The outcome of each test, by its name.
///
/// # Panics
///
/// A test was run twice, or a line is none of the test runner's.
fn outcomes(lines: &str) -> BTreeMap<String, String> {
    let mut outcomes = BTreeMap::new();
    for line in lines.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let [test, outcome] =
            ["test", "outcome"].map(|key| value[key].as_str().unwrap().to_owned());
        let before = outcomes.insert(test.clone(), outcome);
        assert!(before.is_none(), "{test} was run twice");
    }
    outcomes
}

fn named(outcomes: &BTreeMap<String, String>, wanted: &str) -> BTreeSet<String> {
    let found = outcomes.iter().filter(|(_, outcome)| *outcome == wanted);
    found.map(|(test, _)| test.clone()).collect()
}
