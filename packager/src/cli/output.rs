//! What goes to standard error while a command works.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use rm_runtime::causes;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::failure::{self, Failure, Sources, Stage};
use crate::freeze::Traced;
use crate::pack::TRACE_MARK;

/// What is logged unless `RUST_LOG` says otherwise: what Python nodes print, and warnings.
const DEFAULT_LOG: &str = "warn,rm_runtime::python=info";

/// The target of events that are lines printed by Python.
const PYTHON: &str = "rm_runtime::python";

/// The user's files, for the tracebacks of errors that are only logged.
static SOURCES: OnceLock<Sources> = OnceLock::new();

/// Show lines of these files in tracebacks from now on.
pub(super) fn show_sources(sources: &Sources) {
    // Set twice only if there were two runs in a process, and then the first one's lines are as good.
    let _ = SOURCES.set(sources.clone());
}

/// Whether what happens in pipelines is not shown any more.
static MUTED: AtomicBool = AtomicBool::new(false);

/// Show nothing from now on of what nodes print and of what happens to them.
pub(super) fn mute() {
    MUTED.store(true, Ordering::Relaxed);
}

/// Send `tracing` events to standard error, as lines.
pub(super) fn start_tracing() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        // That something cannot be written would be written to the same place.
        .log_internal_errors(false)
        .event_format(Lines)
        .with_filter(filter);
    let traced = Traces.with_filter(Targets::new().with_target(PYTHON, Level::INFO));
    tracing_subscriber::registry()
        .with(lines)
        .with(traced)
        .init();
}

/// What bundles that trace have said so far.
static TRACED: Mutex<Traced> = Mutex::new(Traced::new());

/// Take what bundles that trace have said since this was last asked.
pub(super) fn take_traced() -> Traced {
    std::mem::take(&mut TRACED.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Collects what bundles that trace say.
struct Traces;

impl<S: Subscriber> Layer<S> for Traces {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some(said) = fields.message.strip_prefix(TRACE_MARK)
            && let Some((module, line)) = said.split_once(' ')
            && let Ok(line) = line.parse()
        {
            let mut traced = TRACED.lock().unwrap_or_else(PoisonError::into_inner);
            traced.insert((module.to_owned(), line));
        }
    }
}

/// One line an event: `[node] what it printed` for Python nodes, `warning: message (field: value)` for the rest.
struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if MUTED.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let node = fields
            .node
            // What is done with the interpreter itself belongs to none.
            .filter(|node| !node.is_empty())
            .map(|node| format!("[{node}] "))
            .unwrap_or_default();
        if event.metadata().target() == PYTHON {
            if fields.message.starts_with(TRACE_MARK) {
                return Ok(());
            }
            return writeln!(writer, "{}", harmless(&format!("{node}{}", fields.message)));
        }
        let level = event
            .metadata()
            .level()
            .as_str()
            .to_ascii_lowercase()
            .replace("warn", "warning");
        let message = fields.message;
        let line = match fields.error {
            Some(error) => format!("{level}: {node}{message}: {error}"),
            None => format!("{level}: {node}{message}{}\n", fields.others.concat()),
        };
        writer.write_str(&harmless(&line))
    }
}

#[derive(Default)]
struct Fields {
    node: Option<String>,
    message: String,
    error: Option<String>,
    others: Vec<String>,
}

impl Visit for Fields {
    fn record_error(&mut self, _: &Field, error: &(dyn Error + 'static)) {
        let errors = std::iter::once(error).chain(causes(error));
        let none = Sources::new();
        let sources = SOURCES.get().unwrap_or(&none);
        self.error = Some(failure::chain(errors, sources));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "node" => self.node = Some(value.to_owned()),
            "message" => value.clone_into(&mut self.message),
            name => self.others.push(format!(" ({name}: {value})")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

/// A line that says what is being done; nothing where standard error is not a terminal.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn new() -> Self {
        let bar = if io::stderr().is_terminal() {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar }
    }

    pub(super) fn step(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Text as a terminal may have it: what others wrote must not command it. Control characters but for tabs and line ends are
/// shown as escapes.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    let is_harmful = |char: char| char.is_control() && !matches!(char, '\t' | '\n');
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if is_harmful(char) {
            shown.extend(char.escape_unicode());
        } else {
            shown.push(char);
        }
    }
    Cow::Owned(shown)
}

/// Write lines to standard error. Where nobody can read them any more there is nobody to tell, either.
pub(super) fn say(text: &str) {
    let text = harmless(text);
    let mut stderr = io::stderr().lock();
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}

/// Write text to standard output that tells what is in a bundle, and so what somebody else may have written.
pub(super) fn show(text: &str) -> Result<(), Failure> {
    print(&harmless(text))
}

/// Write text to standard output. Whoever reads it may have had enough, as `head` does: that is no error.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let error = anyhow::Error::new(error).context("cannot write to standard output");
            Err(Failure::new(Stage::Running, error))
        }
        _ => Ok(()),
    }
}

/// Write a value to standard output, as JSON.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text =
        serde_json::to_string_pretty(value).map_err(|error| Failure::new(Stage::Running, error))?;
    print(&(text + "\n"))
}

/// Tell whoever packs what they should know.
pub(super) fn show_notes(notes: &[String]) {
    for note in notes {
        say(&format!("note: {}\n", note.replace('\n', "\n  ")));
    }
}

/// A number of things, such as `1 module` or `3 modules`.
pub(super) fn count(number: usize, thing: &str) -> String {
    if number == 1 {
        format!("1 {thing}")
    } else {
        format!("{number} {thing}s")
    }
}

/// A duration for people, such as `0.31 s`.
pub(super) fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn nothing_commands_the_terminal() {
        assert_eq!(
            harmless("a\tb\n\u{1b}[31mred\r\u{7}\u{9b}0m\u{7f}"),
            "a\tb\n\\u{1b}[31mred\\u{d}\\u{7}\\u{9b}0m\\u{7f}"
        );
        assert_eq!(harmless("日本 \u{1f600}"), "日本 \u{1f600}");
    }
}
