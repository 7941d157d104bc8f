//! What can be wrong with a manifest, and where.

use std::fmt;
use std::path::PathBuf;

use crate::suggest::DidYouMean;

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Why a text is not a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The text is neither JSON nor YAML as its file's name or its beginning promises.
    #[error("{}:{position}: {message}{}", file.display(), IndentedExcerpt(excerpt))]
    Syntax {
        /// The file as it was named.
        file: PathBuf,
        /// Where reading stopped.
        position: Position,
        /// What is wrong there.
        message: String,
        /// The line and, below it, a caret; empty when there is no such line.
        excerpt: String,
    },
    /// The document is well-formed and not a manifest.
    #[error("{}", Listing { file, problems })]
    Invalid {
        /// The file as it was named.
        file: PathBuf,
        /// Everything that is wrong, in the order of the text; at least one.
        problems: Vec<Problem>,
    },
}

/// One thing that is wrong in a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {kind}")]
pub struct Problem {
    /// Where in the document, for example `nodes[2].node_type`.
    pub place: String,
    /// Where in the text, when the document was read from text.
    pub position: Option<Position>,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong at one place of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A field that must be there is not.
    #[error("missing, expected {expected}{}", Optional(" (the unknown field `", similar.as_ref(), "` is similar)"))]
    Missing {
        /// What should be there.
        expected: &'static str,
        /// An unknown field of the same object with a similar name.
        similar: Option<String>,
    },
    /// A value of the wrong type.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A manifest of another version.
    #[error("expected \"v1\", the only manifest version known here, found {found:?}")]
    Version {
        /// The version asked for.
        found: String,
    },
    /// Text that must not be empty is.
    #[error("must not be empty")]
    Empty,
    /// Text that is none of those that may be there.
    #[error("expected {expected}, found {found:?}{}", DidYouMean(nearest.as_ref()))]
    UnknownChoice {
        /// What may be there.
        expected: &'static str,
        /// What is there.
        found: String,
        /// The nearest of what may be there.
        nearest: Option<&'static str>,
    },
    /// A node id with characters that ids do not have.
    #[error("{found:?} is not a node id: expected letters of ASCII, digits, `_` and `-` only")]
    BadId {
        /// The id.
        found: String,
    },
    /// A named output with characters that their names do not have.
    #[error(
        "{found:?} is not an output's name: expected letters of ASCII, digits, `_` and `-` only"
    )]
    BadOutput {
        /// The name.
        found: String,
    },
    /// A node id used before.
    #[error("duplicate node id `{id}`, first used by {first}{}", Optional(" (line ", first_position.map(|at| at.line).as_ref(), ")"))]
    DuplicateId {
        /// The id.
        id: String,
        /// The place in the document of the first node with it.
        first: String,
        /// The place in the text of the first node with it.
        first_position: Option<Position>,
    },
    /// A connection names a node that does not exist.
    #[error("no node has the id `{id}`{}", DidYouMean(nearest.as_ref()))]
    UnknownEndpoint {
        /// The unknown id.
        id: String,
        /// The nearest node id.
        nearest: Option<String>,
    },
    /// A connection from a node to itself.
    #[error("connects `{id}` to itself")]
    SelfLoop {
        /// The node's id.
        id: String,
    },
    /// The same two nodes connected again, by the same output.
    #[error("connects `{from}` to `{to}` again, as {first} does{}", Optional(" (line ", first_position.map(|at| at.line).as_ref(), ")"))]
    DuplicateConnection {
        /// The id of the node it leaves.
        from: String,
        /// The id of the node it enters.
        to: String,
        /// The place in the document of the first such connection.
        first: String,
        /// The place in the text of the first such connection.
        first_position: Option<Position>,
    },
    /// Connections that lead in a circle.
    #[error("the connections form a cycle: {}", ids.join(" -> "))]
    Cycle {
        /// The ids along it, the first one again at the end.
        ids: Vec<String>,
    },
    /// A manifest without nodes.
    #[error("expected at least one node")]
    NoNodes,
}

/// Something between two texts, or nothing at all.
struct Optional<'a, T>(&'static str, Option<&'a T>, &'static str);

impl<T: fmt::Display> fmt::Display for Optional<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Optional(before, item, after) = self;
        item.map_or(Ok(()), |item| write!(f, "{before}{item}{after}"))
    }
}

struct IndentedExcerpt<'a>(&'a str);

impl fmt::Display for IndentedExcerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.lines().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

/// All problems, one on a line, each with the file so that terminals can link to it.
struct Listing<'a> {
    file: &'a PathBuf,
    problems: &'a [Problem],
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            match problem.position {
                Some(position) => write!(f, "{file}:{position}: {problem}")?,
                None => write!(f, "{file}: {problem}")?,
            }
        }
        Ok(())
    }
}

/// The line at a position and a caret below it, cut to what fits a terminal.
pub(super) fn excerpt(text: &str, position: Position) -> String {
    const SHOWN: usize = 100;
    let Some(line) = text.lines().nth(position.line - 1) else {
        return String::new();
    };
    let before = position.column - 1;
    let skipped = before.saturating_sub(SHOWN / 2);
    let shown: String = line.chars().skip(skipped).take(SHOWN).collect();
    // A tab stays a tab, so that the caret stands where the terminal puts the character.
    let pad: String = line
        .chars()
        .chain(std::iter::repeat(' '))
        .skip(skipped)
        .take(before - skipped)
        .map(|c| if c == '\t' { c } else { ' ' })
        .collect();
    format!("{shown}\n{pad}^")
}
