//! `rm-pack run`

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rm_runtime::bundle::{Bundle, EXTENSION, Target};
use rm_runtime::cache::Cache;
use rm_runtime::json::{self, JsonError};
use rm_runtime::nodes::Registry;
use rm_runtime::pipeline::{Pipeline, Settings};
use rm_runtime::value::Value;

use super::build::print_notes;
use super::failure::{Failure, Stage};
use super::output::{Progress, count, seconds, size};
use crate::pack::{Request, UserSource, pack};

/// An item of the input that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}:{line}: not UTF-8", path.display())]
    Encoding { path: PathBuf, line: u64 },
    #[error("{}:{line}: not a JSON value", path.display())]
    Json {
        path: PathBuf,
        line: u64,
        source: JsonError,
    },
    #[error("nothing to run on: give --input FILE, or --input - for standard input")]
    None,
}

/// An output that JSON has no form for.
#[derive(Debug, thiserror::Error)]
#[error("output {number} of node `{node}` cannot be written as JSON")]
struct OutputError {
    node: String,
    number: usize,
    source: JsonError,
}

/// What is run: loaded, with what the summary says of it.
struct Loaded {
    pipeline: Pipeline,
    bundle: Bundle,
    input_data: Option<Value>,
    sources: BTreeMap<String, UserSource>,
}

pub(super) fn run(
    request: &Request,
    name: Option<&str>,
    input: Option<&Path>,
) -> Result<(), Failure> {
    let started = Instant::now();
    let loaded = load(request, name)?;
    let load_time = started.elapsed();
    let mut items =
        Items::open(input, loaded.input_data).map_err(|error| Failure::new(Stage::Input, error))?;
    let mut outputs = 0;
    let mut stdout = BufWriter::new(io::stdout());
    let started = Instant::now();
    let is_live = items.is_live();
    let result = loaded.pipeline.run_with(
        || items.next().map_err(Box::from),
        |node, value| {
            outputs += 1;
            let text = json::to_json(&value).map_err(|source| OutputError {
                node: node.to_owned(),
                number: outputs,
                source,
            })?;
            writeln!(stdout, "{text}")?;
            // Whoever feeds items one by one waits for what each gives.
            if is_live { Ok(stdout.flush()?) } else { Ok(()) }
        },
    );
    let flushed = stdout.flush();
    match result {
        Err(rm_runtime::pipeline::RunError::Caller(error)) if is_broken_pipe(&*error) => {
            return Ok(());
        }
        Err(error) => return Err(Failure::from(error).with_sources(&loaded.sources)),
        Ok(()) => {}
    }
    if let Err(error) = flushed
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        return Err(Failure::new(
            Stage::Running,
            anyhow::Error::new(error).context("cannot write the outputs"),
        ));
    }
    let times = (load_time, started.elapsed());
    summary(&loaded.bundle, items.taken, outputs, times);
    Ok(())
}

fn load(request: &Request, name: Option<&str>) -> Result<Loaded, Failure> {
    let path = &request.manifest;
    let progress = Progress::new();
    let cache = Cache::user();
    let is_bundle = path
        .extension()
        .is_some_and(|extension| extension == EXTENSION);
    if is_bundle || path.is_dir() {
        progress.step("loading the bundle");
        let bundle = if is_bundle {
            Bundle::open(path)?
        } else {
            Bundle::open_from_folder(path, Target::Wasmtime, name)?
        };
        let pipeline = Pipeline::load(
            &bundle,
            Settings {
                registry: Registry::builtin(),
                cache,
            },
        )?;
        return Ok(Loaded {
            pipeline,
            bundle,
            input_data: None,
            sources: BTreeMap::new(),
        });
    }
    let packed = pack(request, &cache, &|step| progress.step(step))?;
    drop(progress);
    print_notes(&packed);
    let engine = packed.engine.map(|built| built.engine);
    let pipeline = Pipeline::with_engine(&packed.bundle, engine, Registry::builtin())?;
    Ok(Loaded {
        pipeline,
        bundle: packed.bundle,
        input_data: packed.input_data,
        sources: packed.user_sources,
    })
}

/// The items to run on, one by one.
struct Items {
    source: ItemSource,
    taken: u64,
}

enum ItemSource {
    Lines {
        path: PathBuf,
        lines: io::Lines<Box<dyn BufRead + Send>>,
        line: u64,
    },
    Given(std::vec::IntoIter<Value>),
}

impl Items {
    /// `input` comes first; what is in the manifest serves when there is none.
    fn open(input: Option<&Path>, given: Option<Value>) -> Result<Self, InputError> {
        let source = match (input, given) {
            (Some(path), _) if path.as_os_str() == "-" => {
                let stdin: Box<dyn BufRead + Send> = Box::new(BufReader::new(io::stdin()));
                ItemSource::Lines {
                    path: "standard input".into(),
                    lines: stdin.lines(),
                    line: 0,
                }
            }
            (Some(path), _) => {
                let file = File::open(path).map_err(|source| InputError::Read {
                    path: path.to_owned(),
                    source,
                })?;
                let file: Box<dyn BufRead + Send> = Box::new(BufReader::new(file));
                ItemSource::Lines {
                    path: path.to_owned(),
                    lines: file.lines(),
                    line: 0,
                }
            }
            (None, Some(Value::List(items))) => ItemSource::Given(items.into_iter()),
            (None, Some(item)) => ItemSource::Given(vec![item].into_iter()),
            (None, None) => return Err(InputError::None),
        };
        Ok(Self { source, taken: 0 })
    }

    fn is_live(&self) -> bool {
        matches!(&self.source, ItemSource::Lines { path, .. } if path.as_os_str() == "standard input")
    }

    fn next(&mut self) -> Result<Option<Value>, InputError> {
        let item = match &mut self.source {
            ItemSource::Given(items) => items.next(),
            ItemSource::Lines { path, lines, line } => loop {
                *line += 1;
                match lines.next() {
                    None => break None,
                    Some(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                        return Err(InputError::Encoding {
                            path: path.clone(),
                            line: *line,
                        });
                    }
                    Some(Err(source)) => {
                        return Err(InputError::Read {
                            path: path.clone(),
                            source,
                        });
                    }
                    Some(Ok(text)) if text.trim().is_empty() => {}
                    // Some editors begin a file with a byte order mark.
                    Some(Ok(text)) => match json::from_json(text.trim_start_matches('\u{feff}')) {
                        Ok(value) => break Some(value),
                        Err(source) => {
                            return Err(InputError::Json {
                                path: path.clone(),
                                line: *line,
                                source,
                            });
                        }
                    },
                }
            },
        };
        self.taken += u64::from(item.is_some());
        Ok(item)
    }
}

fn summary(bundle: &Bundle, items: u64, outputs: usize, (load, run): (Duration, Duration)) {
    let name = bundle.file_name();
    let name = name.strip_suffix(&format!(".{EXTENSION}")).unwrap_or(&name);
    let python = match bundle.layer() {
        Some(layer) => {
            let modules = bundle.modules();
            let loaded = modules.iter().filter(|module| module.loaded).count();
            let memory = size(layer.as_bytes().len() as u64);
            format!(
                "{} ({loaded} loaded), {memory} in memory",
                count(modules.len(), "module")
            )
        }
        None => "no Python".to_owned(),
    };
    let items = count(usize::try_from(items).unwrap_or(usize::MAX), "item");
    let outputs = count(outputs, "output");
    eprintln!(
        "{name}: {python}; ready in {}; {items}, {outputs} in {}",
        seconds(load),
        seconds(run)
    );
}

/// Whoever reads the outputs has had enough, as `head` does: not an error.
fn is_broken_pipe(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
