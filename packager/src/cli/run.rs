//! `rm-pack run`

use std::collections::BTreeMap;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rm_runtime::bundle::{Bundle, EXTENSION, Target};
use rm_runtime::json::{self, JsonError};
use rm_runtime::pipeline::{Output, Pipeline, RunError, Session, Settings};
use rm_runtime::value::Value;

use super::failure::{Failure, Stage};
use super::interrupt::Interrupt;
use super::items::{InputError, Items};
use super::output::{Progress, count, say, seconds, show_notes, show_sources};
use super::packing::Packing;
use super::wav::WavFile;
use super::written;
use super::{is_bundle, is_packed};
use crate::pack::UserSource;
use crate::report::size;

/// An output that JSON has no form for.
#[derive(Debug, thiserror::Error)]
#[error("output {number} of node `{node}` cannot be written as JSON")]
struct OutputError {
    node: String,
    number: usize,
    source: JsonError,
}

/// How to run.
pub(super) struct RunOptions {
    /// Which bundle of a folder.
    pub(super) name: Option<String>,
    pub(super) input: Option<PathBuf>,
    pub(super) output: Option<PathBuf>,
    pub(super) settings: Settings,
}

/// What is run: loaded, with what the summary says of it.
struct Loaded {
    pipeline: Pipeline,
    bundle: Bundle,
    input_data: Option<Value>,
    sources: BTreeMap<String, UserSource>,
}

/// Where outputs go.
struct Outputs {
    stdout: BufWriter<io::Stdout>,
    /// Where sound goes instead of standard output.
    wav: Option<WavFile>,
    /// Ctrl-C, where more than what it ends would be lost.
    interrupt: Option<Arc<Interrupt>>,
    count: usize,
    /// Whether somebody waits for each output: who feeds items one by one, or who looks at them.
    is_live: bool,
    /// When the last outputs were handed on.
    flushed: Instant,
}

/// How long outputs may be kept back while more are made.
const LONGEST_KEPT: Duration = Duration::from_millis(100);

pub(super) fn run(packing: &Packing, options: RunOptions) -> Result<(), Failure> {
    let started = Instant::now();
    let RunOptions {
        name,
        input,
        output,
        settings,
    } = options;
    if let Some(output) = &output {
        let mut read = packing.read();
        read.extend(input.iter().map(|input| ("the input", &**input)));
        written::check(&[("--output", output)], &read)?;
    }
    let loaded = load(packing, name.as_deref(), settings)?;
    let load_time = started.elapsed();
    show_sources(&loaded.sources);
    let takes_input = loaded.pipeline.takes_input();
    let items = Items::open(input.as_deref(), loaded.input_data, takes_input)
        .map_err(|error| Failure::new(Stage::Input, error))?;
    // A recording wants to be finished, and so do nodes that somebody feeds for as long as he likes.
    let interrupt = (output.is_some() || items.is_live())
        .then(Interrupt::watch)
        .transpose()
        .map_err(|error| Failure::new(Stage::Running, error))?;
    let mut outputs = Outputs {
        stdout: BufWriter::new(io::stdout()),
        wav: output.as_deref().map(WavFile::new),
        interrupt,
        count: 0,
        is_live: items.is_live() || io::stdout().is_terminal(),
        flushed: Instant::now(),
    };
    let started = Instant::now();
    let (items, ran) = if items.is_live() {
        run_live(&loaded.pipeline, items, &mut outputs)
    } else {
        run_batch(&loaded.pipeline, items, |output| {
            outputs.write(output)?;
            match &outputs.interrupt {
                Some(interrupt) if interrupt.is_asked() => Err(Interrupted.into()),
                _ => Ok(()),
            }
        })
    };
    let flushed = outputs.stdout.flush().map_err(cannot_write);
    match ran {
        Err(Ended::Output(error)) if is_pipe_error(&error) => return Ok(()),
        Err(Ended::Output(error)) if error.is::<Interrupted>() => {}
        ran => ran.map_err(|ended| Failure::from(ended).with_sources(&loaded.sources))?,
    }
    match flushed {
        Err(error) if is_pipe_error(&error) => {}
        result => result.map_err(|error| Failure::new(Stage::Running, error))?,
    }
    if let Some(wav) = outputs.wav {
        wav.finish()
            .map_err(|error| Failure::new(Stage::Running, error))?;
    }
    let times = (load_time, started.elapsed());
    summary(&loaded.bundle, items, outputs.count, times);
    Ok(())
}

/// Run on items that are there, and hand each output over; says how many items.
pub(super) fn run_batch(
    pipeline: &Pipeline,
    mut items: Items,
    mut take: impl FnMut(&Output) -> anyhow::Result<()>,
) -> (u64, Result<(), Ended>) {
    // An input that cannot be read ends the input; what came before it is worked on.
    let mut unreadable = None;
    let ran = pipeline.run_with(
        || {
            Ok(items.next().unwrap_or_else(|error| {
                unreadable = Some(error);
                None
            }))
        },
        |output| take(&output).map_err(Into::into),
    );
    let ended = match (ran, unreadable) {
        (Err(RunError::Caller(error)), _) => Err(Ended::Output(anyhow::Error::from_boxed(error))),
        (Err(error), _) => Err(Ended::Run(error)),
        (Ok(()), Some(error)) => Err(Ended::Input(error)),
        (Ok(()), None) => Ok(()),
    };
    (items.taken(), ended)
}

/// Run on items that somebody gives one by one, and waits for what each gives.
fn run_live(pipeline: &Pipeline, items: Items, outputs: &mut Outputs) -> (u64, Result<(), Ended>) {
    let session = Arc::new(pipeline.session());
    if let Some(interrupt) = &outputs.interrupt {
        interrupt.closes(&session);
    }
    let fed = Arc::new(AtomicU64::new(0));
    let (report, reports) = mpsc::sync_channel(1);
    let feeder = (session.clone(), fed.clone());
    // Not a scoped thread: where the run fails, nobody wants to wait for the next line.
    thread::spawn(move || {
        let (session, fed) = feeder;
        // First the report, then the end that lets the other side look for it. Nobody listens when the run has failed.
        let _ = report.send(feed(items, &session, &fed));
        session.close();
    });
    let mut ended = outputs.receive(&session);
    // Whoever fed the pipeline has closed it, or found it closed; only where a node stopped the stream it still waits for
    // the next line, which nobody will need.
    if let (Ok(()), Ok(Err(error))) = (&ended, reports.try_recv()) {
        ended = Err(Ended::Input(error));
    }
    (fed.load(Ordering::Relaxed), ended)
}

/// Send all items.
fn feed(mut items: Items, session: &Session, fed: &AtomicU64) -> Result<(), InputError> {
    while let Some(item) = items.next()? {
        if session.send_blocking(item).is_err() {
            // Whoever receives learns why.
            break;
        }
        fed.store(items.taken(), Ordering::Relaxed);
    }
    Ok(())
}

/// Why a run ended early.
pub(super) enum Ended {
    Input(InputError),
    Run(RunError),
    Output(anyhow::Error),
}

/// Ctrl-C ended a run that nobody feeds item by item.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
struct Interrupted;

impl From<Ended> for Failure {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Input(error) => Self::new(Stage::Input, error),
            Ended::Run(error) => error.into(),
            Ended::Output(error) => Self::new(Stage::Running, error),
        }
    }
}

impl Outputs {
    fn receive(&mut self, session: &Session) -> Result<(), Ended> {
        while let Some(output) = session.receive_blocking().map_err(Ended::Run)? {
            self.write(&output).map_err(Ended::Output)?;
        }
        Ok(())
    }

    fn write(&mut self, output: &Output) -> anyhow::Result<()> {
        self.count += 1;
        if let (Some(wav), Value::Audio(audio)) = (&mut self.wav, &output.value) {
            return Ok(wav.add(audio, self.count)?);
        }
        let text = json::to_json(&output.value).map_err(|source| OutputError {
            node: output.node.to_string(),
            number: self.count,
            source,
        })?;
        writeln!(self.stdout, "{text}").map_err(cannot_write)?;
        if self.is_live || self.flushed.elapsed() >= LONGEST_KEPT {
            self.stdout.flush().map_err(cannot_write)?;
            self.flushed = Instant::now();
        }
        Ok(())
    }
}

fn cannot_write(error: io::Error) -> anyhow::Error {
    anyhow::Error::new(error).context("cannot write the outputs")
}

fn load(packing: &Packing, name: Option<&str>, settings: Settings) -> Result<Loaded, Failure> {
    let path = &packing.request.manifest;
    let progress = Progress::new();
    if is_packed(path) {
        progress.step("loading the bundle");
        let bundle = if is_bundle(path) {
            Bundle::open(path)?
        } else {
            Bundle::open_from_folder(path, Target::Wasmtime, name)?
        };
        let pipeline = Pipeline::load(&bundle, settings)?;
        return Ok(Loaded {
            pipeline,
            bundle,
            input_data: None,
            sources: BTreeMap::new(),
        });
    }
    let packed = packing.pack(&settings.cache, &progress)?;
    drop(progress);
    show_notes(&packed.notes);
    let engine = packed.engine.map(|built| built.engine);
    let pipeline = Pipeline::with_engine(&packed.bundle, engine, settings)?;
    Ok(Loaded {
        pipeline,
        bundle: packed.bundle,
        input_data: packed.input_data,
        sources: packed.user_sources,
    })
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
    say(&format!(
        "{name}: {python}; ready in {}; {items}, {outputs} in {}\n",
        seconds(load),
        seconds(run)
    ));
}

/// Whoever reads the outputs has had enough, as `head` does: not an error.
fn is_pipe_error(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
