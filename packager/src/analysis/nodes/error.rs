//! Why the class of a node type cannot be told.

use std::fmt;
use std::path::PathBuf;

use rm_runtime::suggest::DidYouMean;

use super::super::SyntaxError;
use crate::source::SourceError;

/// One place where a class is defined.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClassSite {
    /// The file, as it is shown to the user.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// How a manifest can name this one: `package.module:Class`.
    pub explicit: String,
}

impl fmt::Display for ClassSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} (`{}`)", self.file, self.line, self.explicit)
    }
}

/// The class of a node type cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// No file defines the class.
    #[error("no class `{class}` in {}{}", places(searched), DidYouMean(nearest.as_ref()))]
    NotFound {
        /// The class's name.
        class: String,
        /// The folders that were searched.
        searched: Vec<PathBuf>,
        /// The most similar class name that was seen.
        nearest: Option<String>,
    },
    /// Several files define the class.
    #[error(
        "class `{class}` is defined more than once; name one as `module:Class`:{}",
        list(sites)
    )]
    Ambiguous {
        /// The class's name.
        class: String,
        /// All definitions, by file and line.
        sites: Vec<ClassSite>,
    },
    /// A colon with nothing before or behind it.
    #[error("`{node_type}` is not of the form `package.module:Class`")]
    Malformed {
        /// The node type.
        node_type: String,
    },
    /// `module:Class` names a module that no root has.
    #[error("no module `{module}` in {}{}", places(searched), DidYouMean(nearest.as_ref()))]
    NoModule {
        /// The module's name.
        module: String,
        /// The folders that were searched.
        searched: Vec<PathBuf>,
        /// The most similar module name next to it.
        nearest: Option<String>,
    },
    /// `module:Class` names a module that neither defines nor imports the class.
    #[error("{file} neither defines nor imports a class `{class}` at its top level{}", DidYouMean(nearest.as_ref()))]
    NoClass {
        /// The module's file, as it is shown to the user.
        file: String,
        /// The class's name.
        class: String,
        /// The most similar class name in the module.
        nearest: Option<String>,
    },
    /// The file that defines the class cannot be imported: its name leads to another file.
    #[error(
        "{file} defines the class, but `import {module}` takes {taken} instead; rename one of them"
    )]
    Hidden {
        /// The file with the class.
        file: String,
        /// The name it would be imported by.
        module: String,
        /// What that name leads to.
        taken: String,
    },
    /// No file that can be read defines the class, and there are some that cannot.
    #[error("no class `{class}` in what can be read; {problem}")]
    Unreadable {
        /// The class's name.
        class: String,
        /// What is wrong with the first file that cannot be.
        problem: String,
    },
    /// A file that has the name in it is not Python.
    #[error(transparent)]
    Syntax(#[from] Box<SyntaxError>),
    /// A source could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
}

fn places(folders: &[PathBuf]) -> String {
    let shown: Vec<String> = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    if shown.is_empty() {
        "any folder (there are none)".to_owned()
    } else {
        shown.join(", ")
    }
}

fn list(sites: &[ClassSite]) -> String {
    let mut text = String::new();
    for site in sites {
        text.push_str("\n  ");
        text.push_str(&site.to_string());
    }
    text
}
