//! Ctrl-C while a run is recorded, or fed by somebody: the recording is finished and nodes clean up, where otherwise the process
//! would just end.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
#[cfg(unix)]
use std::{process, thread};

use rm_runtime::pipeline::Session;
#[cfg(unix)]
use signal_hook::consts::{SIGINT, SIGTERM};
#[cfg(unix)]
use signal_hook::iterator::Signals;

/// What shells expect of a program that Ctrl-C ended.
#[cfg(unix)]
const EXIT_CODE: i32 = 130;

/// Whether somebody wants the run to end.
#[derive(Default)]
pub(super) struct Interrupt {
    asked: AtomicBool,
    /// What is fed, if somebody feeds it item by item.
    session: Mutex<Option<Arc<Session>>>,
}

impl Interrupt {
    /// Takes Ctrl-C over, on systems that have signals: the first one ends the run as if its input had ended, the second one ends
    /// the process at once.
    ///
    /// # Errors
    ///
    /// The system does not let it.
    pub(super) fn watch() -> io::Result<Arc<Self>> {
        let interrupt = Arc::new(Self::default());
        #[cfg(unix)]
        {
            let mut signals = Signals::new([SIGINT, SIGTERM])?;
            let watched = Arc::clone(&interrupt);
            thread::spawn(move || signals.forever().for_each(|_| watched.ask()));
        }
        Ok(interrupt)
    }

    /// Whether it was asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Has `session` closed when it is asked for, or was already.
    pub(super) fn closes(&self, session: &Arc<Session>) {
        let mut held = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some(Arc::clone(session));
        if self.is_asked() {
            session.close();
        }
    }

    #[cfg(unix)]
    fn ask(&self) {
        if self.asked.swap(true, Ordering::SeqCst) {
            process::exit(EXIT_CODE);
        }
        let held = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = &*held {
            session.close();
        }
    }
}
