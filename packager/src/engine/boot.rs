//! Second step of building an engine: start the interpreter, with nothing of an application in it.
//!
//! CPython needs a few modules of its standard library to start, `encodings` above all. Reading them from files would
//! leave inode numbers and times of the building machine in the frozen memory, so it is started twice: the first
//! instance reads the sources from a folder and compiles them; the second, which is frozen, gets the code objects as
//! frozen modules and sees no file at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, bail};
use rm_runtime::json;
use rm_runtime::python::engine::EngineDescription;
use rm_runtime::python::instance::Options;
use rm_runtime::python::operation::{Operation, PROTOCOL};
use rm_runtime::python::{Engine, Instance};
use rm_runtime::value::Value;

use super::libraries::{GUEST, Stdlib, native_names};
use crate::source::module_name;

/// Encodings that the interpreter's own code looks for whatever the program is, and that starting it does not import: they
/// come with it all the same.
pub const CORE_ENCODINGS: [&str; 2] = ["encodings.ascii", "encodings.latin_1"];

type BuiltinNames = BTreeMap<String, BTreeSet<String>>;

/// A booted interpreter, and what it says of itself.
pub(super) async fn boot(
    unbooted: &Engine,
    stdlib: &Stdlib,
) -> anyhow::Result<(Instance, EngineDescription)> {
    let (frozen, builtin_names) = compile_boot_modules(unbooted, stdlib).await?;
    let mut instance = Instance::new(unbooted, &Options::for_packing()).await?;
    instance
        .boot("", frozen)
        .await
        .context("starting the engine from frozen modules")?;
    let names = stdlib
        .keys()
        .map(|path| Value::from(module_name(path)))
        .collect();
    instance
        .call(Operation::SetStdlibNames, vec![Value::List(names)])
        .await?;
    let description = EngineDescription {
        builtin_names,
        native_names: native_names(),
        ..describe(&mut instance).await?
    };
    if description.protocol != PROTOCOL {
        bail!(
            "the guest speaks protocol {}, and {PROTOCOL} was expected",
            description.protocol
        );
    }
    instance.scrub().await?;
    Ok((instance, description))
}

async fn describe(instance: &mut Instance) -> anyhow::Result<EngineDescription> {
    let description = instance.call(Operation::Describe, Vec::new()).await?;
    serde_json::from_str(&json::to_json(&description)?)
        .context("reading what the engine says of itself")
}

/// The table of frozen modules that `boot` in `engine/shim.c` reads, and what the built-in modules define.
async fn compile_boot_modules(
    unbooted: &Engine,
    stdlib: &Stdlib,
) -> anyhow::Result<(Vec<u8>, BuiltinNames)> {
    let folder = tempfile::tempdir().context("making a folder for the first boot")?;
    for (path, text) in stdlib
        .iter()
        .filter(|(path, _)| path.starts_with("encodings/"))
    {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder.path()))?;
        fs::write(path, text.as_bytes())?;
    }
    for (name, text) in GUEST {
        fs::write(folder.path().join(format!("{name}.py")), text)?;
    }
    let mut instance = Instance::with_boot_folder(unbooted, folder.path()).await?;
    instance
        .boot("/boot", Vec::new())
        .await
        .context("starting the engine for the first time")?;
    let description = describe(&mut instance).await?;

    let mut modules: Vec<(String, bool, &str)> = GUEST
        .iter()
        .map(|(name, text)| ((*name).to_owned(), false, *text))
        .collect();
    for (path, text) in stdlib {
        let name = module_name(path);
        if (description.boot_modules.contains(&name) || CORE_ENCODINGS.contains(&&*name))
            && !description.frozen_modules.contains(&name)
            && !description.builtin_modules.contains(&name)
        {
            modules.push((name, path.ends_with("/__init__.py"), text));
        }
    }
    let mut image = u32_bytes(modules.len()).to_vec();
    for (name, is_package, source) in modules {
        let code = compile(&mut instance, &format!("<frozen {name}>"), source).await?;
        image.extend(u32_bytes(name.len() + 1));
        image.extend(name.as_bytes());
        image.push(0);
        image.extend(u32_bytes(usize::from(is_package)));
        image.extend(u32_bytes(code.len()));
        image.extend(code);
    }
    let names = instance.call(Operation::BuiltinNames, Vec::new()).await?;
    Ok((image, serde_json::from_str(&json::to_json(&names)?)?))
}

async fn compile(instance: &mut Instance, filename: &str, source: &str) -> anyhow::Result<Vec<u8>> {
    let arguments = vec![filename.into(), source.into(), Value::Int(0)];
    match instance.call(Operation::Compile, arguments).await? {
        Value::Bytes(code) => Ok(code),
        other => bail!("compiling {filename} gave {}", other.type_name()),
    }
}

fn u32_bytes(number: usize) -> [u8; 4] {
    u32::try_from(number)
        .expect("sizes of modules")
        .to_le_bytes()
}
