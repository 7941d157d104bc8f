//! What a guest may use: wasmtime's configuration, its limits, and a WASI world without files, network, environment or
//! arguments.

use std::time::{Duration, Instant};

use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Config, Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi::{
    Deterministic, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView,
    WasiView,
};

use super::output::OutputSink;

/// Native stack that a guest may use unless told otherwise: 32 MiB. CPython raises `RecursionError` by the depth of its own
/// stack (1 MiB inside the guest); with less than this the native stack could end first, and the instance with it.
pub const DEFAULT_STACK_LIMIT: usize = 32 << 20;

/// Native stack for the host functions that a guest calls, on top of the guest's own.
const HOST_STACK: usize = 2 << 20;

/// Memory that one instance may use unless told otherwise: 1 GiB.
pub const DEFAULT_MEMORY_LIMIT: usize = 1 << 30;

/// The one wasmtime configuration of this crate, but for how much native stack a guest may use. Compiled code is only valid
/// under the configuration that made it, whatever the stack, so the packer and the runtime share it.
pub fn config(stack_limit: usize) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .max_wasm_stack(stack_limit)
        .async_stack_size(stack_limit + HOST_STACK)
        // So that a guest gives way to others now and then, and ends when its time is up.
        .epoch_interruption(true)
        // Fresh instances share the engine's frozen memory until they write to it.
        .memory_init_cow(true);
    config
}

/// Where the guest's clocks and random numbers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surroundings {
    /// The host's clocks and random numbers: for running.
    Live,
    /// Clocks that stand still and a fixed sequence of random numbers, so that what is frozen is the same on every
    /// machine: for packing.
    Fixed,
}

/// What a store holds for one guest.
pub(super) struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    pub(super) limits: StoreLimits,
    /// How many bytes of memory it may have.
    pub(super) memory_limit: usize,
    /// When the call under way has to be over.
    pub(super) deadline: Option<Instant>,
}

impl Guest {
    pub(super) fn new(
        surroundings: Surroundings,
        memory_limit: usize,
        output: &OutputSink,
    ) -> Self {
        let mut builder = WasiCtxBuilder::new();
        builder
            .allow_tcp(false)
            .allow_udp(false)
            .stdout(output.stdout())
            .stderr(output.stderr());
        if surroundings == Surroundings::Fixed {
            builder
                .wall_clock(StoppedClock)
                .monotonic_clock(StoppedClock)
                .secure_random(Deterministic::new(vec![0x5a]))
                .insecure_random(Deterministic::new(vec![0xa5]))
                .insecure_random_seed(0);
        }
        Self::with_wasi(builder.build(), memory_limit)
    }

    pub(super) fn with_wasi(wasi: WasiCtx, memory_limit: usize) -> Self {
        // A refused growth is `MemoryError` in Python, not the end of the instance.
        let limits = StoreLimitsBuilder::new()
            .memory_size(memory_limit)
            .trap_on_grow_failure(false)
            .build();
        Self {
            wasi,
            table: ResourceTable::new(),
            limits,
            memory_limit,
            deadline: None,
        }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// A guest was stopped because its time was up.
#[derive(Debug, thiserror::Error)]
#[error("its time was up")]
pub(super) struct TimeIsUp;

/// At every tick of the engine's [clock](super::clock) a guest that runs lets others run, and is stopped after its
/// deadline.
pub(super) fn watch(store: &mut Store<Guest>) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|store| match store.data().deadline {
        Some(deadline) if Instant::now() >= deadline => Err(TimeIsUp.into()),
        _ => Ok(UpdateDeadline::Yield(1)),
    });
}

/// A linker with the interfaces that the engine's C library imports.
pub(super) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    Ok(linker)
}

/// What the clock says while packing, in seconds since 1970: 1 January 2020, 00:00 UTC, a date that no program takes for
/// an unset clock.
const PACKING_TIME: u64 = 1_577_836_800;

struct StoppedClock;

impl HostWallClock for StoppedClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::from_secs(PACKING_TIME)
    }
}

impl HostMonotonicClock for StoppedClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        0
    }
}
