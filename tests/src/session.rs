//! Transcripts: a folder with inputs, and a file `session.txt` with commands and what they must print.
//!
//! ```text
//! $ rm-pack run pipeline.yaml --input - < items.jsonl
//! > {"a line of": "standard output"}
//! a line of standard error
//! exit 5
//! ```
//!
//! The commands run one after the other in a copy of the folder. Exit code 0 is not written. Every command is held to two
//! more rules: it may write below `out/` only, and one that fails leaves all files as they were.

use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use crate::{Finished, blessing, repository, rm_pack, tree};

/// The transcript in a case's folder.
const SESSION: &str = "session.txt";

/// Replay every case of a topic, a folder in `tests/cases/`, and report all that differ.
///
/// # Panics
///
/// A case differs from its transcript, or the topic has no cases.
pub fn check(topic: &str) {
    let topic = repository().join("tests/cases").join(topic);
    let mut cases: Vec<_> = std::fs::read_dir(&topic)
        .expect("the topic is a folder")
        .map(|entry| entry.expect("the topic can be listed").path())
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "{} has no cases", topic.display());
    let failures: Vec<_> = cases.iter().filter_map(|case| replay(case).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn replay(case: &Path) -> Result<(), String> {
    let path = case.join(SESSION);
    let expected = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let scratch = tempfile::tempdir().expect("a temporary folder");
    // Under a fixed name, so that messages do not depend on the temporary folder's.
    let folder = scratch.path().join("case");
    std::fs::create_dir(&folder).expect("the temporary folder can be written");
    tree::copy(case, &folder);
    std::fs::remove_file(folder.join(SESSION)).expect("it was copied just now");

    let mut actual = String::new();
    for line in expected.lines().filter(|line| line.starts_with("$ ")) {
        let _ = writeln!(actual, "{line}");
        let before = tree::read(&folder);
        let finished = execute(&line[2..], &folder);
        let touched: Vec<_> = tree::differences(&before, &tree::read(&folder))
            .into_iter()
            .filter(|difference| finished.code != Some(0) || !difference.contains(": out/"))
            .collect();
        if !touched.is_empty() {
            return Err(format!(
                "{}\n{line}\ntouched {}",
                case.display(),
                touched.join(", ")
            ));
        }
        actual += &shown(&finished, scratch.path());
    }
    if blessing() {
        std::fs::write(&path, actual).expect("the transcript can be written");
    } else if actual != expected {
        return Err(format!(
            "{} says\n{expected}\nand it is\n{actual}",
            path.display()
        ));
    }
    Ok(())
}

/// Run a command line: words separated by spaces, with a file for standard input behind `<`.
fn execute(line: &str, folder: &Path) -> Finished {
    let (words, input) = match line.split_once(" < ") {
        Some((words, input)) => (words, Some(input)),
        None => (line, None),
    };
    let mut words = words.split(' ').filter(|word| !word.is_empty());
    assert_eq!(words.next(), Some("rm-pack"), "{line}");
    let stdin = match input {
        Some(name) => Stdio::from(File::open(folder.join(name)).expect("the input is in the case")),
        None => Stdio::null(),
    };
    Finished::of(rm_pack().args(words).current_dir(folder).stdin(stdin))
}

fn shown(finished: &Finished, scratch: &Path) -> String {
    let mut text = String::new();
    for line in finished.stdout.lines() {
        let _ = writeln!(text, "> {}", normalised(line, scratch));
    }
    for line in finished.stderr.lines() {
        let _ = writeln!(text, "{}", normalised(line, scratch).trim_end());
    }
    match finished.code {
        Some(0) => {}
        Some(code) => drop(writeln!(text, "exit {code}")),
        None => text.push_str("ended by a signal\n"),
    }
    text
}

/// A line without what differs from run to run and from machine to machine: paths, hashes, and the numbers of summaries.
fn normalised(line: &str, scratch: &Path) -> String {
    let line = line.replace(&*scratch.to_string_lossy(), "[FOLDER]");
    let line = without_hashes(&line);
    if line.starts_with("packed ") || line.contains("; ready in ") {
        without_measures(&line)
    } else {
        line
    }
}

fn without_hashes(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(|char: char| char.is_ascii_alphanumeric()) {
        let (before, from) = rest.split_at(start);
        let end = from
            .find(|char: char| !char.is_ascii_alphanumeric())
            .unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        let is_hash =
            [16, 64].contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        text.push_str(before);
        text.push_str(if is_hash { "[HASH]" } else { word });
        rest = after;
    }
    text + rest
}

fn without_measures(line: &str) -> String {
    const UNITS: [&str; 7] = ["s", "B", "kB", "MB", "module", "modules", "loaded"];
    let words: Vec<&str> = line.split(' ').collect();
    let measured = |(index, word): (usize, &&str)| {
        let number = word.trim_start_matches('(');
        let unit = words
            .get(index + 1)
            .map(|unit| unit.trim_end_matches([')', ',', ';']));
        if number.parse::<f64>().is_ok() && unit.is_some_and(|unit| UNITS.contains(&unit)) {
            word.replace(number, "[N]")
        } else {
            (*word).to_owned()
        }
    };
    words
        .iter()
        .enumerate()
        .map(measured)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_varies_is_replaced() {
        let scratch = Path::new("/tmp/x1");
        let check = |line: &str, expected: &str| assert_eq!(normalised(line, scratch), expected);
        check(
            "error: /tmp/x1/case/a.py:3: 12 modules in 3 s",
            "error: [FOLDER]/case/a.py:3: 12 modules in 3 s",
        );
        check(
            "packed out/a-wasmtime-0123456789abcdef.rmpkg (1.20 MB, 12 modules) in 0.31 s",
            "packed out/a-wasmtime-[HASH].rmpkg ([N] MB, [N] modules) in [N] s",
        );
    }
}
