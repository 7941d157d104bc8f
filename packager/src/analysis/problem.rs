//! What can go wrong while imports are followed.

use std::fmt;

use rm_runtime::suggest::DidYouMean;

use super::{Certainty, Link, SyntaxError};
use crate::source::SourceError;

/// What an import did not find.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum MissingKind {
    /// There is no module of that name.
    Module,
    /// The module has no such name and no such submodule.
    Name {
        /// The module that was asked.
        module: String,
    },
    /// A relative import leaves the top-level package.
    BeyondTopLevel,
    /// The module is there and not Python: what the parser says.
    NotPython(String),
    /// The module is there and raises `ImportError` itself on this target.
    Refuses,
}

/// An import that cannot work on the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingImport {
    /// The module or name that is not there.
    pub name: String,
    /// What is missing.
    pub kind: MissingKind,
    /// The module that asks for it.
    pub importer: String,
    /// The importer's file, as it is shown to the user.
    pub file: String,
    /// The line of the import, from 1; 0 where there is none.
    pub line: u32,
    /// The weakest link between a node and this import: nothing is wrong unless it is [`Certainty::Certain`].
    pub certainty: Certainty,
    /// The links from a node to the importer.
    pub chain: Vec<Link>,
    /// The known name nearest to the missing one.
    pub nearest: Option<String>,
    /// What can be done about it, or why it is missing.
    pub hint: Option<String>,
}

impl MissingImport {
    /// What is wrong, such as "no module named `jsno`".
    pub fn what(&self) -> String {
        let name = &self.name;
        match &self.kind {
            MissingKind::Module => format!("no module named `{name}`"),
            MissingKind::Name { module } => format!("cannot import name `{name}` from `{module}`"),
            MissingKind::BeyondTopLevel => format!("`{name}` leads out of the top-level package"),
            MissingKind::Refuses => format!("importing `{name}` raises ImportError on this target"),
            MissingKind::NotPython(message) => {
                format!("module `{name}` has a syntax error: {message}")
            }
        }
    }
}

impl fmt::Display for MissingImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            chain,
            nearest,
            ..
        } = self;
        match (file.as_str(), line) {
            ("", _) => {}
            (file, 0) => write!(f, "{file}: ")?,
            (file, line) => write!(f, "{file}:{line}: ")?,
        }
        write!(f, "{}{}", self.what(), DidYouMean(nearest.as_ref()))?;
        for link in chain {
            write!(f, "\n  {link}")?;
        }
        Ok(())
    }
}

/// Everything that is certain to stop the nodes from being imported.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportProblems {
    /// Modules that are not Python, by name.
    pub syntax: Vec<SyntaxError>,
    /// Imports of what does not exist, by importer and line.
    pub missing: Vec<MissingImport>,
}

impl fmt::Display for ImportProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        let mut separate = |f: &mut fmt::Formatter<'_>| {
            if std::mem::take(&mut first) {
                Ok(())
            } else {
                f.write_str("\n")
            }
        };
        for error in &self.syntax {
            separate(f)?;
            write!(f, "{error}")?;
        }
        for (place, missing) in self.missing.iter().enumerate() {
            separate(f)?;
            write!(f, "{missing}")?;
            // Several in a row have one hint, after the last.
            let next = self.missing.get(place + 1);
            if let Some(hint) = &missing.hint
                && next.is_none_or(|next| next.hint != missing.hint)
            {
                write!(f, "\n  hint: {hint}")?;
            }
        }
        Ok(())
    }
}

/// Imports cannot be followed to an end.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// A source could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The nodes cannot be imported.
    #[error("{0}")]
    Imports(Box<ImportProblems>),
    /// A node's module has a name that the engine keeps for itself.
    #[error(
        "node type `{node_type}`: the engine has a module `{module}` of its own, which Python takes instead of {file}; rename the file"
    )]
    Shadowed {
        /// The node type.
        node_type: String,
        /// The module's dotted name.
        module: String,
        /// The file that would never be read.
        file: String,
    },
}
