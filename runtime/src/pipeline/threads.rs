//! The threads that run a pipeline's nodes.
//!
//! What nodes do are tasks of one executor. Threads of the pipeline's own work on it, and so does a thread that waits for a
//! batch to be done, so that one thread's work needs no other thread. Timers are tokio's, since the sandbox's are, and have
//! a small runtime of their own. It is the one that is current wherever nodes work, so that futures of Rust nodes may also wait
//! for sockets, and spawn tasks, which run on its one thread.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread;

use async_executor::Executor;
use futures_lite::future::{block_on, poll_fn};
use tokio::runtime::{Builder, Handle, Runtime};

pub(super) struct Threads {
    executor: Arc<Executor<'static>>,
    /// Drives timers and sockets; there until it is dropped.
    timers: Option<Runtime>,
    started: Mutex<usize>,
    end: Arc<End>,
}

/// Tells the pipeline's threads to end.
#[derive(Default)]
struct End {
    is_over: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Threads {
    pub(super) fn new() -> Self {
        let timers = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("rm-timers")
            .enable_all()
            .build();
        Self {
            executor: Arc::default(),
            timers: Some(timers.expect("the system has a thread to give")),
            started: Mutex::new(0),
            end: Arc::default(),
        }
    }

    fn handle(&self) -> &Handle {
        let timers = self.timers.as_ref();
        timers.expect("it is there until it is dropped").handle()
    }

    /// Have something done, by whichever thread is free.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.executor.spawn(task).detach();
    }

    /// See to it that there are `count` threads.
    pub(super) fn ensure(&self, count: usize) {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        while *started < count {
            let (executor, handle, end) = (
                self.executor.clone(),
                self.handle().clone(),
                self.end.clone(),
            );
            let thread = thread::Builder::new()
                .name("rm-runtime".to_owned())
                .spawn(move || {
                    let _timers = handle.enter();
                    block_on(executor.run(end.wait()));
                });
            match thread {
                Ok(_) => *started += 1,
                // Those that there are do the work.
                Err(error) if *started > 0 => {
                    tracing::warn!(
                        threads = *started,
                        error = &error as &dyn Error,
                        "no more threads"
                    );
                    return;
                }
                Err(error) => panic!("the system has no thread to give: {error}"),
            }
        }
    }

    /// Wait on this thread for something to be done, and help doing it.
    pub(super) fn help<F: Future>(&self, work: F) -> F::Output {
        let _timers = self.handle().enter();
        block_on(self.executor.run(work))
    }
}

impl Drop for Threads {
    /// The last run of a pipeline may drop it, on one of these threads: nothing is waited for.
    fn drop(&mut self) {
        self.end.is_over.store(true, Ordering::Release);
        let mut wakers = self.end.lock();
        wakers.drain(..).for_each(Waker::wake);
        if let Some(timers) = self.timers.take() {
            timers.shutdown_background();
        }
    }
}

impl End {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waker>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait(&self) {
        poll_fn(|context| {
            let mut wakers = self.lock();
            if self.is_over.load(Ordering::Acquire) {
                return Poll::Ready(());
            }
            if !wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                wakers.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

impl std::fmt::Debug for Threads {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Threads").finish_non_exhaustive()
    }
}
