//! The command line: arguments, progress, messages and exit codes. What the commands do is in the rest of the crate.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done |
//! | 2 | the command line was wrong |
//! | 3 | an input is missing or wrong: the manifest, a bundle, an item |
//! | 4 | packing failed: the nodes' code, an import, an output folder |
//! | 5 | running failed: an exception in a node, an interpreter that stopped |

mod build;
mod engine;
mod failure;
mod inspect;
mod output;
mod run;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::pack::Request;

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
        /// What the bundle runs on
        #[arg(long, value_enum, default_value_t = TargetArg::Wasmtime)]
        target: TargetArg,
        /// The folder to write to; made if need be
        #[arg(long, value_name = "DIR", default_value = "dist")]
        out: PathBuf,
        /// Put the engine into the bundle instead of beside it
        #[arg(long)]
        self_contained: bool,
    },
    /// Run a pipeline: a manifest (packed on the way), a bundle, or a folder of bundles
    Run {
        #[command(flatten)]
        pipeline: PipelineArgs,
        /// Which bundle, when PIPELINE is a folder with several
        #[arg(long)]
        name: Option<String>,
        /// Items to feed it: a file with one JSON value a line, or - for standard input
        #[arg(long, value_name = "FILE")]
        input: Option<PathBuf>,
    },
    /// Show what is in a bundle
    Inspect {
        /// The bundle
        file: PathBuf,
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Check a bundle: every hash, then boot it and import every module in it
    Verify {
        /// The bundle
        file: PathBuf,
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
    /// The pipeline: its manifest, JSON or YAML; to run it, also a bundle or a folder of bundles
    #[arg(value_name = "PIPELINE")]
    pipeline: PathBuf,
    /// A folder with node sources, beside the manifest's own; may be given several times
    #[arg(long, value_name = "DIR")]
    source: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TargetArg {
    /// Natively, Python in the wasmtime sandbox
    Wasmtime,
}

impl PipelineArgs {
    fn request(&self, self_contained: bool) -> Request {
        Request {
            manifest: self.pipeline.clone(),
            sources: self.source.clone(),
            self_contained,
        }
    }
}

/// Run the command line, and say how it ended.
pub fn main() -> ExitCode {
    output::start_tracing();
    let result = match Cli::parse().command {
        Command::Build {
            pipeline,
            target: TargetArg::Wasmtime,
            out,
            self_contained,
        } => build::build(&pipeline.request(self_contained), &out),
        Command::Run {
            pipeline,
            name,
            input,
        } => run::run(&pipeline.request(false), name.as_deref(), input.as_deref()),
        Command::Inspect { file, json } => inspect::inspect(&file, json),
        Command::Verify { file } => verify::verify(&file),
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
