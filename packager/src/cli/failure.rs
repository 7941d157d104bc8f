//! How a command fails: an exit code, and one rendering for every error.

use std::collections::BTreeMap;
use std::error::Error;

use rm_runtime::bundle::BundleError;
use rm_runtime::pipeline::{LoadError, NodeFailure, RunError};
use rm_runtime::python::{InstanceError, PythonException};

use super::output::{say, show_notes};
use crate::analysis::NodeError;
use crate::pack::{PackError, UserSource};
use crate::report::difference::SideError;
use crate::report::metafile::MetafileError;
use crate::report::why::QueryError;
use crate::source::SourceError;

/// Which part of the work failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Input = 3,
    Packing = 4,
    Running = 5,
}

/// The user's own files, by the names that tracebacks have for them.
pub(super) type Sources = BTreeMap<String, UserSource>;

/// An error, what it means for the exit code, and the sources that its traceback may point into.
#[derive(Debug)]
pub(super) struct Failure {
    stage: Stage,
    error: anyhow::Error,
    sources: Sources,
    /// What was noticed before, and is shown first.
    notes: Vec<String>,
}

impl Failure {
    pub(super) fn new(stage: Stage, error: impl Into<anyhow::Error>) -> Self {
        Self {
            stage,
            error: error.into(),
            sources: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn with_sources(mut self, sources: &Sources) -> Self {
        self.sources.clone_from(sources);
        self
    }

    /// The same failure, as the cause of what `what` says.
    pub(super) fn context(self, what: String) -> Self {
        Self {
            error: self.error.context(what),
            ..self
        }
    }

    pub(super) fn exit_code(&self) -> u8 {
        self.stage as u8
    }

    /// Print the error and what caused it, each once.
    pub(super) fn report(&self) {
        show_notes(&self.notes);
        say(&self.render());
    }

    fn render(&self) -> String {
        format!("error: {}", chain(self.error.chain(), &self.sources))
    }
}

/// What `inspect.getsource` raises where there is no text.
const NO_SOURCE: &str = "OSError: could not get source code";

/// An error and what caused it, each once, the causes indented.
pub(super) fn chain<'a>(
    errors: impl Iterator<Item = &'a (dyn Error + 'static)>,
    sources: &Sources,
) -> String {
    let mut text = String::new();
    let mut shown = String::new();
    for (depth, error) in errors.enumerate() {
        let message = match exception_in(error) {
            Some(exception) => traceback(exception, sources),
            None => error.to_string(),
        };
        let message = shortened(message);
        // A wrapper that shows its cause's text adds nothing.
        if message == shown {
            continue;
        }
        if depth > 0 {
            text.push_str("  ");
        }
        text.push_str(message.trim_end().replace('\n', "\n  ").as_str());
        text.push('\n');
        shown = message;
    }
    text
}

/// How many characters of one message are shown: more than any that is meant to be read.
const MOST_SHOWN: usize = 20_000;

/// A message without its middle where it is too long to be read. What it begins with and what it ends with says most.
pub(super) fn shortened(message: String) -> String {
    let Some((end_of_first, _)) = message.char_indices().nth(MOST_SHOWN / 2) else {
        return message;
    };
    let rest = &message[end_of_first..];
    let left_out = rest.chars().count().saturating_sub(MOST_SHOWN / 2);
    if left_out == 0 {
        return message;
    }
    let last = rest.char_indices().nth(left_out);
    let last = last.map_or("", |(start, _)| &rest[start..]);
    format!(
        "{} [{left_out} more characters] {last}",
        &message[..end_of_first]
    )
}

/// A traceback with the user's own lines, where they are at hand.
fn traceback(exception: &PythonException, sources: &Sources) -> String {
    let mut text = shown(exception, sources);
    if text.contains(NO_SOURCE) {
        text.push_str(
            "\nhint: --keep-source carries the text of nodes and packages, which this asks for",
        );
    }
    text
}

fn shown(exception: &PythonException, sources: &Sources) -> String {
    exception.with_source(&|file, line| {
        let number = usize::try_from(line).ok()?.checked_sub(1)?;
        let source = sources.get(file)?;
        source.text.lines().nth(number).map(str::to_owned)
    })
}

fn exception_in<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a PythonException> {
    if let Some(exception) = error.downcast_ref::<PythonException>() {
        return Some(exception);
    }
    if let Some(exception) = error.downcast_ref::<Box<PythonException>>() {
        return Some(exception);
    }
    let instance = match error.downcast_ref::<NodeFailure>() {
        Some(NodeFailure::Python(error)) => Some(error),
        Some(_) => None,
        None => error.downcast_ref::<InstanceError>(),
    };
    instance?.exception()
}

impl From<PackError> for Failure {
    fn from(error: PackError) -> Self {
        let stage = match &error {
            PackError::ReadManifest { .. }
            | PackError::Manifest(_)
            | PackError::UnknownNodes { .. }
            | PackError::Params { .. }
            | PackError::Shape { .. }
            | PackError::Include { .. }
            | PackError::Exclude { .. }
            | PackError::Source(SourceError::Root { .. })
            | PackError::ProjectSource { .. }
            | PackError::Project(_) => Stage::Input,
            PackError::Node { source, .. } if !matches!(**source, NodeError::Syntax(_)) => {
                Stage::Input
            }
            PackError::Node { .. }
            | PackError::Source(_)
            | PackError::Analysis(_)
            | PackError::Syntax(_)
            | PackError::Compile(_)
            | PackError::Import { .. }
            | PackError::ImportTime { .. }
            | PackError::Bundle(_)
            | PackError::Engine(_) => Stage::Packing,
        };
        let (sources, notes) = match &error {
            PackError::Import {
                user_sources,
                notes,
                ..
            } => (user_sources.clone(), notes.clone()),
            _ => (BTreeMap::new(), Vec::new()),
        };
        Self {
            stage,
            error: error.into(),
            sources,
            notes,
        }
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        let stage = if matches!(error, BundleError::Write { .. }) {
            Stage::Packing
        } else {
            Stage::Input
        };
        Self::new(stage, error)
    }
}

impl From<MetafileError> for Failure {
    fn from(error: MetafileError) -> Self {
        let stage = match error {
            MetafileError::Write { .. } => Stage::Packing,
            MetafileError::Read { .. }
            | MetafileError::Other { .. }
            | MetafileError::Schema { .. }
            | MetafileError::Shape { .. }
            | MetafileError::Contents { .. } => Stage::Input,
        };
        Self::new(stage, error)
    }
}

impl From<SideError> for Failure {
    fn from(error: SideError) -> Self {
        Self::new(Stage::Input, error)
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        Self::new(Stage::Input, error)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::new(Stage::Input, error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self::new(Stage::Running, error)
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_SHOWN, shortened};

    #[test]
    fn the_middle_of_a_long_message_is_not_shown() {
        let half = MOST_SHOWN / 2;
        let fits = format!("{}{}", "ä".repeat(half), "b".repeat(half));
        assert_eq!(shortened(fits.clone()), fits);
        let long = format!(
            "{}{}{}",
            "ä".repeat(half),
            "x".repeat(10_000_000),
            "b".repeat(half)
        );
        assert_eq!(
            shortened(long),
            format!(
                "{} [10000000 more characters] {}",
                "ä".repeat(half),
                "b".repeat(half)
            )
        );
    }
}
