//! `rm-pack verify`

use std::fmt::Write as _;
use std::path::Path;

use anyhow::anyhow;
use rm_runtime::bundle::Bundle;
use rm_runtime::pipeline::{Pipeline, Settings, check_engine_beside};

use super::failure::{Failure, Stage, shortened};
use super::output::{Progress, count, mute, show};

pub(super) fn verify(file: &Path) -> Result<(), Failure> {
    let progress = Progress::new();
    progress.step("checking hashes");
    let bundle = Bundle::open(file)?;
    check_engine_beside(&bundle)?;
    progress.step("booting");
    let pipeline = Pipeline::load(&bundle, Settings::default())?;
    progress.step("importing every module");
    // What is only brought in on demand says so, module by module.
    mute();
    let names: Vec<_> = bundle
        .modules()
        .iter()
        .map(|module| module.name.as_str())
        .collect();
    let failed = pipeline
        .try_imports(&names)
        .map_err(|error| Failure::new(Stage::Running, error))?;
    drop(progress);
    // One is the description.
    let entries = match bundle.description().entries.len() + 1 {
        1 => "1 entry as it was written".to_owned(),
        all => format!("{all} entries as they were written"),
    };
    let mut out = String::new();
    let _ = writeln!(out, "{}: {entries}", file.display());
    let mut broken = 0;
    for (name, exception) in &failed {
        let _ = writeln!(out, "  {name}: {}", shortened(exception.summary()));
        // The standard library has modules that cannot work here and that nothing imports when it matters.
        let own = bundle
            .modules()
            .iter()
            .any(|module| module.name == *name && module.origin != "stdlib");
        broken += usize::from(own && !exception.is_import_error());
    }
    let imported = names.len() - failed.len();
    let _ = writeln!(
        out,
        "{imported} of {} can be imported",
        count(names.len(), "module")
    );
    show(&out)?;
    if broken == 0 {
        return Ok(());
    }
    Err(Failure::new(
        Stage::Running,
        anyhow!(
            "{} of the application failed otherwise than by a missing import",
            count(broken, "module")
        ),
    ))
}
