//! Nodes written in Rust, and the registry that makes them by name.
//!
//! A node implements [`Node`]. What it gives for a value it puts into [`Outputs`], now, lazily or later; that makes the
//! shapes below. Each runs as it stands.
//!
//! # A value becomes a value
//!
//! ```
//! use rm_runtime::nodes::{Node, NodeError, Outputs};
//! use rm_runtime::value::Value;
//!
//! struct Truncate { length: usize }
//!
//! impl Node for Truncate {
//!     fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
//!         let text = input.as_str().ok_or_else(|| NodeError::input("text", &input))?;
//!         out.push(text.chars().take(self.length).collect::<String>());
//!         Ok(())
//!     }
//! }
//!
//! let mut outputs = Outputs::new();
//! Truncate { length: 2 }.process("abc".into(), &mut outputs)?;
//! assert_eq!(outputs.into_values(), [Value::from("ab")]);
//! # Ok::<(), NodeError>(())
//! ```
//!
//! What is given belongs to the packet that the node works on, whose session and timestamp are in [`Outputs::metadata`],
//! and leaves on the main output; [`Emission`](crate::packet::Emission) says otherwise:
//! `out.push(Emission::new(value).on("rejected").at(timestamp_us))`. Giving nothing drops the value.
//!
//! # A value becomes many, as there is room for them
//!
//! ```
//! use rm_runtime::nodes::{Given, Node, NodeError, Outputs};
//! use rm_runtime::packet::Emission;
//! use rm_runtime::value::Value;
//!
//! struct CountUp;
//!
//! impl Node for CountUp {
//!     fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
//!         let Value::Int(end) = input else {
//!             return Err(NodeError::input("int", &input));
//!         };
//!         out.extend_lazily((0..end).map(|number| Ok(Emission::new(number))));
//!         Ok(())
//!     }
//! }
//!
//! let mut outputs = Outputs::new();
//! CountUp.process(Value::Int(i64::MAX), &mut outputs)?;
//! // Nothing was made yet; whoever drives the node pulls.
//! let Some(Given::Lazily(mut numbers)) = outputs.into_given().next() else { unreachable!() };
//! assert_eq!(numbers.next().transpose()?, Some(Emission::new(0)));
//! assert_eq!(numbers.next().transpose()?, Some(Emission::new(1)));
//! # Ok::<(), NodeError>(())
//! ```
//!
//! # A value becomes another one later
//!
//! A future says what an answer will come to. The other nodes go on meanwhile.
//!
//! Natively a small tokio runtime of the pipeline's own is current for it, with sockets and timers, also where the program has
//! one itself: what needs a runtime of its own, such as a client that was made in another one, is asked through a
//! [`Handle`](https://docs.rs/tokio/latest/tokio/runtime/struct.Handle.html) of that. What blocks holds up a thread on which
//! nodes work. In a browser there is no runtime.
//!
//! ```
//! use rm_runtime::nodes::{Given, Node, NodeError, Outputs};
//! use rm_runtime::packet::Emission;
//! use rm_runtime::value::Value;
//!
//! struct Translate;
//!
//! # async fn ask_a_service(text: String) -> Result<String, std::io::Error> { Ok(text) }
//! impl Node for Translate {
//!     fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
//!         let text = input.as_str().ok_or_else(|| NodeError::input("text", &input))?.to_owned();
//!         out.push_later(async move {
//!             let answer = ask_a_service(text).await;
//!             let answer = answer.map_err(|error| NodeError::caused("no translation", error))?;
//!             Ok(Some(Emission::new(answer)))
//!         });
//!         Ok(())
//!     }
//! }
//! # let mut outputs = Outputs::new();
//! # Translate.process("a".into(), &mut outputs)?;
//! # assert!(matches!(outputs.into_given().next(), Some(Given::Later(_))));
//! # Ok::<(), NodeError>(())
//! ```
//!
//! # The whole stream becomes something
//!
//! A node lives as long as a run, and may keep what it has seen. After the last value comes [`Node::flush`].
//!
//! ```
//! use rm_runtime::nodes::{Node, NodeError, Outputs};
//! use rm_runtime::value::Value;
//!
//! #[derive(Default)]
//! struct Longest(String);
//!
//! impl Node for Longest {
//!     fn process(&mut self, input: Value, _: &mut Outputs) -> Result<(), NodeError> {
//!         let text = input.as_str().ok_or_else(|| NodeError::input("text", &input))?;
//!         if text.len() > self.0.len() {
//!             self.0 = text.to_owned();
//!         }
//!         Ok(())
//!     }
//!
//!     fn flush(&mut self, out: &mut Outputs) -> Result<(), NodeError> {
//!         out.push(std::mem::take(&mut self.0));
//!         Ok(())
//!     }
//! }
//!
//! let (mut node, mut outputs) = (Longest::default(), Outputs::new());
//! for text in ["to", "three", "for"] {
//!     node.process(text.into(), &mut outputs)?;
//! }
//! node.flush(&mut outputs)?;
//! assert_eq!(outputs.into_values(), [Value::from("three")]);
//! # Ok::<(), NodeError>(())
//! ```
//!
//! # A source
//!
//! It has no input: an iterator, pulled as fast as the graph takes what comes.
//!
//! ```
//! use rm_runtime::nodes::{NodeError, ParamReader, Registry};
//! use rm_runtime::packet::Emission;
//!
//! let mut registry = Registry::builtin();
//! registry.register_source("Countdown", |params| {
//!     let mut reader = ParamReader::new(params);
//!     let start: i64 = reader.required("from")?;
//!     reader.finish()?;
//!     Ok(Box::new((0..=start).rev().map(|number| Ok(Emission::new(number)))))
//! });
//!
//! let mut source = registry.create_source("Countdown", &[("from", 3)].into_iter().collect())?;
//! assert_eq!(source.next().transpose()?, Some(Emission::new(3)));
//! # Ok::<(), NodeError>(())
//! ```
//!
//! # Names and params
//!
//! A [`Registry`] knows how to make nodes of the names in a manifest. [`ParamReader`] reads their params, and refuses
//! what is missing, of the wrong type or unknown, in words that name it:
//!
//! ```
//! # use rm_runtime::nodes::{Node, Outputs};
//! # use rm_runtime::value::Value;
//! use rm_runtime::nodes::{NodeError, ParamReader, Registry};
//!
//! # struct Truncate { length: u64 }
//! # impl Node for Truncate {
//! #     fn process(&mut self, _: Value, _: &mut Outputs) -> Result<(), NodeError> { Ok(()) }
//! # }
//! let mut registry = Registry::builtin();
//! registry.register("Truncate", |params| {
//!     let mut reader = ParamReader::new(params);
//!     let node = Truncate { length: reader.optional("length")?.unwrap_or(80) };
//!     reader.finish()?;
//!     Ok(Box::new(node))
//! });
//!
//! let error = registry.create("Truncate", &[("lenght", 2)].into_iter().collect()).err().unwrap();
//! assert_eq!(error.to_string(), "unknown param `lenght`, known: length; did you mean `length`?");
//! ```
//!
//! # Built-in nodes
//!
//! | `node_type` | takes | gives | params |
//! |---|---|---|---|
//! | `PassThrough`, `Echo` | anything | the same | |
//! | `AddNode` | a number | the sum | `addend` |
//! | `MultiplyNode` | a number | the product | `factor` |
//! | `Calculator` | a number | the result | `operation`: `add`, `subtract`, `multiply`, `divide`, `power` or `modulo`; `operand`, its right side |
//! | `Calculator` | `{"operation", "a", "b"}` | the result | none of the two |
//! | `RustTextProcessorNode` | `{"text", "operations"}`, also as JSON text; `operations` may be left out | `{"original", "results", "processed"}` | `operations`, for items without their own: a list of `uppercase`, `lowercase`, `title`, `reverse`, `word_count` and `char_count`; all by default |
//! | `RustTransformNode` | data | the data, changed | `operations`, see below |
//! | `AudioLevelNode` | sound | `{"rms_dbfs", "peak_dbfs", "channels": [{"rms_dbfs", "peak_dbfs"}]}`; `None` for silence | `digits` behind the point, 0 to 12 (2) |
//! | `AudioResampleNode` | sound | sound at another rate | `sample_rate` in Hz; `quality`: `low`, `medium` or `high` (`medium`) |
//! | `AudioChunkNode` | sound | sound in packets of equal length | `frames` or `duration_ms`; `hop_frames` or `hop_ms` (the length of a chunk); `pad`, whether the last one is filled up with silence (false) |
//!
//! *Numbers* are computed as Python computes them: integers are exact at any size, a float on either side makes a float,
//! `divide` gives the float nearest to the quotient, and a remainder has the sign of the divisor. A `bool` is refused; so
//! is what is no number, such as a complex power, and in `Calculator` an integer of more than 1,048,576 bits.
//!
//! *Text* has the Unicode of the Python nodes, 16.0, whatever the Rust compiler has. `title` capitalises words, and
//! `word_count` counts them: letters, digits and underscores, which apostrophes may hold together.
//!
//! *Changes to data* are made in their order, each to what the one before gave:
//!
//! | `op` | and | does |
//! |---|---|---|
//! | `select` | `fields` | keeps these fields, in this order |
//! | `remove` | `fields` | removes these fields, where they are there |
//! | `rename` | `from`, `to` | renames a field, in place |
//! | `set` | `field`, `value` | sets a field, in place or at the end |
//! | `get` | `field` | gives the field's value instead of the dictionary |
//! | `scale` | `factor` (1), `offset` (0), perhaps `field` | a number times the factor plus the offset |
//! | `uppercase`, `lowercase` | perhaps `field` | changes text |
//!
//! The last three change the item itself if no `field` is named. A field that is not there is an error, except for
//! `remove` and `set`.
//!
//! *Sound* is a stream: `AudioResampleNode` and `AudioChunkNode` keep a state for each session, for up to 1000, of which
//! the one used least recently is ended for another. The sound that they give does not depend on how it was cut into
//! packets. Their packets carry the timestamp of their first frame, counted in frames from the first timestamp of the
//! stream; so a gap between packets is not seen. A change of sample rate or number of channels ends a stream and begins
//! another. Levels are decibels relative to ±1.0: a sine of full scale has a peak of 0 and an RMS of -3.01.

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
