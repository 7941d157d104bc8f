//! The command line: arguments, progress, messages and exit codes. What the commands do is in the rest of the crate.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done |
//! | 2 | the command line was wrong |
//! | 3 | an input is missing or wrong: the manifest, a project file, a bundle, an item |
//! | 4 | packing failed: the nodes' code, an import, an output folder |
//! | 5 | running failed: an exception in a node, an interpreter that stopped, a standard output that takes nothing |

mod bench;
mod build;
mod diff;
mod engine;
mod failure;
mod inspect;
mod interrupt;
mod items;
mod output;
mod packing;
mod report;
mod run;
mod stack;
mod trace;
mod verify;
mod wav;
mod why;
mod written;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use rm_runtime::bundle::{BUNDLE_MAGIC, Target, has_bundle_name};
use rm_runtime::manifest::OnError;
use rm_runtime::pipeline::{MAX_THREADS, Settings};

use self::packing::Packing;
use crate::pack::{Carry, Request};

/// Pack a media pipeline whose nodes are written in Rust and Python into one content-hashed bundle.
#[derive(Debug, Parser)]
#[command(
    name = "rm-pack",
    version,
    after_help = "Exit codes: 0 done, 2 command line, 3 input or manifest, 4 packing, 5 running."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Pack a pipeline into a folder
    Build {
        #[command(flatten)]
        pipeline: PipelineArgs,
        #[command(flatten)]
        carry: CarryArgs,
        /// What the bundle runs on
        #[arg(long, value_enum, default_value_t = TargetArg::Wasmtime)]
        target: TargetArg,
        /// The folder to write to; made if need be
        #[arg(long, value_name = "DIR", default_value = "dist")]
        out: PathBuf,
        /// Put the engine into the bundle instead of beside it
        #[arg(long)]
        self_contained: bool,
        /// With --target web: put a file in Brotli beside each of the engine's, for a server to send instead
        #[arg(long)]
        brotli: bool,
        /// A file to write everything to that is known about what is in the bundle, what is not, and why
        #[arg(long, value_name = "FILE")]
        metafile: Option<PathBuf>,
    },
    /// Run a pipeline: a manifest (packed on the way), a bundle, or a folder of bundles
    Run {
        #[command(flatten)]
        pipeline: PipelineArgs,
        #[command(flatten)]
        carry: CarryArgs,
        /// Which bundle, when PIPELINE is a folder with several
        #[arg(long)]
        name: Option<String>,
        /// Items to feed it: a file with one JSON value a line, a .wav file, or - for lines of standard input
        #[arg(long, value_name = "FILE")]
        input: Option<PathBuf>,
        /// A .wav file to collect the audio that comes out; everything else goes to standard output
        #[arg(long, value_name = "FILE", value_parser = wav_path)]
        output: Option<PathBuf>,
        #[command(flatten)]
        limits: LimitArgs,
    },
    /// Show what is in a bundle
    Inspect {
        /// The bundle
        file: PathBuf,
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Tell why a module or a definition is in a pipeline's bundle, or what would bring it back; PIPELINE may be a metafile
    Why {
        #[command(flatten)]
        pipeline: PipelineArgs,
        /// What the bundle would run on
        #[arg(long, value_enum, default_value_t = TargetArg::Wasmtime)]
        target: TargetArg,
        /// Its dotted name, such as json.decoder.JSONDecoder, or the end of it
        #[arg(value_name = "QUERY", value_parser = NonEmptyStringValueParser::new())]
        query: String,
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Show what is in a pipeline's bundle, and why, as a page to look at
    #[command(group = ArgGroup::new("outputs").args(["html", "metafile"]).required(true).multiple(true))]
    Report {
        #[command(flatten)]
        pipeline: PipelineArgs,
        /// What the bundle would run on
        #[arg(long, value_enum, default_value_t = TargetArg::Wasmtime)]
        target: TargetArg,
        /// A file to write the page to: one HTML file that needs no other
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// A file to write the same to as data
        #[arg(long, value_name = "FILE")]
        metafile: Option<PathBuf>,
        /// A metafile or a bundle for the page to compare with
        #[arg(long, value_name = "FILE", requires = "html")]
        previous: Option<PathBuf>,
    },
    /// Show what changed between two bundles or two metafiles
    Diff {
        /// The one before: a metafile, which also knows definitions, or a bundle
        #[arg(value_name = "A")]
        before: PathBuf,
        /// The one after
        #[arg(value_name = "B")]
        after: PathBuf,
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Check a bundle: every hash, the engine beside it too, then boot it and import every module in it
    Verify {
        /// The bundle
        file: PathBuf,
        /// Find the least stack that it needs instead, and compare it with what browsers have
        #[arg(long)]
        stack: bool,
        /// With --stack, items to run: a file with one JSON value a line, or a .wav file; it is only booted without
        #[arg(long, value_name = "FILE", requires = "stack")]
        input: Option<PathBuf>,
        /// With --stack, the share of a browser's stack that it may need
        #[arg(long, value_name = "SHARE", default_value_t = 0.5, requires = "stack", value_parser = share)]
        share: f64,
    },
    /// Measure what packing does, as a table, beside other tools
    Bench {
        /// What to measure
        #[arg(value_enum)]
        what: BenchArg,
        /// Ask python-minifier as well, where python3 has it: that takes minutes
        #[arg(long)]
        peers: bool,
    },
    /// Show the Python engine, building it first if need be
    Engine {
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
        /// Build it again, and check that the same bytes come out
        #[arg(long)]
        rebuild: bool,
    },
}

#[derive(Debug, Args)]
struct PipelineArgs {
    /// The pipeline: its manifest, JSON or YAML; for `run`, also a bundle or a folder of bundles
    #[arg(value_name = "PIPELINE")]
    pipeline: PathBuf,
    /// A folder with node sources, beside the manifest's own; may be given several times
    #[arg(long, value_name = "DIR")]
    source: Vec<PathBuf>,
    /// Keep every module that is imported whole; otherwise definitions that nothing is seen to use are left out
    #[arg(long)]
    no_shake: bool,
    /// Run the whole pipeline on these items first, and keep what ran beside what is seen to be used
    #[arg(long, value_name = "INPUT", conflicts_with = "no_shake")]
    trace: Option<PathBuf>,
    /// Leave out asserts and what `if __debug__` guards, as `python -O` does, and what only they use
    #[arg(short = 'O')]
    optimize: bool,
    /// How long importing the nodes' modules may take, in seconds; 0 is for ever, a minute is usual
    #[arg(long, value_name = "SECONDS", value_parser = timeout)]
    import_timeout: Option<Timeout>,
}

#[derive(Debug, Args)]
struct CarryArgs {
    /// Carry the source text of nodes and packages, for `inspect.getsource` and for tracebacks made in Python
    #[arg(long)]
    keep_source: bool,
    /// Where a definition that was left out is asked for after all: raise an error, or load it, with a warning
    #[arg(long, value_enum, default_value_t = OnMissingArg::Error)]
    on_missing: OnMissingArg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnMissingArg {
    Error,
    Load,
}

impl CarryArgs {
    fn carry(&self) -> Carry {
        Carry {
            source: self.keep_source,
            cold: self.on_missing == OnMissingArg::Load,
            trace: false,
        }
    }

    /// One of the options that was given.
    fn given(&self) -> Option<&'static str> {
        first_given([
            ("--keep-source", self.keep_source),
            ("--on-missing", self.on_missing != OnMissingArg::Error),
        ])
    }
}

#[derive(Debug, Args)]
struct LimitArgs {
    /// How long a Python node may work on an item without giving anything, in seconds; 0 is for ever
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = timeout)]
    timeout: Timeout,
    /// How much memory the interpreter of a Python node may use, such as 512M or 2G
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = memory)]
    max_memory: usize,
    /// How many threads run nodes, up to 1024; as many as there are processors if 0
    #[arg(long, value_name = "N", default_value = "0", value_parser = threads)]
    threads: usize,
    /// What an error in a node means where the manifest does not say: fail, skip the item, or stop the stream
    #[arg(long, value_enum, default_value_t = OnErrorArg::Fail)]
    on_error: OnErrorArg,
}

impl LimitArgs {
    fn settings(&self) -> Settings {
        Settings {
            threads: self.threads,
            timeout: self.timeout.0,
            memory_limit: self.max_memory,
            on_error: match self.on_error {
                OnErrorArg::Fail => OnError::Fail,
                OnErrorArg::Skip => OnError::Skip,
                OnErrorArg::Stop => OnError::Stop,
            },
            ..Settings::default()
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OnErrorArg {
    Fail,
    Skip,
    Stop,
}

#[derive(Clone, Copy, Debug)]
struct Timeout(Option<Duration>);

fn timeout(text: &str) -> Result<Timeout, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "expected a number of seconds".to_owned())?;
    let duration = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    Ok(Timeout((!duration.is_zero()).then_some(duration)))
}

fn threads(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|threads| *threads <= MAX_THREADS)
        .ok_or_else(|| format!("expected a number up to {MAX_THREADS}"))
}

/// What 32 bits can address.
const MOST_MEMORY: usize = 4 << 30;

fn memory(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(|char: char| !char.is_ascii_digit());
    let shift = match &text[digits.len()..] {
        "" => 0,
        "K" | "k" | "KiB" => 10,
        "M" | "m" | "MiB" => 20,
        "G" | "g" | "GiB" => 30,
        unit => return Err(format!("unknown unit `{unit}`; known are K, M and G")),
    };
    let number: usize = digits
        .parse()
        .map_err(|_| "expected a size such as 512M or 2G".to_owned())?;
    number
        .checked_shl(shift)
        .filter(|bytes| bytes >> shift == number && *bytes <= MOST_MEMORY)
        .ok_or_else(|| "more than the 4G that an interpreter can address".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if share > 0.0 && share <= 1.0 {
        Ok(share)
    } else {
        Err("expected a share of the whole, more than 0 and at most 1".to_owned())
    }
}

fn wav_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if items::is_wav(&path) {
        Ok(path)
    } else {
        Err("expected the name of a .wav file".to_owned())
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum BenchArg {
    /// What shaking and minifying leave, for four small nodes and for the whole standard library
    Shake,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TargetArg {
    /// Natively, Python in the wasmtime sandbox
    Wasmtime,
    /// The same bundle, with its engine for browsers beside it
    Web,
    /// In a browser, Python in Pyodide
    Pyodide,
}

impl TargetArg {
    /// End with a message about the command line if an option is given that has no meaning for this target.
    fn check(self, self_contained: bool, brotli: bool) {
        let message = match self {
            Self::Pyodide if self_contained => {
                "--self-contained has no meaning with --target pyodide"
            }
            Self::Wasmtime | Self::Pyodide if brotli => "--brotli is for the files of --target web",
            _ => return,
        };
        refuse(message);
    }
}

/// End with a message about options that do not go together.
fn refuse(message: &str) -> ! {
    Cli::command()
        .error(clap::error::ErrorKind::ArgumentConflict, message)
        .exit()
}

/// Whether a path is that of a bundle, or of a folder of bundles.
fn is_packed(path: &Path) -> bool {
    is_bundle(path) || path.is_dir()
}

/// Whether a path is that of a bundle, to go by its name or how the file begins.
fn is_bundle(path: &Path) -> bool {
    has_bundle_name(path) || begins_as_bundle(path).unwrap_or(false)
}

fn begins_as_bundle(path: &Path) -> io::Result<bool> {
    // What a pipe has to say is there once.
    if !path.metadata()?.is_file() {
        return Ok(false);
    }
    let mut beginning = [0; BUNDLE_MAGIC.len()];
    File::open(path)?.read_exact(&mut beginning)?;
    Ok(beginning == BUNDLE_MAGIC)
}

impl From<TargetArg> for Target {
    fn from(target: TargetArg) -> Self {
        match target {
            TargetArg::Wasmtime | TargetArg::Web => Self::Wasmtime,
            TargetArg::Pyodide => Self::Pyodide,
        }
    }
}

impl PipelineArgs {
    fn packing(&self) -> Packing {
        let mut request = Request {
            sources: self.source.clone(),
            shake: !self.no_shake,
            optimize: self.optimize,
            ..Request::new(self.pipeline.clone())
        };
        if let Some(Timeout(limit)) = self.import_timeout {
            request.import_limit = limit;
        }
        Packing {
            request,
            trace: self.trace.clone(),
        }
    }

    fn packing_for(&self, target: TargetArg) -> Packing {
        let mut packing = self.packing();
        packing.request.target = target.into();
        packing
    }

    /// One of the options that was given and says how to pack.
    fn given(&self) -> Option<&'static str> {
        let given = [
            ("--source", !self.source.is_empty()),
            ("--no-shake", self.no_shake),
            ("--trace", self.trace.is_some()),
            ("-O", self.optimize),
            ("--import-timeout", self.import_timeout.is_some()),
        ];
        first_given(given)
    }

    /// End with a message about the command line if an option is given that has no meaning for what is run.
    fn check_run(&self, carry: &CarryArgs, name: Option<&str>) {
        if !is_packed(&self.pipeline) {
            if name.is_some() {
                refuse("--name chooses one of a folder of bundles, and the pipeline is a manifest");
            }
            return;
        }
        if let Some(option) = self.given().or_else(|| carry.given()) {
            refuse(&format!(
                "{option} says how to pack, and a bundle is packed already"
            ));
        }
        if name.is_some() && is_bundle(&self.pipeline) {
            refuse("--name chooses one of a folder of bundles, and the pipeline is one bundle");
        }
    }
}

fn first_given<const N: usize>(options: [(&'static str, bool); N]) -> Option<&'static str> {
    let mut given = options.into_iter().filter(|(_, is_given)| *is_given);
    given.next().map(|(option, _)| option)
}

/// Run the command line, and say how it ended.
pub fn main() -> ExitCode {
    output::start_tracing();
    let result = match Cli::parse().command {
        Command::Build {
            pipeline,
            carry,
            target,
            out,
            self_contained,
            brotli,
            metafile,
        } => {
            target.check(self_contained, brotli);
            let mut packing = pipeline.packing_for(target);
            packing.request.self_contained = self_contained;
            packing.request.carry = carry.carry();
            let metafile = metafile.as_deref();
            build::build(&packing, target, &out, build::Beside { metafile, brotli })
        }
        Command::Run {
            pipeline,
            carry,
            name,
            input,
            output,
            limits,
        } => {
            pipeline.check_run(&carry, name.as_deref());
            let options = run::RunOptions {
                name,
                input,
                output,
                settings: limits.settings(),
            };
            let mut packing = pipeline.packing();
            packing.request.carry = carry.carry();
            run::run(&packing, options)
        }
        Command::Inspect { file, json } => inspect::inspect(&file, json),
        Command::Why {
            pipeline,
            target,
            query,
            json,
        } => {
            let of_target = first_given([("--target", target != TargetArg::Wasmtime)]);
            let option = pipeline.given().or(of_target);
            why::why(&pipeline.packing_for(target), option, &query, json)
        }
        Command::Report {
            pipeline,
            target,
            html,
            metafile,
            previous,
        } => {
            let files = report::Files {
                html,
                metafile,
                previous,
            };
            report::report(&pipeline.packing_for(target), &files)
        }
        Command::Diff {
            before,
            after,
            json,
        } => diff::diff(&before, &after, json),
        Command::Bench {
            what: BenchArg::Shake,
            peers,
        } => bench::shake(peers),
        Command::Verify {
            file,
            stack: true,
            input,
            share,
        } => {
            let input = input.as_deref();
            stack::measure(&file, &stack::StackOptions { input, share })
        }
        Command::Verify { file, .. } => verify::verify(&file),
        Command::Engine { json, rebuild } => engine::engine(json, rebuild),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            ExitCode::from(failure.exit_code())
        }
    }
}
