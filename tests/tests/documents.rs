//! Runs what the documents tell a reader to run, and compares what it prints with what they show.
//!
//! In the Markdown files named below:
//! - a code block behind a line `<!-- file: NAME -->` is written to that file of a fresh folder, one folder per document;
//! - a `sh` block is a script that must succeed; `sh no-run` is only for readers;
//! - a `console` block holds commands (`$ ...`), each of which must succeed, and what they print.
//!
//! Commands run in the order of the document, in that folder, which also has a copy of `bundles/`. `cargo run --release --`
//! stands for the binary. Durations are not compared; `[..]` stands for anything in a line, and a line `...` for any
//! lines. Blessing writes into the documents what was printed, but never over an ellipsis.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use end_to_end::{blessing, repository, rm_pack, tree};

/// What the documents show in place of the folder in which their commands run.
const SHOWN_FOLDER: &str = "/home/me/tour";

/// Documents whose commands are run.
const DOCUMENTS: [&str; 4] = [
    "README.md",
    "ASSUMPTIONS.md",
    "packager/README.md",
    "runtime/README.md",
];

/// Documents whose links and paths are checked, beside those that are run.
const MORE_DOCUMENTS: [&str; 5] = [
    "ARCHITECTURE.md",
    "browser-demo/README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "bundles/README.md",
];

const CARGO_RUN: &str = "cargo run --release --";

/// A code block of a document.
struct Block<'a> {
    /// The info string, such as `sh no-run`.
    info: &'a str,
    /// The file that it is the contents of.
    file: Option<&'a str>,
    /// The lines, numbered from 1.
    lines: Vec<(usize, &'a str)>,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut file = None;
    let mut lines = (1..).zip(text.lines());
    while let Some((_, line)) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let block = lines.by_ref().take_while(|(_, line)| *line != "```");
            blocks.push(Block {
                info,
                file: file.take(),
                lines: block.collect(),
            });
        } else if let Some(name) = line.strip_prefix("<!-- file: ") {
            file = name.strip_suffix(" -->");
        }
    }
    blocks
}

impl Block<'_> {
    fn text(&self) -> String {
        self.lines
            .iter()
            .fold(String::new(), |mut text, (_, line)| {
                let _ = writeln!(text, "{line}");
                text
            })
    }
}

/// A command of a `console` block, and what the document says that it prints.
struct Step<'a> {
    command: String,
    /// The numbers of the first line of the output and of the line behind it.
    place: (usize, usize),
    expected: Vec<&'a str>,
}

fn steps<'a>(block: &Block<'a>) -> Vec<Step<'a>> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = block.lines.iter().copied();
    while let Some((number, line)) = lines.next() {
        let Some(first) = line.strip_prefix("$ ") else {
            let step = steps.last_mut().expect("a console block starts with `$ `");
            step.expected.push(line);
            step.place.1 = number + 1;
            continue;
        };
        let mut command = first.to_owned();
        let mut end = number + 1;
        while command.ends_with('\\') {
            let (number, more) = lines.next().expect("a line behind a backslash");
            let _ = write!(command, "\n{more}");
            end = number + 1;
        }
        steps.push(Step {
            command,
            place: (end, end),
            expected: Vec::new(),
        });
    }
    steps
}

/// Runs commands in one folder.
struct Shell {
    folder: tempfile::TempDir,
    path: std::ffi::OsString,
}

impl Shell {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        tree::copy(
            &repository().join("bundles"),
            &folder.path().join("bundles"),
        );
        let binary = rm_pack();
        let binary = Path::new(binary.get_program());
        let first = binary.parent().expect("the binary is in a folder");
        let others = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&others);
        let path = std::env::join_paths([first.to_owned()].into_iter().chain(folders));
        Self {
            folder,
            path: path.expect("the target folder has no colon in its path"),
        }
    }

    /// What a script prints, both streams, and whether it succeeded.
    fn run(&self, script: &str) -> (String, bool) {
        let script = script.replace(CARGO_RUN, "rm-pack");
        let output = Command::new("sh")
            .args(["-euc", &format!("exec 2>&1\n{script}")])
            .current_dir(self.folder.path())
            .env("PATH", &self.path)
            .env_remove("RUST_LOG")
            .output()
            .expect("a shell");
        let folder = self.folder.path().display().to_string();
        let printed = String::from_utf8_lossy(&output.stdout).replace(&folder, SHOWN_FOLDER);
        (printed, output.status.success())
    }
}

/// A line without what differs from run to run: durations become `#`.
fn without_durations(line: &str) -> String {
    let mut normal = String::new();
    let mut rest = line.trim_end();
    while let Some(first) = rest.chars().next() {
        let end_of = |part: fn(char) -> bool| rest.find(|char| !part(char)).unwrap_or(rest.len());
        let digits = &rest[..end_of(|char| char.is_ascii_digit() || char == '.')];
        let word = &rest[..end_of(|char| char.is_ascii_alphanumeric())];
        let behind = rest[digits.len()..].strip_prefix(" s");
        let is_duration = digits.parse::<f64>().is_ok()
            && behind
                .is_some_and(|behind| !behind.starts_with(|char: char| char.is_alphanumeric()));
        let taken = if is_duration {
            normal.push('#');
            digits.len()
        } else {
            let taken = word.len().max(first.len_utf8());
            normal.push_str(&rest[..taken]);
            taken
        };
        rest = &rest[taken..];
    }
    normal
}

fn line_matches(expected: &str, actual: &str) -> bool {
    let (expected, actual) = (without_durations(expected), without_durations(actual));
    let mut parts = expected.split("[..]");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = actual.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

fn output_matches(expected: &[&str], actual: &[&str]) -> bool {
    match expected {
        [] => actual.is_empty(),
        ["...", after @ ..] => {
            (0..=actual.len()).any(|skipped| output_matches(after, &actual[skipped..]))
        }
        [line, after @ ..] => actual
            .split_first()
            .is_some_and(|(first, rest)| line_matches(line, first) && output_matches(after, rest)),
    }
}

/// What is different from what a document shows.
fn problems_of(name: &str) -> Vec<String> {
    let path = repository().join(name);
    let text = fs::read_to_string(&path).expect(name);
    let shell = Shell::new();
    let mut problems = Vec::new();
    // Lines of the document and what belongs there, last one first.
    let mut corrections = Vec::new();
    for block in blocks(&text) {
        if let Some(file) = block.file {
            fs::write(shell.folder.path().join(file), block.text())
                .expect("a writable temporary folder");
        } else if block.info == "sh" {
            let (printed, succeeded) = shell.run(&block.text());
            if !succeeded {
                problems.push(format!("{name}: this fails:\n{}{printed}", block.text()));
            }
        } else if block.info == "console" {
            for step in steps(&block) {
                let (printed, succeeded) = shell.run(&step.command);
                let place = format!("{name}:{}: `{}`", step.place.0, step.command);
                if !succeeded {
                    problems.push(format!("{place} fails:\n{printed}"));
                }
                let actual: Vec<_> = printed.lines().collect();
                if output_matches(&step.expected, &actual) {
                    continue;
                }
                let is_elided = |line: &&str| *line == "..." || line.contains("[..]");
                if blessing() && !step.expected.iter().any(is_elided) {
                    corrections.insert(0, (step.place, printed));
                } else {
                    let expected = step.expected.join("\n");
                    problems.push(format!(
                        "{place} prints\n{printed}and the document shows\n{expected}"
                    ));
                }
            }
        }
    }
    if !corrections.is_empty() {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        for ((start, end), printed) in corrections {
            lines.splice(start - 1..end - 1, printed.lines().map(str::to_owned));
        }
        fs::write(&path, lines.join("\n") + "\n").expect("a writable checkout");
    }
    problems
}

#[test]
fn commands_do_what_the_documents_show() {
    let problems: Vec<_> = DOCUMENTS.into_iter().flat_map(problems_of).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// The examples in runtime/README.md are compiled as documentation tests; the one in README.md must be among them.
#[test]
fn rust_in_the_readme_is_tested() {
    let read = |name: &str| fs::read_to_string(repository().join(name)).expect(name);
    let (readme, tested) = (read("README.md"), read("runtime/README.md"));
    for block in blocks(&readme) {
        if block.info.starts_with("rust") {
            assert!(tested.contains(&block.text()), "{}", block.text());
        }
    }
}

#[test]
fn links_and_paths_lead_somewhere() {
    let mut problems = Vec::new();
    for name in DOCUMENTS.iter().chain(&MORE_DOCUMENTS) {
        let path = repository().join(name);
        let text = fs::read_to_string(&path).expect(name);
        let folder = path.parent().expect("a file is in a folder");
        for target in text.split("](").skip(1) {
            let target = target.split([')', '#']).next().unwrap_or_default();
            let is_local = !target.is_empty() && !target.contains("://");
            if is_local && !folder.join(target).exists() {
                problems.push(format!("{name}: a link to {target}"));
            }
        }
        // `folder/file` in running text is a path of the project when its first folder is one.
        for code in text.split('`').skip(1).step_by(2) {
            let folders = [
                "browser-demo/",
                "bundles/",
                "packager/",
                "runtime/",
                "tests/",
                ".ci/",
            ];
            let is_path = folders.iter().any(|folder| code.starts_with(folder))
                && !code.contains([' ', '\n', '*']);
            if is_path && !repository().join(code).exists() {
                problems.push(format!("{name}: the path {code}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// ARCHITECTURE.md has a section for each crate's sources, with a line for every module.
#[test]
fn the_code_map_is_complete() {
    let text = fs::read_to_string(repository().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let mut missing = Vec::new();
    for folder in ["packager/src", "runtime/src"] {
        let heading = format!("### `{folder}/`");
        let section = text.split(&heading).nth(1).unwrap_or_default();
        let section = section.split("\n### ").next().unwrap_or_default();
        for entry in fs::read_dir(repository().join(folder)).expect(folder) {
            let entry = entry.expect(folder);
            let mut name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() {
                name.push('/');
            }
            if !section.contains(&format!("| `{name}` |")) {
                missing.push(format!("{folder}/{name}"));
            }
        }
    }
    missing.sort();
    assert!(missing.is_empty(), "not in the code map: {missing:?}");
}

#[test]
fn files_that_are_named_exist() {
    let mut files = Vec::new();
    for folder in ["browser-demo/scripts", "packager", "runtime", "tests"] {
        let names = tree::read(&repository().join(folder)).into_keys();
        files.extend(names.map(|name| format!("/{folder}/{name}")));
    }
    let mut missing = Vec::new();
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(repository().join(document)).expect(document);
        for name in text.split('`').skip(1).step_by(2) {
            let is_file = [".c", ".py", ".rs", ".sh", ".wasm", ".wit"]
                .iter()
                .any(|ending| name.ends_with(ending))
                && !name.contains(' ');
            if is_file && !files.iter().any(|file| file.ends_with(&format!("/{name}"))) {
                missing.push(format!("{document}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "not there: {missing:?}");
}

#[test]
fn the_matcher_forgives_durations_alone() {
    for (expected, actual) in [
        ("ready in 0.33 s; 2 items", "ready in 12.20 s; 2 items"),
        ("a [..] d", "a b c d"),
        ("é 1.0", "é 1.0"),
    ] {
        assert!(line_matches(expected, actual), "{expected}");
    }
    for (expected, actual) in [
        ("2 items", "3 items"),
        ("(1.32 MB, 3 modules)", "(1.32 MB, 4 modules)"),
        ("1.32 MB", "1.31 MB"),
        ("a-0882e840c239fe41.rmpkg", "a-1111111111111111.rmpkg"),
        ("1.32 MB", "1.32 kB"),
        ("a [..] d", "a b c"),
        ("4 seconds", "5 seconds"),
    ] {
        assert!(!line_matches(expected, actual), "{expected}");
    }
    assert!(output_matches(&["a", "...", "d"], &["a", "b", "c", "d"]));
    assert!(!output_matches(&["a", "..."], &["b"]));
}
