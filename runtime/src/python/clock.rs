//! What interrupts guests that run for long: a thread that ticks while any guest of an engine runs, and sleeps otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Duration;

/// Short enough for a deadline in seconds, long enough to cost nothing.
const TICK: Duration = Duration::from_millis(10);

/// The ticking of one engine.
#[derive(Debug)]
pub(super) struct Clock {
    state: Arc<State>,
    thread: Thread,
}

#[derive(Debug, Default)]
struct State {
    running: AtomicUsize,
    has_ended: AtomicBool,
}

/// The clock ticks for as long as one of these is there.
#[derive(Debug)]
pub(super) struct Ticking(Arc<State>);

impl Clock {
    pub(super) fn new(engine: &wasmtime::Engine) -> std::io::Result<Self> {
        let engine = engine.clone();
        let state = Arc::new(State::default());
        let seen = state.clone();
        let thread = std::thread::Builder::new()
            .name("rm-clock".to_owned())
            .spawn(move || {
                while !seen.has_ended.load(Ordering::Relaxed) {
                    if seen.running.load(Ordering::Relaxed) == 0 {
                        std::thread::park();
                    } else {
                        std::thread::sleep(TICK);
                        engine.increment_epoch();
                    }
                }
            })?;
        Ok(Self {
            state,
            thread: thread.thread().clone(),
        })
    }

    pub(super) fn tick(&self) -> Ticking {
        if self.state.running.fetch_add(1, Ordering::Relaxed) == 0 {
            self.thread.unpark();
        }
        Ticking(self.state.clone())
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.state.has_ended.store(true, Ordering::Relaxed);
        self.thread.unpark();
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
