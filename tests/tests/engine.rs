//! The engine: what it says of itself, and that it can be made again.

use std::path::Path;
use std::process::Command;

use end_to_end::{Finished, repository, rm_pack};
use rm_runtime::digest::Digest;
use serde_json::Value;

fn engine(arguments: &[&str]) -> String {
    Finished::of(rm_pack().arg("engine").args(arguments)).success()
}

#[test]
fn it_says_what_it_is() {
    let json: Value = serde_json::from_str(&engine(&["--json"])).unwrap();
    let (facts, description) = (&json["facts"], &json["description"]);
    assert!(description["python"].as_str().unwrap().starts_with("3.14."));
    assert_eq!(description["implementation"], "cpython");
    assert_eq!(description["platform"], "wasi");
    assert_eq!(description["os_name"], "posix");
    assert_eq!(description["bytecode_magic"].as_str().unwrap().len(), 8);
    let names = |field: &str| -> Vec<&str> {
        let names = description[field].as_array().unwrap().iter();
        names.map(|name| name.as_str().unwrap()).collect()
    };
    for module in [
        "sys",
        "_json",
        "_struct",
        "zlib",
        "_datetime",
        "_decimal",
        "_asyncio",
    ] {
        assert!(names("builtin_modules").contains(&module), "{module}");
    }
    assert!(!names("builtin_modules").contains(&"_ssl"));
    assert!(names("boot_modules").contains(&"encodings.utf_8"));
    assert!(facts["stdlib_modules"].as_u64().unwrap() > 600);
    assert!(facts["stdlib_size"].as_u64().unwrap() > 10_000_000);

    // The digest is that of the component in the cache.
    let component = std::fs::read(json["cached"].as_str().unwrap()).unwrap();
    assert_eq!(facts["size"], component.len());
    assert_eq!(facts["digest"], Digest::of(&component).to_string());

    let shown = engine(&[]);
    for part in [
        facts["digest"].as_str().unwrap(),
        description["python"].as_str().unwrap(),
        json["cached"].as_str().unwrap(),
        "_decimal",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

/// Links, compiles and boots CPython: slow.
#[test]
fn built_again_it_is_the_same() {
    let shown = engine(&["--rebuild"]);
    assert!(shown.contains("(built again: the same)"), "{shown}");
}

#[test]
fn the_shim_is_made_from_its_source() {
    let is_there = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
    if !["clang-19", "wasm-ld-19"].into_iter().all(is_there) {
        eprintln!("the shim was not compiled again: there is no clang-19 with wasm-ld-19");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let rebuilt = scratch.path().join("shim.wasm");
    let folder = repository().join("packager/engine");
    let mut command = Command::new("sh");
    command
        .arg(folder.join("build-shim.sh"))
        .arg(&rebuilt)
        .current_dir(&scratch);
    Finished::of(&mut command).success();
    assert!(
        digest(&rebuilt) == digest(&folder.join("shim.wasm")),
        "packager/engine/shim.wasm is not what build-shim.sh makes of shim.c"
    );
}

fn digest(path: &Path) -> Digest {
    Digest::of(&std::fs::read(path).unwrap())
}
