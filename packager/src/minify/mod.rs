//! Python source text to smaller text that does the same.
//!
//! A [`Pass`] is a file of this folder. It reads the original text, its tokens and its tree, and says which spans of the
//! text to replace; `edit` carries that out, once for all passes. Nothing is ever printed from a tree, no name is changed,
//! and no two statements are joined on a line.
//!
//! What comes out is parsed again and compared: its tree has to be the original's without the statements that were to go.
//! Where it is not, that is a mistake of ours; the module keeps its text, and [`Minified::problem`] says so.
//!
//! There are two uses. For code objects, [`FOR_CODE`] takes out what would be in them, and leaves newlines where they are: the
//! compiler sees every statement on its own line. For text that is shipped as text, [`FOR_SOURCE`] does all but the asserts, and
//! [`Minified::lines`] leads back. What a program may not rely on then is in `ASSUMPTIONS.md`.

mod asserts;
mod check;
mod comments;
mod doc_reads;
mod docstrings;
mod edit;
mod layout;
#[cfg(test)]
mod layout_tests;
mod line_map;
mod removal;
mod separator;
mod strings;
#[cfg(test)]
mod tests;

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use ruff_python_ast::ModModule;
use ruff_python_parser::{ParseError, Parsed, parse_module};

pub use self::doc_reads::{DocReads, doc_reads};
pub use self::line_map::{LineMap, NotALineMap};

use crate::nesting::{DEEPEST, nested_too_deep, on_deep_stacks};

use self::check::Read;
use self::edit::Edit;
use self::removal::{Lines, Removals};

/// Something that is left out of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Docstrings, and other strings that are statements. For modules whose docstrings nobody reads; see [`doc_reads`].
    Docstrings,
    /// What `python -O` leaves out: `assert`, and what `if __debug__` guards. Only where the user asks for it.
    Asserts,
    /// Comments.
    Comments,
    /// Blanks, newlines and backslashes that nothing depends on. The only pass that moves lines.
    Layout,
}

/// The passes that make code objects smaller and keep every statement on its line. Docstrings that are read, keep out.
pub const FOR_CODE: &[Pass] = &[Pass::Docstrings];

/// The passes for text that is shipped as text.
pub const FOR_SOURCE: &[Pass] = &[Pass::Docstrings, Pass::Comments, Pass::Layout];

/// A text to minify.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// Python 3.14, with `\n` for line ends.
    pub text: &'a str,
    /// What to do with it, in any order.
    pub passes: &'a [Pass],
}

/// A text after its passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minified {
    /// The text; the original one if there was a problem.
    pub text: String,
    /// Where its lines come from.
    pub lines: LineMap,
    /// Why the text is the original one.
    pub problem: Option<Problem>,
}

/// Why a text was left as it was. Lines are those of the original, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The text is not Python.
    #[error("line {line}: not minified, because it is not Python: {message}")]
    NotPython {
        /// The line of the error.
        line: u32,
        /// What the parser expected.
        message: String,
    },
    /// The text is nested too deep to be parsed.
    #[error("line {line}: not minified, because brackets are nested deeper than {DEEPEST} levels")]
    TooDeep {
        /// The line of the innermost bracket that was looked at.
        line: u32,
    },
    /// What the passes made is not Python: a mistake of ours.
    #[error(
        "line {line}: not minified, because the minifier would have broken it ({message}); please report this"
    )]
    Broken {
        /// The line that the broken place comes from.
        line: u32,
        /// What the parser expected.
        message: String,
    },
    /// What the passes made is another program: a mistake of ours.
    #[error(
        "line {line}: not minified, because the minifier would have changed what it does; please report this"
    )]
    Changed {
        /// The line of the first statement that differs.
        line: u32,
    },
}

/// Minify texts, in parallel; each independently of the others. The answers are in the order of the tasks.
///
/// # Panics
///
/// The operating system refuses to make threads.
pub fn minify_all(tasks: &[Task<'_>]) -> Vec<Minified> {
    on_deep_stacks(|| tasks.par_iter().map(minify).collect())
}

/// Minify one text, on a thread whose stack is deep enough for its tree.
pub(crate) fn minify(task: &Task<'_>) -> Minified {
    let Task { text, passes } = *task;
    let tried = parse(text).and_then(|parsed| {
        let changes = run(text, &parsed, passes);
        let shown = strings::interpolated(parsed.tokens()).collect();
        let mut tree = parsed.into_syntax();
        changes.carry_out_in(&mut tree);
        let wanted = Read { text, tree, shown };
        checked(&wanted, &changes.edits)
    });
    minified_or_as_it_was(text, tried)
}

fn minified_or_as_it_was(text: &str, tried: Result<(String, LineMap), Problem>) -> Minified {
    match tried {
        Ok((text, lines)) => Minified {
            text,
            lines,
            problem: None,
        },
        Err(problem) => Minified {
            text: text.to_owned(),
            lines: LineMap::unchanged(text),
            problem: Some(problem),
        },
    }
}

fn parse(text: &str) -> Result<Parsed<ModModule>, Problem> {
    if let Some(offset) = nested_too_deep(text) {
        return Err(Problem::TooDeep {
            line: line_at(text, offset),
        });
    }
    parse_module(text).map_err(|ParseError { error, location }| Problem::NotPython {
        line: line_at(text, location.start().to_usize()),
        message: error.to_string(),
    })
}

/// What passes want changed.
struct Changes {
    /// In the text.
    edits: Vec<Edit>,
    /// In the tree: statements that go,
    removals: Removals,
    /// and whether `__debug__` is false.
    asserts: bool,
}

impl Changes {
    fn carry_out_in(&self, tree: &mut ModModule) {
        self.removals.take_out(tree);
        if self.asserts {
            asserts::take_out(tree);
        }
    }
}

fn run(text: &str, parsed: &Parsed<ModModule>, passes: &[Pass]) -> Changes {
    let (tree, tokens) = (parsed.syntax(), parsed.tokens());
    let has = |pass| passes.contains(&pass);
    let (docstrings, asserts) = (has(Pass::Docstrings), has(Pass::Asserts));
    let removals = Removals::plan(text, tree, |statement| {
        docstrings && docstrings::goes(statement) || asserts && asserts::goes(statement)
    });
    let lines = if has(Pass::Layout) {
        Lines::Drop
    } else {
        Lines::Keep
    };
    let mut edits = removals.edits(text, lines);
    if asserts {
        edits.extend(asserts::edits(tree));
    }
    if has(Pass::Comments) {
        edits.extend(comments::edits(text, tokens));
    }
    edits = edit::in_order(edits);
    if has(Pass::Layout) {
        edits.extend(layout::edits(text, tokens, &edits));
        edits = edit::in_order(edits);
    }
    Changes {
        edits,
        removals,
        asserts,
    }
}

/// Carry out the edits in the text, and check what came of it against the text with the tree that is wanted.
fn checked(wanted: &Read<'_>, edits: &[Edit]) -> Result<(String, LineMap), Problem> {
    let (minified, lines) = edit::apply(wanted.text, edits);
    let parsed = parse_module(&minified).map_err(|ParseError { error, location }| {
        let line = line_at(&minified, location.start().to_usize());
        Problem::Broken {
            line: lines.original(line).unwrap_or(line),
            message: error.to_string(),
        }
    })?;
    let read = Read {
        text: &minified,
        shown: strings::interpolated(parsed.tokens()).collect(),
        tree: parsed.into_syntax(),
    };
    check::compare(wanted, edits, &read).map_err(|place| Problem::Changed {
        line: line_at(wanted.text, place.to_usize()),
    })?;
    Ok((minified, lines))
}

/// The line, from 1, that the byte at `offset` is on.
fn line_at(text: &str, offset: usize) -> u32 {
    let before = text.get(..offset).unwrap_or(text);
    u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX)
}
