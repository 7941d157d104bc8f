//! Pipelines for hosts without threads that ask instead of being called: a web page or worker.
//!
//! A [`Pipeline`] is made from a manifest, a [`Run`] from that. The host pushes items, lets the run [take
//! steps](Run::step), and takes the [`Event`]s that come of them. Rust nodes work inside a step. What a Python node is to
//! do leaves as a [request](Event::Request), in the very form in which it goes to an interpreter, and the host
//! [replies](Run::reply) when that has; so it is up to the host where Python runs, and a pipeline without Python needs
//! none.
//!
//! What a run gives, in which order, and what ends it, is decided by the same [`executor`](crate::executor) as natively.
//!
//! | to find | look in |
//! |---|---|
//! | reading and checking a manifest, with places for an editor | [`pipeline`] |
//! | a run: nodes, errors, ends | [`run`]; what it is told and tells: [`event`] |
//! | why a run failed | [`failure`] |
//! | the operations that JavaScript calls, and their shapes | [`calls`] |
//! | the functions that the wasm module exports | `exports` |
//!
//! ```
//! use rm_runtime::manifest::OnError;
//! use rm_runtime::value::Value;
//! use rm_runtime::web::{Classes, Ending, Pipeline, Run};
//!
//! let text = r#"{"version": "v1", "metadata": {"name": "double"}, "nodes": [
//!     {"id": "double", "node_type": "MultiplyNode", "params": {"factor": 2}}]}"#;
//! let pipeline = Pipeline::load(text, "double.json", &Classes::new())?;
//! let mut run = Run::start(&pipeline, OnError::Fail, || 0.0);
//! run.push(5.into(), None, None)?;
//! run.close_input();
//! while run.step() {}
//! assert_eq!(run.take_output().unwrap().packet.value, Value::from(10));
//! while run.step() {}
//! assert!(matches!(run.ending(), Some(Ending::Finished)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ahead;
mod arguments;
pub mod calls;
pub mod event;
#[cfg(target_arch = "wasm32")]
mod exports;
pub mod failure;
pub mod frame;
mod lane;
pub mod pipeline;
pub mod run;

#[cfg(test)]
mod tests;

pub use self::ahead::Reply;
pub use self::event::{Ending, Event, Policy, Request, Within};
pub use self::failure::{Cause, Moment, RunFailure};
pub use self::pipeline::{Classes, LoadError, Pipeline};
pub use self::run::Run;
