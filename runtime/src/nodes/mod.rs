//! Nodes written in Rust, and the registry that makes them by name.
//!
//! A node implements [`Node`] and is registered with a function that makes it from its params:
//!
//! ```
//! use rm_runtime::nodes::{Node, NodeError, Outputs, ParamReader, Registry};
//! use rm_runtime::value::Value;
//!
//! struct Truncate { length: u64 }
//!
//! impl Node for Truncate {
//!     fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
//!         let text = input.as_str().ok_or_else(|| NodeError::input("str", &input))?;
//!         out.push(text.chars().take(self.length as usize).collect::<String>());
//!         Ok(())
//!     }
//! }
//!
//! let mut registry = Registry::builtin();
//! registry.register("Truncate", |params| {
//!     let mut reader = ParamReader::new(params);
//!     let node = Truncate { length: reader.required("length")? };
//!     reader.finish()?;
//!     Ok(Box::new(node))
//! });
//!
//! let mut node = registry.create("Truncate", &[("length", 2)].into_iter().collect())?;
//! let mut outputs = Outputs::new();
//! node.process("abc".into(), &mut outputs)?;
//! assert_eq!(outputs.into_values(), [Value::from("ab")]);
//! # Ok::<(), NodeError>(())
//! ```
//!
//! Built in are `PassThrough` and `Echo` (every value unchanged), `MultiplyNode` (param `factor`) and `AddNode` (param
//! `addend`). The last two compute as Python does: integers are exact at any size, a float on either side makes a float;
//! a `bool` is refused.

mod add;
mod arithmetic;
mod audio;
mod calculator;
mod error;
mod multiply;
mod number;
mod outputs;
mod params;
mod pass_through;
mod registry;
mod sessions;
mod text;
mod transform;

pub use self::error::{NodeError, UnknownNodeType};
pub use self::outputs::{Given, Later, Outputs, Source};
pub use self::params::{FromParam, ParamReader};
pub use self::registry::{Factory, Registry, SourceFactory};
use crate::value::Value;

/// Something that turns a stream of values into another one, a value at a time.
pub trait Node: Send {
    /// Takes a value and gives none, one or many.
    ///
    /// # Errors
    /// [`NodeError`] when it cannot; what it gave before stands.
    fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError>;

    /// Gives what is left, once, after the last value.
    ///
    /// # Errors
    /// As [`Node::process`].
    fn flush(&mut self, out: &mut Outputs) -> Result<(), NodeError> {
        let _ = out;
        Ok(())
    }
}
