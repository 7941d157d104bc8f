//! What shaking leaves of four small nodes, beside what running and what `modulefinder` say they need.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use cpu_time::ProcessTime;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use rm_runtime::cache::Cache;
use rm_runtime::python::engine::EngineDescription;
use serde::Serialize;

use super::minify::deflated;
use crate::analysis::{self, Closure, NodeModule, Options, ParsedModule};
use crate::engine::{self, BuiltEngine};
use crate::minify::{FOR_SOURCE, Task, minify_all};
use crate::pack::plan::target;
use crate::pack::{Packed, Request, pack};
use crate::source::{Origin, SourceSet};

/// The nodes, by name: what they import is what makes them differ.
const SAMPLES: [(&str, &str); 4] = [
    ("text", include_str!("samples/text.py")),
    ("audio", include_str!("samples/audio.py")),
    ("async", include_str!("samples/async.py")),
    ("data", include_str!("samples/data.py")),
];

/// How often the library is analysed.
pub const RUNS: usize = 5;

const MANIFEST: &str =
    "version: v1\nmetadata: {name: sample}\nnodes:\n  - {id: node, node_type: N}\n";

/// How many modules there are, and how large they are: the sum of their texts, each deflated for itself at level 9.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Extent {
    /// Modules, the engine's own not counted.
    pub modules: usize,
    /// Bytes.
    pub deflated: u64,
}

/// What one node needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// The node's name.
    pub name: String,
    /// What was imported by the time the node could run, whole.
    pub run_time: Extent,
    /// What following imports brings in, whole.
    pub whole: Extent,
    /// What shaking leaves of it, minified.
    pub shaken: Extent,
    /// How many modules `modulefinder` of `python3` finds; none where there is no `python3`.
    pub modulefinder: Option<usize>,
    /// Processor time of following imports and definitions.
    pub cpu: Duration,
}

/// All that is measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shaking {
    /// The whole standard library.
    pub library: Extent,
    /// Processor time of analysing all of it: the median of [`RUNS`].
    pub library_cpu: Duration,
    /// What of that the parser takes, measured alone, in between: says how fast the machine is at the moment.
    pub parser_cpu: Duration,
    /// The nodes.
    pub samples: Vec<Sample>,
}

impl fmt::Display for Shaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "whole library: {} modules, {} kB; analysed in {:.2} s of processor time, {:.2} s of them parsing\n",
            self.library.modules,
            self.library.deflated / 1000,
            self.library_cpu.as_secs_f64(),
            self.parser_cpu.as_secs_f64()
        )?;
        writeln!(
            f,
            "{:<8} | {:>17} | {:>17} | {:>17} | {:>12} | {:>8}",
            "node", "at run time", "whole modules", "shaken, minified", "modulefinder", "CPU"
        )?;
        for sample in &self.samples {
            let extent =
                |extent: Extent| format!("{:>4}, {:>7} kB", extent.modules, extent.deflated / 1000);
            let found = sample
                .modulefinder
                .map_or_else(|| "-".to_owned(), |count| count.to_string());
            writeln!(
                f,
                "{:<8} | {:>17} | {:>17} | {:>17} | {found:>12} | {:>6.2} s",
                sample.name,
                extent(sample.run_time),
                extent(sample.whole),
                extent(sample.shaken),
                sample.cpu.as_secs_f64()
            )?;
        }
        Ok(())
    }
}

/// Pack the nodes, and look at what is in their bundles.
///
/// # Errors
///
/// Packing fails, or a folder for it cannot be made.
pub fn measure(cache: &Cache, progress: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Shaking> {
    let library = engine::stdlib();
    let built = BuiltEngine::ensure(cache, progress)?;
    let (mut analysing, mut parsing) = (Vec::new(), Vec::new());
    let mut modules = 0;
    for _ in 0..RUNS {
        let (analysed, names, closure) = analyse_library(&library, &built.description)?;
        analysing.push(analysed);
        parsing.push(parse_alone(&closure));
        modules = names;
    }
    let mut samples = Vec::new();
    for (name, text) in SAMPLES {
        progress(name);
        samples.push(sample(name, text, cache)?);
    }
    Ok(Shaking {
        library: Extent {
            modules,
            deflated: deflated(library.values().map(|text| &**text).collect()),
        },
        library_cpu: median(analysing),
        parser_cpu: median(parsing),
        samples,
    })
}

fn sample(name: &str, text: &str, cache: &Cache) -> anyhow::Result<Sample> {
    let folder = tempfile::tempdir().context("making a folder for a node")?;
    std::fs::write(folder.path().join("node.py"), text)?;
    std::fs::write(folder.path().join("pipeline.yaml"), MANIFEST)?;
    let mut request = Request::new(folder.path().join("pipeline.yaml"));
    request.shake = false;
    let whole = pack(&request, cache, &|_| {})?;
    request.shake = true;
    let shaken = pack(&request, cache, &|_| {})?;
    let loaded: BTreeSet<&str> = whole
        .bundle
        .modules()
        .iter()
        .filter(|module| module.loaded)
        .map(|module| module.name.as_str())
        .collect();
    Ok(Sample {
        name: name.to_owned(),
        run_time: extent(&whole, |name| loaded.contains(name), false),
        whole: extent(&whole, |_| true, false),
        shaken: extent(&shaken, |_| true, true),
        modulefinder: modulefinder(&folder.path().join("node.py")),
        cpu: shaken.analysis_time,
    })
}

fn extent(packed: &Packed, counts: impl Fn(&str) -> bool, minified: bool) -> Extent {
    let Some(analysed) = &packed.analysed else {
        return Extent::default();
    };
    let texts: Vec<&str> = analysed
        .closure
        .modules
        .iter()
        .filter(|(name, _)| counts(name))
        .map(|(_, module)| &*module.shaken.text)
        .collect();
    let modules = texts.len();
    if !minified {
        return Extent {
            modules,
            deflated: deflated(texts),
        };
    }
    let tasks: Vec<Task<'_>> = texts
        .iter()
        .map(|text| Task {
            text,
            passes: FOR_SOURCE,
        })
        .collect();
    let small = minify_all(&tasks);
    Extent {
        modules,
        deflated: deflated(small.iter().map(|one| &*one.text).collect()),
    }
}

/// Follows everything from every module of the library at once.
fn analyse_library(
    library: &engine::Stdlib,
    engine: &EngineDescription,
) -> anyhow::Result<(Duration, usize, Closure)> {
    let names: Vec<String> = library
        .keys()
        // Data of another platform, which no import statement can name.
        .filter(|path| !path.contains('-'))
        .map(|path| {
            let stem = path
                .strip_suffix("/__init__.py")
                .or_else(|| path.strip_suffix(".py"));
            stem.unwrap_or(path).replace('/', ".")
        })
        .collect();
    let mut sources = SourceSet::new();
    let texts: BTreeMap<String, Arc<str>> = library.clone();
    sources.add_memory(Origin::Stdlib, texts);
    sources.add_memory(Origin::Stdlib, engine::guest_files());
    // Each import in a function of its own: behind one that cannot work on the target, nothing is followed.
    let mut node = String::new();
    for (number, name) in names.iter().enumerate() {
        let _ = write!(node, "def f{number}():\n import {name}\n");
    }
    sources.add_memory(
        Origin::Node,
        [("every_module.py".to_owned(), Arc::from(node))],
    );
    // No class: all of these functions count.
    let entry = NodeModule {
        node_type: "N".to_owned(),
        module: "every_module".to_owned(),
        class: None,
    };
    let start = ProcessTime::now();
    let closure = analysis::analyse(
        &sources,
        &target(engine, false),
        &[entry],
        &Options {
            native_names: engine.native_names.clone(),
            ..Options::default()
        },
    )?;
    Ok((start.elapsed(), names.len(), closure))
}

/// Processor time of parsing what an analysis read, as it does: by several threads, each tree dropped at once.
fn parse_alone(closure: &Closure) -> Duration {
    let start = ProcessTime::now();
    closure
        .modules
        .par_iter()
        .for_each(|(_, module)| drop(ParsedModule::parse(&module.source)));
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The modules that CPython's own `modulefinder` follows imports to.
fn modulefinder(node: &Path) -> Option<usize> {
    const SCRIPT: &str = "import modulefinder, sys\n\
        finder = modulefinder.ModuleFinder()\n\
        finder.run_script(sys.argv[1])\n\
        print(sum(1 for module in finder.modules.values() if module.__file__))\n";
    let output = Command::new("python3")
        .args(["-c", SCRIPT])
        .arg(node)
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
