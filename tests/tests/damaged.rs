//! Bundles that are not as they were packed are refused, whatever it is that changed.

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use end_to_end::{Finished, build, example, rm_pack};
use rm_runtime::bundle::{Bundle, BundleError};
use rm_runtime::digest::Digest;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A name without a hash, so that the contents alone must give damage away.
const RENAMED: &str = "renamed.rmpkg";

fn read(bytes: &[u8]) -> Result<Bundle, BundleError> {
    Bundle::from_bytes(bytes, Path::new(RENAMED))
}

/// The bundles of two examples: one without Python, one with; the engine is beside them.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<(tempfile::TempDir, PathBuf, PathBuf)> = OnceLock::new();
    let (folder, ..) = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let calculator = build(&example("calculator"), folder.path());
        let mixed = build(&example("mixed"), folder.path());
        (folder, calculator, mixed)
    });
    folder.path()
}

fn file(name: &str) -> PathBuf {
    file_that_begins(&format!("{name}-wasmtime-"))
}

/// The one file in the folder of bundles whose name begins so.
fn file_that_begins(prefix: &str) -> PathBuf {
    let mut files = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .find(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with(prefix)
        })
        .unwrap()
}

#[test]
fn any_flipped_bit_of_a_small_bundle() {
    let mut bytes = std::fs::read(file("calculator")).unwrap();
    read(&bytes).unwrap();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            bytes[place] ^= 1 << bit;
            assert!(read(&bytes).is_err(), "byte {place}, bit {bit}");
            bytes[place] ^= 1 << bit;
        }
    }
}

#[test]
fn a_flipped_byte_of_a_python_bundle() {
    let mut bytes = std::fs::read(file("mixed")).unwrap();
    read(&bytes).unwrap();
    let every = bytes.len() / 200;
    // All over the file; and all of what is no entry's contents: the headers before and between, the directory behind.
    let spread = (0..bytes.len()).step_by(every);
    let headers = signatures(&bytes)
        .into_iter()
        .flat_map(|start| start..start + 60);
    let end = bytes.len() - 400..bytes.len();
    for place in spread.chain(headers).chain(end) {
        if place < bytes.len() {
            bytes[place] ^= 0x20;
            assert!(read(&bytes).is_err(), "byte {place}");
            bytes[place] ^= 0x20;
        }
    }
}

/// Where the archive's headers begin.
fn signatures(bytes: &[u8]) -> Vec<usize> {
    let is_header = |window: &[u8]| matches!(window, [b'P', b'K', 1..=6, 2..=6]);
    bytes
        .windows(4)
        .enumerate()
        .filter(|(_, window)| is_header(window))
        .map(|(place, _)| place)
        .collect()
}

#[test]
fn cut_off_or_continued() {
    for name in ["calculator", "mixed"] {
        let bytes = std::fs::read(file(name)).unwrap();
        let length = bytes.len();
        for kept in [
            0,
            1,
            4,
            22,
            length / 4,
            length / 2,
            length - 100,
            length - 1,
        ] {
            assert!(
                read(&bytes[..kept]).is_err(),
                "{name}: {kept} of {length} bytes"
            );
        }
        for added in [&b"\0"[..], b"more", &bytes] {
            assert!(read(&[&bytes, added].concat()).is_err(), "{name}");
            assert!(read(&[added, &bytes].concat()).is_err(), "{name}");
        }
    }
}

/// What `rm-pack run` says of altered bytes, under the name `file`.
fn refusal(name: &str, bytes: &[u8]) -> String {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::write(scratch.path().join(name), bytes).unwrap();
    std::fs::write(scratch.path().join("items.jsonl"), "1\n").unwrap();
    let mut said = Vec::new();
    for command in ["run", "inspect", "verify"] {
        let mut process = rm_pack();
        process.current_dir(&scratch).args([command, name]);
        if command == "run" {
            process.args(["--input", "items.jsonl"]);
        }
        let finished = Finished::of(&mut process);
        assert_eq!(finished.stdout, "");
        said.push(finished.failure(3));
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
    said.remove(0)
}

#[test]
fn the_commands_say_which_file_and_what_to_do() {
    let bytes = std::fs::read(file("mixed")).unwrap();
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    let message = refusal(RENAMED, &flipped);
    assert!(
        message.starts_with("error: `renamed.rmpkg` was altered after it was packed: "),
        "{message}"
    );
    assert!(message.contains("pack or download it again"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");

    let message = refusal(RENAMED, &bytes[..bytes.len() / 2]);
    assert!(
        message.starts_with("error: `renamed.rmpkg` is not a bundle, or is cut off: "),
        "{message}"
    );

    let name = "mixed-wasmtime-0123456789abcdef.rmpkg";
    let message = refusal(name, &bytes);
    assert!(
        message.contains("its name promises the content 0123456789abcdef"),
        "{message}"
    );
}

#[test]
fn a_bundle_of_another_format() {
    let bundle = Bundle::open(&file("calculator")).unwrap();
    let mut description = serde_json::to_value(bundle.description()).unwrap();
    description["format"] = 99.into();
    let message = refusal(RENAMED, &archive(&description.to_string()));
    assert!(
        message.starts_with(
            "error: `renamed.rmpkg` has bundle format 99, and this version reads format 1"
        ),
        "{message}"
    );
}

/// An archive as the packer writes it, around a `bundle.json`.
fn archive(description: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    writer.start_file("bundle.json", options).unwrap();
    writer.write_all(description.as_bytes()).unwrap();
    let content = Digest::of(description.as_bytes());
    writer
        .set_comment(format!("rm-pack bundle, content sha256 {content}"))
        .unwrap();
    writer.finish().unwrap().into_inner()
}

/// Runs the bundle `mixed` where nothing is cached, with `engine` beside it.
fn run_without_cache(engine: Option<&[u8]>) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let bundle = file("mixed");
    std::fs::copy(&bundle, scratch.path().join("mixed.rmpkg")).unwrap();
    if let Some(bytes) = engine {
        let name = engine_file().file_name().unwrap().to_owned();
        std::fs::write(scratch.path().join(name), bytes).unwrap();
    }
    let mut command = rm_pack();
    command
        .args(["run", "mixed.rmpkg", "--input"])
        .arg(example("mixed").with_file_name("input.jsonl"))
        .current_dir(&scratch)
        .env("RM_CACHE_DIR", scratch.path().join("cache"));
    let finished = Finished::of(&mut command);
    assert_eq!(finished.stdout, "");
    finished.failure(3)
}

fn engine_file() -> PathBuf {
    file_that_begins("engine-")
}

#[test]
fn an_engine_that_is_nowhere() {
    let bundle = Bundle::open(&file("mixed")).unwrap();
    let digest = bundle.description().engine.as_ref().unwrap().digest;
    let message = run_without_cache(None);
    assert!(
        message.contains(&format!("needs the engine {digest}")),
        "{message}"
    );
    assert!(
        message.contains(&format!("put `engine-{digest}.wasm.zst` beside it")),
        "{message}"
    );
    assert!(message.contains("--self-contained"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn an_engine_that_is_damaged() {
    let path = engine_file();
    let name = path.file_name().unwrap().to_str().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    for damaged in [
        &flipped[..],
        &bytes[..bytes.len() / 2],
        b"",
        b"not an engine",
    ] {
        let message = run_without_cache(Some(damaged));
        assert!(message.contains(name), "{message}");
        assert!(message.contains("copy it again"), "{message}");
        // Where the engine is cached nobody needs the file, but for taking the folder elsewhere.
        let scratch = tempfile::tempdir().unwrap();
        std::fs::copy(file("mixed"), scratch.path().join("mixed.rmpkg")).unwrap();
        std::fs::write(scratch.path().join(name), damaged).unwrap();
        let mut verify = rm_pack();
        verify.args(["verify", "mixed.rmpkg"]).current_dir(&scratch);
        let verified = Finished::of(&mut verify).failure(3);
        assert!(verified.contains(name), "{verified}");
    }
}

#[test]
fn an_engine_that_is_damaged_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    build(&example("mixed"), folder.path());
    let engine = || {
        let mut files = std::fs::read_dir(folder.path()).unwrap();
        let is_engine = |path: &PathBuf| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with("engine-"))
        };
        files
            .find_map(|file| Some(file.unwrap().path()).filter(is_engine))
            .unwrap()
    };
    let whole = std::fs::read(engine()).unwrap();
    std::fs::write(engine(), b"x").unwrap();
    build(&example("mixed"), folder.path());
    assert!(std::fs::read(engine()).unwrap() == whole);
}
