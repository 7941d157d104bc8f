//! Puts what the engine is made of into the binary: the wasm libraries and the standard library of CPython for WASI,
//! out of the registry package that `engine/libraries/libraries.toml` names.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// Which files of the package the engine needs; the same names are embedded by `src/engine/libraries.rs`.
const FILES: [&str; 6] = [
    "libpython3.14.so.zst",
    "libc.so.zst",
    "libwasi-emulated-signal.so.zst",
    "libwasi-emulated-getpid.so.zst",
    "libwasi-emulated-process-clocks.so.zst",
    "python-lib.tar.zst",
];

/// Everything else that the engine's bytes depend on.
const RECIPE: [&str; 2] = ["engine", "src/engine"];

fn main() -> Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    let package = package_folder(&out.join("libraries"))?;
    let mut recipe = Sha256::new();
    for name in FILES {
        let bytes = fs::read(package.join(name)).with_context(|| {
            format!(
                "componentize-py should carry `{name}`, at `{}`",
                package.display()
            )
        })?;
        recipe.update(&bytes);
        fs::write(out.join(name), bytes)?;
    }
    for folder in RECIPE {
        println!("cargo::rerun-if-changed={folder}");
        hash_folder(Path::new(folder), &mut recipe)?;
    }
    // The classes that nodes and guest share.
    println!("cargo::rerun-if-changed=python/_remotemedia.py");
    recipe.update(fs::read("python/_remotemedia.py").context("the guest needs `_remotemedia.py`")?);
    // The crates that link and freeze the engine are pinned to exact versions: in the workspace's manifest, or in the
    // package's own once it is published.
    for manifest in ["Cargo.toml", "../Cargo.toml"] {
        println!("cargo::rerun-if-changed={manifest}");
        recipe.update(fs::read(manifest).unwrap_or_default());
    }
    let digest = recipe.finalize();
    let name = u64::from_be_bytes(digest[..8].try_into()?);
    println!("cargo::rustc-env=ENGINE_RECIPE={name:016x}");
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

/// Let cargo download and check the package, and say where it is.
fn package_folder(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    for (from, to) in [
        ("libraries.toml", "Cargo.toml"),
        ("libraries.lock", "Cargo.lock"),
    ] {
        fs::copy(Path::new("engine/libraries").join(from), folder.join(to))?;
    }
    fs::write(folder.join("lib.rs"), "")?;
    let output = Command::new(env::var_os("CARGO").context("cargo sets CARGO")?)
        .args([
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(folder.join("Cargo.toml"))
        .output()?;
    if !output.status.success() {
        bail!(
            "cargo cannot get the engine's libraries:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == "componentize-py")
        .and_then(|package| {
            Path::new(package["manifest_path"].as_str()?)
                .parent()
                .map(Path::to_owned)
        })
        .context("cargo metadata lists componentize-py")
}

fn hash_folder(folder: &Path, recipe: &mut Sha256) -> Result<()> {
    let mut entries = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            hash_folder(&path, recipe)?;
        } else {
            recipe.update(path.to_string_lossy().as_bytes());
            recipe.update(fs::read(&path)?);
        }
    }
    Ok(())
}
