//! Why something is in a bundle, or is not.

mod find;

use std::fmt::{self, Write as _};

use rm_runtime::suggest::DidYouMean;
use serde::Serialize;

use super::describe;
use super::metafile::{Definition, DefinitionKind, Metafile, Module, Origin, Place};

/// How many of the names that a query may mean are listed.
const LISTED: usize = 20;

/// Why something is in a bundle, or is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The dotted name of what was asked for, such as `json.decoder.JSONDecoder`.
    pub name: String,
    /// What kind of definition it is; none for a module.
    pub kind: Option<DefinitionKind>,
    /// The origin of its module.
    pub origin: Origin,
    /// Its file, below its root; empty where there is none.
    pub file: String,
    /// Its first line, from 1; 0 for a module.
    pub line: u32,
    /// Bytes of its source text.
    pub bytes: u64,
    /// Why it is in the bundle, or why not.
    pub answer: Answer,
}

/// The answer to "why".
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It is in the bundle.
    Kept {
        /// The way from a root to it, a sentence for each link.
        chain: Vec<String>,
    },
    /// It is not in the bundle.
    Removed {
        /// Why, as a sentence.
        reason: String,
        /// The line of `[tool.rm-pack]` that would bring it back; none where nothing would.
        setting: Option<String>,
    },
}

/// A query that does not name one thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Nothing has this name.
    #[error(
        "`{query}` is neither a module that the nodes reach nor a definition in one{}\nhint: {}",
        DidYouMean(nearest.as_ref()),
        hint(query, unlisted.as_deref())
    )]
    Unknown {
        /// What was asked for.
        query: String,
        /// The nearest name.
        nearest: Option<String>,
        /// The module that the name begins with, if that is there and its definitions are not listed.
        unlisted: Option<String>,
    },
    /// Several things have this name at their end.
    #[error("`{query}` may mean{}\nhint: write more of the name", list(candidates))]
    Ambiguous {
        /// What was asked for.
        query: String,
        /// The names of all of them, sorted.
        candidates: Vec<String>,
    },
}

fn hint(query: &str, unlisted: Option<&str>) -> String {
    match unlisted {
        Some(module) => format!("the definitions of `{module}` are not listed; ask for the module"),
        None => format!(
            "to pack a module that nothing imports, add include = [\"{query}\"] under [tool.rm-pack] in pyproject.toml"
        ),
    }
}

fn list(candidates: &[String]) -> String {
    let mut text = String::new();
    for name in candidates.iter().take(LISTED) {
        let _ = write!(text, "\n  {name}");
    }
    let more = candidates.len().saturating_sub(LISTED);
    if more > 0 {
        let _ = write!(text, "\n  and {more} more");
    }
    text
}

/// Why the module, definition or method that `query` names is in the bundle, or why it is not.
///
/// A query is a dotted name such as `json.decoder.JSONDecoder`, with `:` instead of the dot behind the module if it is to
/// name a definition only, or the end of such a name, if no other name ends so.
///
/// # Errors
///
/// [`QueryError`] when the query names nothing, or more than one thing.
pub fn why(metafile: &Metafile, query: &str) -> Result<Explanation, QueryError> {
    let place = find::find(metafile, query)?;
    let module = &metafile.modules[place.module];
    let definition = place.definition.map(|number| &module.definitions[number]);
    let answer = if metafile.because(place).is_some() {
        let chain = metafile.chain(place);
        let sentences = chain
            .into_iter()
            .rev()
            .map(|(place, because)| describe::sentence(metafile, place, because));
        Answer::Kept {
            chain: sentences.collect(),
        }
    } else {
        removed(metafile, place, module, definition)
    };
    Ok(Explanation {
        name: metafile.name(place),
        kind: definition.map(|definition| definition.kind),
        origin: module.origin,
        file: module.file.clone(),
        line: definition.map_or(0, |definition| definition.line),
        bytes: definition.map_or(module.source.before, |definition| definition.bytes),
        answer,
    })
}

fn removed(
    metafile: &Metafile,
    place: Place,
    module: &Module,
    definition: Option<&Definition>,
) -> Answer {
    let platform = metafile.bundle.target;
    if let Some(asked) = &module.refused {
        let sentence = describe::sentence(metafile, Place::module(place.module), asked);
        let name = &module.name;
        return Answer::Removed {
            reason: format!(
                "{sentence}, but `{name}` is certain to raise ImportError on {platform}"
            ),
            setting: None,
        };
    }
    let name = metafile.name(place);
    match definition {
        None => Answer::Removed {
            reason: "nothing that is in the bundle imports it".to_owned(),
            setting: Some(format!("include = [\"{name}\"]")),
        },
        Some(_) if module.because.is_none() => Answer::Removed {
            reason: format!(
                "its module `{}` was removed: nothing that is in the bundle imports it",
                module.name
            ),
            setting: Some(format!("keep = [\"{name}\"]")),
        },
        Some(definition) => {
            let class = class_of(module, definition);
            let reason = match class {
                Some(class) if class.because.is_none() => {
                    format!(
                        "its class `{}.{}` was removed: nothing that is in the bundle reaches it",
                        module.name, class.name
                    )
                }
                _ => "nothing that is in the bundle reaches it".to_owned(),
            };
            Answer::Removed {
                reason,
                setting: Some(format!("keep = [\"{name}\"]")),
            }
        }
    }
}

/// The class that a method is in, if it is listed.
fn class_of<'m>(module: &'m Module, method: &Definition) -> Option<&'m Definition> {
    let (class, _) = method.name.rsplit_once('.')?;
    // Of several classes of one name, the one around it begins last before it.
    let classes = module.definitions.iter().rev();
    classes
        .filter(|definition| definition.line <= method.line)
        .find(|definition| definition.name == class)
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.kind.map_or("module", describe::kind);
        write!(f, "{}: {what} {}", self.name, describe::origin(self.origin))?;
        match (self.file.as_str(), self.line) {
            ("", _) => {}
            (file, 0) => write!(f, ", {file}")?,
            (file, line) => write!(f, ", {file}:{line}")?,
        }
        if self.bytes > 0 {
            write!(f, ", {}", describe::size(self.bytes))?;
        }
        match &self.answer {
            Answer::Kept { chain } => {
                let state = match self.origin {
                    Origin::Engine => "used; the engine has it",
                    Origin::Pyodide => "used; it comes with Pyodide",
                    Origin::Node | Origin::Package | Origin::Stdlib => "in the bundle",
                };
                write!(f, "\n{state}:")?;
                chain.iter().try_for_each(|link| write!(f, "\n  {link}"))
            }
            Answer::Removed { reason, setting } => {
                write!(f, "\nremoved:\n  {reason}")?;
                setting.iter().try_for_each(|line| {
                    write!(
                        f,
                        "\nto bring it back, under [tool.rm-pack] in pyproject.toml:\n  {line}"
                    )
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;
