//! One interpreter with its own memory.

use std::ops::Range;
use std::time::{Duration, Instant};

use wasmtime::Store;
use wasmtime::component::{Func, Lift, TypedFunc, WasmList};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

use super::answer::{AnswerError, lossy, read_answer};
use super::engine::Engine;
use super::exception::PythonException;
use super::operation::Operation;
use super::output::OutputSink;
use super::sandbox::{self, DEFAULT_MEMORY_LIMIT, Guest, Surroundings, TimeIsUp};
use crate::layer::{BATCH_BYTES, Layer};
use crate::marshal::{self, MarshalError, Wire};
use crate::value::Value;

/// How an instance is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Clocks and random numbers.
    pub surroundings: Surroundings,
    /// The most memory it may use, in bytes; beyond it Python raises `MemoryError`.
    pub memory_limit: usize,
    /// Where its standard output and error go.
    pub output: OutputSink,
}

impl Options {
    /// For running the node `node`: live clocks, output as `tracing` events, the default memory limit.
    pub fn for_node(node: &str) -> Self {
        Self {
            surroundings: Surroundings::Live,
            memory_limit: DEFAULT_MEMORY_LIMIT,
            output: OutputSink::tracing(node),
        }
    }

    /// For packing: fixed clocks and random numbers.
    pub fn for_packing() -> Self {
        Self {
            surroundings: Surroundings::Fixed,
            ..Self::for_node("")
        }
    }
}

/// Why an instance gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstanceError {
    /// What it answered is not what was asked for.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// What was to go to it cannot: it holds something that has no counterpart in Python.
    #[error("this cannot go to Python")]
    Arguments(#[source] MarshalError),
    /// The interpreter itself is gone: a trap, such as running out of stack. The instance answers nothing any more.
    #[error("the Python interpreter stopped: {reason}")]
    Trapped {
        /// What wasmtime said, in one line.
        reason: String,
    },
    /// It took longer than it may. The instance answers nothing any more.
    #[error("it took longer than {limit:?}, the time that it may take; `timeout` sets it")]
    TimeIsUp {
        /// How long it may take.
        limit: Duration,
    },
}

impl InstanceError {
    /// What Python raised, if that is why.
    pub fn exception(&self) -> Option<&PythonException> {
        match self {
            Self::Answer(AnswerError::Exception(exception)) => Some(exception),
            Self::Answer(AnswerError::Unreadable(_) | AnswerError::Protocol(_))
            | Self::Arguments(_)
            | Self::Trapped { .. }
            | Self::TimeIsUp { .. } => None,
        }
    }

    fn protocol(message: impl Into<String>) -> Self {
        Self::Answer(AnswerError::Protocol(message.into()))
    }
}

/// Where the parts of an engine's memory are; see `memory-layout` in `engine.wit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryLayout {
    /// The ranges that do not belong in a layer: the dead part of the stack, and the engine's own bookkeeping.
    pub keep: Vec<Range<usize>>,
    /// The size of the memory in pages of 64 KiB.
    pub pages: u32,
}

/// An interpreter in its own sandbox. Dropping it frees all it has.
pub struct Instance {
    engine: Engine,
    store: Store<Guest>,
    output: OutputSink,
    functions: Functions,
    component: wasmtime::component::Instance,
    trapped: Option<String>,
}

/// What `memory-layout` returns; see `engine.wit`.
type Layout = (u32, u32, u32, u32, u32, u32);

/// A function that returns one value.
type Returning<Arguments, Result> = TypedFunc<Arguments, (Result,)>;

/// What `call` takes: an operation, its arguments, and no buffers beside them.
type Plain = (u32, Vec<u8>, Vec<Vec<u8>>);

/// What `call` returns: the answer, and the buffers beside it, still in the guest's memory.
type Answer = (WasmList<u8>, WasmList<WasmList<u8>>);

struct Functions {
    boot: Returning<(Vec<u8>, Vec<u8>), Vec<u8>>,
    call: Returning<Plain, Answer>,
    /// The same function, to be typed for buffers that are borrowed.
    call_with_buffers: Func,
    scrub: TypedFunc<(), ()>,
    memory_layout: Returning<(), Layout>,
    memory_read: Returning<(u32, u32), WasmList<u8>>,
    layer_begin: Returning<(u32,), u32>,
    layer_write: Func,
    layer_end: TypedFunc<(), ()>,
}

impl Instance {
    /// A fresh instance of an engine, without an application.
    ///
    /// # Errors
    ///
    /// wasmtime cannot make it, as when there is no address space left.
    pub async fn new(engine: &Engine, options: &Options) -> Result<Self, InstanceError> {
        let guest = Guest::new(options.surroundings, options.memory_limit, &options.output);
        Self::with_guest(engine, guest, options.output.clone()).await
    }

    /// An instance that sees one folder of the host, read-only, as `/boot`: only for building an engine, whose first
    /// boot needs a few modules from somewhere.
    ///
    /// # Errors
    ///
    /// The folder cannot be opened, or wasmtime cannot make the instance.
    #[doc(hidden)]
    pub async fn with_boot_folder(
        engine: &Engine,
        folder: &std::path::Path,
    ) -> Result<Self, InstanceError> {
        let mut builder = WasiCtxBuilder::new();
        builder
            .preopened_dir(folder, "/boot", FsPerms::ReadOnly)
            .map_err(|error| trap_reason(&error))?;
        let guest = Guest::with_wasi(builder.build(), DEFAULT_MEMORY_LIMIT);
        Self::with_guest(engine, guest, OutputSink::tracing("")).await
    }

    async fn with_guest(
        engine: &Engine,
        guest: Guest,
        output: OutputSink,
    ) -> Result<Self, InstanceError> {
        let memory_limit = guest.memory_limit;
        let mut store = Store::new(engine.instance_pre().engine(), guest);
        // wasmtime lets so many bytes out of a guest in one call, 128 MiB unless told otherwise. Whatever is in the guest's
        // memory may leave it, so that a value has no other limit.
        store.set_hostcall_fuel(memory_limit);
        store.limiter(|guest| &mut guest.limits);
        sandbox::watch(&mut store);
        let instance = engine
            .instance_pre()
            .instantiate_async(&mut store)
            .await
            .map_err(|error| trap_reason(&error))?;
        let functions =
            Functions::find(engine, &instance, &mut store).map_err(|error| trap_reason(&error))?;
        Ok(Self {
            engine: engine.clone(),
            store,
            output,
            functions,
            component: instance,
            trapped: None,
        })
    }

    /// Start the interpreter of an engine that has not been booted; see `boot` in `engine.wit`.
    ///
    /// # Errors
    ///
    /// The interpreter does not start.
    #[doc(hidden)]
    pub async fn boot(&mut self, search_path: &str, frozen: Vec<u8>) -> Result<(), InstanceError> {
        let arguments = (search_path.as_bytes().to_vec(), frozen);
        let result = self
            .functions
            .boot
            .call_async(&mut self.store, arguments)
            .await;
        let (error,) = self.check(result)?;
        if error.is_empty() {
            Ok(())
        } else {
            Err(InstanceError::protocol(lossy(&error)))
        }
    }

    /// Write an application's layer over this fresh instance.
    ///
    /// # Errors
    ///
    /// The memory limit is too small for it, or the engine cannot take it.
    pub async fn restore(&mut self, layer: &Layer) -> Result<(), InstanceError> {
        let result = self
            .functions
            .layer_begin
            .call_async(&mut self.store, (layer.pages(),))
            .await;
        let (batch_bytes,) = self.check(result)?;
        if (batch_bytes as usize) < BATCH_BYTES {
            return Err(InstanceError::protocol(format!(
                "it takes {batch_bytes} bytes of a layer at once, not {BATCH_BYTES}"
            )));
        }
        for batch in layer.batches() {
            // Typed here, not once for all, because a stored type could not borrow the batch.
            let write = self
                .functions
                .layer_write
                .typed::<(&[u8],), ()>(&self.store);
            let write = self.check(write)?;
            let result = write.call_async(&mut self.store, (batch,)).await;
            self.check(result)?;
        }
        let result = self
            .functions
            .layer_end
            .call_async(&mut self.store, ())
            .await;
        self.check(result)?;
        self.call(Operation::Resume, Vec::new()).await.map(drop)
    }

    /// Ask for an operation with its arguments; the shapes are said at [`Operation`].
    ///
    /// # Errors
    ///
    /// Python raised, the interpreter trapped (now or earlier), or the answer cannot be read.
    pub async fn call(
        &mut self,
        operation: Operation,
        arguments: Vec<Value>,
    ) -> Result<Value, InstanceError> {
        let mut answer = self.ask(operation, Value::Tuple(arguments)).await;
        if let Err(InstanceError::Answer(AnswerError::Unreadable(_))) = answer {
            // The guest knows the place of what cannot be read, when asked for it.
            let explained = self.ask(Operation::Explain, Value::Tuple(Vec::new())).await;
            if let Err(error @ InstanceError::Answer(AnswerError::Exception(_))) = explained {
                answer = Err(error);
            }
        }
        self.output.flush();
        answer
    }

    /// The same, if it does not take longer than `limit`. After that the instance answers nothing any more.
    ///
    /// # Errors
    ///
    /// As [`Instance::call`], and [`InstanceError::TimeIsUp`].
    pub async fn call_within(
        &mut self,
        limit: Duration,
        operation: Operation,
        arguments: Vec<Value>,
    ) -> Result<Value, InstanceError> {
        let Some((deadline, of_sleep)) = deadlines(limit) else {
            return self.call(operation, arguments).await;
        };
        self.store.data_mut().deadline = Some(deadline);
        let call = self.call(operation, arguments);
        let slept = tokio::time::timeout_at(of_sleep.into(), call).await;
        self.store.data_mut().deadline = None;
        match slept {
            Ok(Err(InstanceError::TimeIsUp { .. })) => Err(InstanceError::TimeIsUp { limit }),
            Ok(result) => result,
            Err(_) => {
                self.trapped.get_or_insert_with(|| TimeIsUp.to_string());
                Err(InstanceError::TimeIsUp { limit })
            }
        }
    }

    async fn ask(
        &mut self,
        operation: Operation,
        arguments: Value,
    ) -> Result<Value, InstanceError> {
        if let Some(reason) = &self.trapped {
            return Err(InstanceError::Trapped {
                reason: reason.clone(),
            });
        }
        let _ticking = self.engine.tick();
        let Wire { payload, buffers } =
            marshal::to_wire(&arguments).map_err(InstanceError::Arguments)?;
        let operation = operation as u32;
        let result = if buffers.is_empty() {
            let call = &self.functions.call;
            call.call_async(&mut self.store, (operation, payload, Vec::new()))
                .await
        } else {
            type Borrowed<'a> = (u32, &'a [u8], &'a [&'a [u8]]);
            let call = &self.functions.call_with_buffers;
            match call.typed::<Borrowed, (Answer,)>(&self.store) {
                Ok(call) => {
                    let arguments = (operation, payload.as_slice(), buffers.as_slice());
                    call.call_async(&mut self.store, arguments).await
                }
                Err(error) => Err(error),
            }
        };
        let ((answer, buffers),) = self.check(result)?;
        let lists = buffers
            .iter(&mut self.store)
            .and_then(Iterator::collect::<wasmtime::Result<Vec<WasmList<u8>>>>);
        let lists = self.check(lists)?;
        let beside: Vec<&[u8]> = lists
            .iter()
            .map(|buffer| buffer.as_le_slice(&self.store))
            .collect();
        Ok(read_answer(answer.as_le_slice(&self.store), &beside)?)
    }

    /// Zero free memory; see `scrub` in `engine.wit`.
    ///
    /// # Errors
    ///
    /// The interpreter trapped.
    pub async fn scrub(&mut self) -> Result<(), InstanceError> {
        let result = self.functions.scrub.call_async(&mut self.store, ()).await;
        self.check(result)
    }

    /// Look at the whole memory, and at where its parts are.
    ///
    /// # Errors
    ///
    /// The interpreter trapped.
    pub async fn with_memory<R>(
        &mut self,
        look: impl FnOnce(&[u8], &MemoryLayout) -> R,
    ) -> Result<R, InstanceError> {
        let result = self
            .functions
            .memory_layout
            .call_async(&mut self.store, ())
            .await;
        let ((stack_pointer, state_start, state_end, bounce_start, bounce_end, pages),) =
            self.check(result)?;
        let layout = MemoryLayout {
            keep: vec![
                0..stack_pointer as usize,
                state_start as usize..state_end as usize,
                bounce_start as usize..bounce_end as usize,
            ],
            pages,
        };
        let result = self
            .functions
            .memory_read
            .call_async(&mut self.store, (0, pages << 16))
            .await;
        let (memory,) = self.check(result)?;
        Ok(look(memory.as_le_slice(&self.store), &layout))
    }

    /// Call a function without arguments that some interface of the component exports. wizer's instrumentation adds
    /// such functions; see the packer's `engine/snapshot.rs`.
    ///
    /// # Errors
    ///
    /// There is no such function, or it trapped.
    #[doc(hidden)]
    pub async fn call_exported<R>(
        &mut self,
        interface: &str,
        function: &str,
    ) -> Result<R, InstanceError>
    where
        R: Lift + 'static,
    {
        let missing = || {
            InstanceError::protocol(format!(
                "the component does not export {interface}#{function}"
            ))
        };
        let (_, parent) = self
            .component
            .get_export(&mut self.store, None, interface)
            .ok_or_else(missing)?;
        let (_, index) = self
            .component
            .get_export(&mut self.store, Some(&parent), function)
            .ok_or_else(missing)?;
        let typed = self
            .component
            .get_typed_func::<(), (R,)>(&mut self.store, index);
        let typed = self.check(typed)?;
        let result = typed.call_async(&mut self.store, ()).await;
        Ok(self.check(result)?.0)
    }

    /// The same for a function that returns a list of bytes, which may be large and is not copied.
    ///
    /// # Errors
    ///
    /// There is no such function, or it trapped.
    #[doc(hidden)]
    pub async fn call_exported_bytes(
        &mut self,
        interface: &str,
        function: &str,
        take: impl FnOnce(&[u8]),
    ) -> Result<(), InstanceError> {
        let list: WasmList<u8> = self.call_exported(interface, function).await?;
        take(list.as_le_slice(&self.store));
        Ok(())
    }

    fn check<T>(&mut self, result: wasmtime::Result<T>) -> Result<T, InstanceError> {
        result.map_err(|error| {
            let error = trap_reason(&error);
            self.trapped.get_or_insert_with(|| match &error {
                InstanceError::Trapped { reason } => reason.clone(),
                other => other.to_string(),
            });
            error
        })
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Instance")
            .field("trapped", &self.trapped)
            .finish_non_exhaustive()
    }
}

/// When a guest that runs is stopped, by the engine's clock, and when one that sleeps in the host is; none for a limit that
/// ends beyond what clocks can say, and so never.
fn deadlines(limit: Duration) -> Option<(Instant, Instant)> {
    let deadline = Instant::now().checked_add(limit)?;
    let of_sleep = deadline.checked_add(Duration::from_millis(20))?;
    Some((deadline, of_sleep))
}

impl Functions {
    fn find(
        engine: &Engine,
        instance: &wasmtime::component::Instance,
        store: &mut Store<Guest>,
    ) -> wasmtime::Result<Self> {
        let exports = engine.exports();
        Ok(Self {
            boot: instance.get_typed_func(&mut *store, exports.boot)?,
            call: instance.get_typed_func(&mut *store, exports.call)?,
            call_with_buffers: instance
                .get_func(&mut *store, exports.call)
                .ok_or_else(|| wasmtime::Error::msg("`call` is not a function"))?,
            scrub: instance.get_typed_func(&mut *store, exports.scrub)?,
            memory_layout: instance.get_typed_func(&mut *store, exports.memory_layout)?,
            memory_read: instance.get_typed_func(&mut *store, exports.memory_read)?,
            layer_begin: instance.get_typed_func(&mut *store, exports.layer_begin)?,
            layer_write: instance
                .get_func(&mut *store, exports.layer_write)
                .ok_or_else(|| wasmtime::Error::msg("`layer-write` is not a function"))?,
            layer_end: instance.get_typed_func(&mut *store, exports.layer_end)?,
        })
    }
}

/// wasmtime's error as one line: the trap's cause, without the wasm backtrace.
fn trap_reason(error: &wasmtime::Error) -> InstanceError {
    if error.is::<TimeIsUp>() {
        // Whoever set the deadline knows how long it was.
        return InstanceError::TimeIsUp {
            limit: Duration::ZERO,
        };
    }
    let reason = match error.downcast_ref::<wasmtime::Trap>() {
        // What waits for ever without threads ends so, and so does what C code calls a fatal error.
        Some(trap @ wasmtime::Trap::UnreachableCodeReached) => {
            format!(
                "{trap}, as by os.abort(), or where a lock is acquired that is held, which nobody could release"
            )
        }
        Some(trap) => trap.to_string(),
        None if error.is::<I32Exit>() => "the program ended it, as os._exit() does".to_owned(),
        None => match error.root_cause().to_string() {
            text if text.contains("exceeds memory limits") => {
                "it may use less memory than it needs to start".to_owned()
            }
            text => text,
        },
    };
    InstanceError::Trapped {
        reason: reason.lines().next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_no_clock_reaches_is_none() {
        assert!(deadlines(Duration::MAX).is_none());
        assert!(deadlines(Duration::from_secs(u64::MAX)).is_none());
        let before = Instant::now();
        let (deadline, of_sleep) = deadlines(Duration::from_mins(1)).unwrap();
        assert!(before + Duration::from_mins(1) <= deadline && deadline < of_sleep);
    }
}
