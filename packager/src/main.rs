//! `rm-pack`: see [`rm_pack::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    rm_pack::cli::main()
}
