//! What the end-to-end tests share: the binary under test, folders to try things in, and [transcripts](session).
//!
//! `RM_BLESS=1 cargo test --release -p end-to-end` rewrites what the tests compare with; review the changes as code.
#![deny(missing_docs)]

pub mod session;
pub mod tree;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Rewrites expected files instead of comparing with them when it is set.
const BLESS_VARIABLE: &str = "RM_BLESS";

/// The repository's root.
pub fn repository() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        // At run time, because checkouts that share a target folder may share what was compiled in another.
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let parent = package.parent();
        parent
            .expect("this package is a folder of the repository")
            .to_owned()
    })
}

/// The folders in `bundles/` that hold a pipeline: their names and their manifests, sorted.
///
/// # Panics
///
/// `bundles/` cannot be read.
pub fn examples() -> Vec<(String, PathBuf)> {
    let folders = std::fs::read_dir(repository().join("bundles")).expect("bundles/ can be listed");
    let mut examples: Vec<_> = folders
        .filter_map(|entry| {
            let folder = entry.expect("bundles/ can be listed").path();
            let manifest = ["pipeline.yaml", "pipeline.json"]
                .map(|name| folder.join(name))
                .into_iter()
                .find(|path| path.is_file())?;
            Some((folder.file_name()?.to_str()?.to_owned(), manifest))
        })
        .collect();
    examples.sort();
    examples
}

/// The manifest of an example.
///
/// # Panics
///
/// There is none of that name.
pub fn example(name: &str) -> PathBuf {
    let found = examples().into_iter().find(|(known, _)| known == name);
    found.expect("an example of that name").1
}

/// What an example is fed with: `input.jsonl` or `input.wav` beside its manifest.
///
/// # Panics
///
/// It has neither.
pub fn input_of(manifest: &Path) -> PathBuf {
    let inputs = ["input.jsonl", "input.wav"].map(|name| manifest.with_file_name(name));
    let found = inputs.into_iter().find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{} has no input", manifest.display()))
}

/// Whether expected files are to be rewritten.
pub fn blessing() -> bool {
    std::env::var_os(BLESS_VARIABLE).is_some_and(|value| !value.is_empty() && value != "0")
}

/// Compare a text with an expected file, or rewrite that file when [`blessing`].
///
/// # Panics
///
/// They differ, or the file cannot be read or written.
#[track_caller]
pub fn expect_file(path: &Path, actual: &str) {
    if blessing() {
        std::fs::write(path, actual).expect("the expected file can be written");
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} says\n{expected}\nand it is\n{actual}\n({BLESS_VARIABLE}=1 accepts that)",
        path.display()
    );
}

/// `rm-pack`, with nothing of this process's surroundings that would change what it does.
pub fn rm_pack() -> Command {
    let mut command = Command::new(binary());
    for variable in ["RUST_LOG", "RAYON_NUM_THREADS"] {
        command.env_remove(variable);
    }
    command
}

/// The binary, built with the profile of this test, in its target folder.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let test = std::env::current_exe().expect("a test knows where it is");
        let profile = test
            .ancestors()
            .nth(2)
            .expect("tests are in TARGET/PROFILE/deps");
        let target = profile.parent().expect("a profile's folder is in TARGET");
        let is_release = profile.ends_with("release");
        let status = Command::new(env!("CARGO"))
            .current_dir(repository())
            .args([
                "build",
                "--quiet",
                "--package",
                "rm-pack",
                "--bin",
                "rm-pack",
            ])
            .args(is_release.then_some("--release"))
            .arg("--target-dir")
            .arg(target)
            .status()
            .expect("cargo can be run");
        assert!(status.success(), "rm-pack cannot be built");
        profile.join(format!("rm-pack{}", std::env::consts::EXE_SUFFIX))
    })
}

/// What a command left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// Run a command to its end.
    ///
    /// # Panics
    ///
    /// It cannot be started, or prints what is not UTF-8.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the command can be started");
        Self::from_output(output)
    }

    /// What a finished process printed.
    ///
    /// # Panics
    ///
    /// It printed what is not UTF-8.
    pub fn from_output(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// Standard output, after checking the exit code.
    ///
    /// # Panics
    ///
    /// The exit code is not 0.
    #[track_caller]
    pub fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout
    }

    /// Standard error, after checking the exit code.
    ///
    /// # Panics
    ///
    /// The exit code is another one.
    #[track_caller]
    pub fn failure(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self.stderr
    }
}

/// Build a pipeline into a folder, and return the bundle's path.
///
/// # Panics
///
/// It cannot be built.
#[track_caller]
pub fn build(manifest: &Path, out: &Path) -> PathBuf {
    let mut command = rm_pack();
    command.arg("build").arg(manifest).arg("--out").arg(out);
    PathBuf::from(Finished::of(&mut command).success().trim_end())
}
