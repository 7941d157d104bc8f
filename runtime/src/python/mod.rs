//! Python nodes: what every host of them has in common, and the wasmtime sandbox.
//!
//! An `Engine` is CPython as a component, compiled for this machine once and cached. An `Instance` is one
//! interpreter with its own memory: a fresh copy of the engine over which the application's [layer](crate::layer) is
//! written. It answers the [operations](operation) of the guest.
//!
//! | to find | look in |
//! |---|---|
//! | what a guest may reach, stack and memory limits, deadlines | `sandbox`, `clock` |
//! | compilation and its cache | `engine` |
//! | calls, restoring a layer | `instance` |
//! | the numbers and shapes of what crosses the boundary | [`operation`] |
//! | answers, and what a node's answer says | [`answer`], [`progress`] |
//! | Python exceptions on this side | [`exception`] |
//! | which class a type of node is | [`class`] |
//! | what Python prints | `output` |
//!
//! Without the feature `wasmtime` only that is here which does not depend on who runs the interpreter.

pub mod answer;
pub mod class;
#[cfg(feature = "wasmtime")]
mod clock;
#[cfg(feature = "wasmtime")]
pub mod engine;
pub mod exception;
#[cfg(feature = "wasmtime")]
pub mod instance;
pub mod operation;
#[cfg(feature = "wasmtime")]
pub mod output;
pub mod progress;
#[cfg(feature = "wasmtime")]
pub mod sandbox;

pub use class::PythonNode;
#[cfg(feature = "wasmtime")]
pub use engine::{Engine, EngineError};
pub use exception::PythonException;
#[cfg(feature = "wasmtime")]
pub use instance::{Instance, InstanceError};

/// Run an operation of an [`Instance`] to its end on this thread.
///
/// Instances are asynchronous, so that a guest that sleeps leaves its thread to others. This is for callers without an
/// executor of their own; inside one, await instead.
///
/// # Panics
///
/// The operating system refuses a new thread, or the operation panics.
#[cfg(feature = "wasmtime")]
pub fn block_on<F>(operation: F) -> F::Output
where
    F: Future + Send,
    F::Output: Send,
{
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime
            .expect("a runtime without I/O needs nothing of the system")
            .block_on(operation)
    };
    // A runtime cannot be started on a thread that is inside one already.
    if tokio::runtime::Handle::try_current().is_ok() {
        return std::thread::scope(|scope| match scope.spawn(run).join() {
            Ok(output) => output,
            Err(panic) => std::panic::resume_unwind(panic),
        });
    }
    run()
}
