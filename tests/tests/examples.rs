//! Every example runs from its manifest and from its bundle, gives what it must, packs to what its lock says and passes
//! `rm-pack verify`.

use std::path::Path;
use std::process::{Command, Stdio};

use end_to_end::{Finished, build, example, examples, expect_file, input_of, repository, rm_pack};
use rm_runtime::bundle::Bundle;
use serde_json::{Value, json};

#[test]
fn from_the_manifest() {
    for (name, manifest) in examples() {
        check_run(&name, &manifest);
    }
}

#[test]
fn from_the_bundle_as_locked() {
    for (name, manifest) in examples() {
        let out = tempfile::tempdir().unwrap();
        let bundle = build(&manifest, out.path());
        check_run(&name, &bundle);
        check_run(&name, out.path());
        let lock = manifest.with_file_name("bundle.lock");
        expect_file(&lock, &lock_of(&bundle));
        check_verify(&bundle);
    }
}

#[track_caller]
fn check_run(name: &str, pipeline: &Path) {
    let manifest = example(name);
    let mut command = rm_pack();
    command
        .arg("run")
        .arg(pipeline)
        .arg("--input")
        .arg(input_of(&manifest));
    let outputs = Finished::of(&mut command).success();
    let expected = std::fs::read_to_string(manifest.with_file_name("expected.jsonl")).unwrap();
    assert_eq!(outputs, expected, "{}", pipeline.display());
}

#[track_caller]
fn check_verify(bundle: &Path) {
    let said = Finished::of(rm_pack().arg("verify").arg(bundle)).success();
    let modules = Bundle::open(bundle).unwrap().modules().len();
    assert!(
        said.contains("1 entry as it was written") || said.contains("entries as they were written"),
        "{said}"
    );
    let imported = said.lines().last().and_then(|line| {
        let (imported, rest) = line.split_once(" of ")?;
        assert_eq!(rest, format!("{modules} modules can be imported"));
        imported.parse::<usize>().ok()
    });
    // Behind `asyncio` there are modules that work with processes, which cannot be imported here, and need not be.
    let missing = modules - imported.unwrap();
    assert!(
        missing == 0 || missing < 8 && said.contains("multiprocessing"),
        "{said}"
    );
}

/// What `bundle.lock` says: which file is made, how large, of what.
fn lock_of(bundle: &Path) -> String {
    let mut command = rm_pack();
    let inspected = Finished::of(command.arg("inspect").arg(bundle).arg("--json")).success();
    let inspected: Value = serde_json::from_str(&inspected).unwrap();
    let modules = inspected["modules"].as_array().unwrap();
    let loaded = modules
        .iter()
        .filter(|module| module["loaded"] == true)
        .count();
    let lock = json!({
        "file": bundle.file_name().unwrap().to_str(),
        "content": inspected["content"],
        "size": inspected["size"],
        "modules": modules.len(),
        "loaded": loaded,
        "engine": inspected["description"]["engine"]["digest"],
    });
    serde_json::to_string_pretty(&lock).unwrap() + "\n"
}

#[test]
fn only_outputs_are_on_standard_output() {
    let manifest = example("text-processor");
    let mut command = rm_pack();
    command
        .arg("run")
        .arg(&manifest)
        .arg("--input")
        .arg(manifest.with_file_name("input.jsonl"));
    let finished = Finished::of(&mut command);
    assert_eq!(finished.code, Some(0));
    assert_eq!(finished.stdout.lines().count(), 5);
    for line in finished.stdout.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
    // The node's log, under the node's name, and one line of summary.
    let (summary, log) = {
        let mut lines: Vec<_> = finished.stderr.lines().collect();
        (lines.pop().unwrap(), lines)
    };
    assert!(summary.starts_with("text-processor-wasmtime-"), "{summary}");
    assert!(summary.contains("5 items, 5 outputs in "), "{summary}");
    assert_eq!(log.len(), 5, "{log:?}");
    for line in log {
        assert!(line.contains("INFO text_processor: "), "{line}");
        assert!(line.contains("text"), "{line}");
    }
}

#[test]
fn integers_stay_integers() {
    let calculator = example("calculator");
    let input = "5\n5.0\n-5\n0.1\n9223372036854775807\n123456789012345678901234567890\n1e3\n";
    let expected =
        "20\n20.0\n0\n10.2\n18446744073709551624\n246913578024691357802469135790\n2010.0\n";
    let mut child = rm_pack()
        .arg("run")
        .arg(calculator)
        .args(["--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let finished = Finished::from_output(child.wait_with_output().unwrap());
    assert_eq!(finished.success(), expected);
}

/// Outputs are there as soon as they are made: whoever feeds items by hand sees each answer.
#[test]
fn an_output_comes_before_the_next_item_is_given() {
    use std::io::{BufRead as _, Write as _};
    let mut child = rm_pack()
        .arg("run")
        .arg(example("mixed"))
        .args(["--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    for (item, answer) in [("1", "12"), ("5", "20"), ("2.5", "15.0")] {
        writeln!(stdin, "{item}").unwrap();
        assert_eq!(answers.next().unwrap().unwrap(), answer);
    }
    drop(stdin);
    assert!(answers.next().is_none());
    assert!(child.wait().unwrap().success());
}

/// A reader that has had enough, as `head` does, is no error and no panic.
#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let out = tempfile::tempdir().unwrap();
    let bundle = build(&example("mixed"), out.path());
    let bundle = bundle.to_str().unwrap();
    let input = example("mixed").with_file_name("input.jsonl");
    for arguments in [
        vec!["inspect", bundle],
        vec!["inspect", bundle, "--json"],
        vec!["verify", bundle],
        vec!["engine"],
        vec!["run", bundle, "--input", input.to_str().unwrap()],
    ] {
        let mut child = rm_pack()
            .args(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let finished = Finished::from_output(child.wait_with_output().unwrap());
        assert_eq!(finished.code, Some(0), "{arguments:?}: {}", finished.stderr);
        assert!(
            !finished.stderr.contains("panicked"),
            "{arguments:?}: {}",
            finished.stderr
        );
    }
}

/// The same nodes in plain CPython give the same outputs: packed equals unpacked.
#[test]
fn plain_cpython_gives_the_same() {
    let python = |arguments: &[&str]| {
        Command::new("python3")
            .args(arguments)
            .current_dir(repository())
            .output()
    };
    let recent = "import sys; sys.exit(sys.version_info < (3, 11))";
    if !python(&["-c", recent]).is_ok_and(|output| output.status.success()) {
        eprintln!("not compared with plain CPython: there is no python3 of 3.11 or later");
        return;
    }
    for arguments in [
        &["bundles/check_expected.py"][..],
        &["-m", "unittest", "discover", "bundles"],
        &["-m", "unittest", "discover", "-s", "packager/python/tests"],
    ] {
        let finished = Finished::from_output(python(arguments).unwrap());
        assert_eq!(
            finished.code,
            Some(0),
            "{}{}",
            finished.stdout,
            finished.stderr
        );
    }
}
