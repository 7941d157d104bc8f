//! `rm-pack`: see [`rm_pack::cli`].

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Syntax trees are millions of small boxes, made and dropped by several threads at once.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    rm_pack::cli::main()
}
