//! `rm-pack verify --stack`: the least stack of a bundle, beside what browsers have.

use std::path::{Path, PathBuf};

use end_to_end::{Finished, build, example, input_of, repository, rm_pack};

fn verify(bundle: &Path, options: &[&str]) -> Finished {
    let mut command = rm_pack();
    command.arg("verify").arg(bundle).arg("--stack");
    Finished::of(command.args(options))
}

/// The number of KiB in a report.
#[track_caller]
fn kibibytes(report: &str) -> u32 {
    let (_, rest) = report.split_once(" on ").expect(report);
    let (number, _) = rest.split_once(" KiB of stack").expect(report);
    number.parse().expect(report)
}

/// A bundle whose node goes as deep as it is told.
fn deep(folder: &Path) -> PathBuf {
    build(
        &repository().join("browser-demo/bench/stack/deep.yaml"),
        folder,
    )
}

#[test]
fn an_example_needs_a_small_share() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = example("live-captions");
    let bundle = build(&manifest, folder.path());
    let input = input_of(&manifest);
    let report = verify(&bundle, &["--input", input.to_str().unwrap()]).success();
    assert!(report.contains("boots and runs"), "{report}");
    assert!(report.contains("Chromium, worker"), "{report}");
    // Imports were done when it was packed; what is left is small, and more than nothing.
    assert!((2..100).contains(&kibibytes(&report)), "{report}");
}

#[test]
fn a_deep_call_needs_more_and_above_the_share_it_fails() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = deep(folder.path());
    let input = |depth: u32| {
        let path = folder.path().join(format!("{depth}.jsonl"));
        let line = format!("{{\"way\": \"json\", \"depth\": {depth}}}\n");
        std::fs::write(&path, line).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let booted = kibibytes(&verify(&bundle, &[]).success());
    let shallow = verify(&bundle, &["--input", &input(200)]).success();
    let shallow = kibibytes(&shallow);
    assert!(shallow > 2 * booted, "{shallow} {booted}");
    let too_much = verify(&bundle, &["--input", &input(1500)]).failure(5);
    assert!(
        too_much.contains("is more than the 50% that --share allows"),
        "{too_much}"
    );
    verify(&bundle, &["--input", &input(600), "--share", "0.99"]).success();
    verify(&bundle, &["--input", &input(600), "--share", "0.1"]).failure(5);
}

#[test]
fn what_fails_with_any_stack_is_told_as_by_run() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = deep(folder.path());
    let input = folder.path().join("input.jsonl");
    std::fs::write(&input, "{\"way\": \"json\"}\n").unwrap();
    let told = verify(&bundle, &["--input", input.to_str().unwrap()]).failure(5);
    assert!(told.contains("KeyError: 'depth'"), "{told}");
    let twice = verify(&bundle, &["--input", "-"]).failure(3);
    assert!(
        twice.contains("standard input can be read only once"),
        "{twice}"
    );
}

#[test]
fn without_python_there_is_nothing_to_measure() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = build(&example("calculator"), folder.path());
    assert!(verify(&bundle, &[]).success().contains("no Python"));
}
