//! `[tool.rm-pack]` of the nearest `pyproject.toml`.

use std::io;
use std::path::{Path, PathBuf};

use rm_runtime::suggest::DidYouMean;

use super::files;

/// What the packager's table is called.
const TABLE: &str = "rm-pack";

/// The keys of `[tool.rm-pack]`.
const KEYS: [&str; 4] = ["exclude", "include", "keep", "source"];

/// The packager's settings in a project file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectConfig {
    /// The `pyproject.toml` they were read from.
    pub file: PathBuf,
    /// Source folders, joined to the file's folder.
    pub source: Vec<PathBuf>,
    /// Modules to pack although nothing imports them; `a.*` means all in the package `a`.
    pub include: Vec<String>,
    /// Modules to leave out although something imports them.
    pub exclude: Vec<String>,
    /// Definitions to keep although nothing reaches them.
    pub keep: Vec<String>,
    /// What somebody who packs should know: a table that is named nearly right.
    pub notes: Vec<String>,
}

/// A project file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The file exists and cannot be read.
    #[error("cannot read {}", file.display())]
    Read {
        /// The project file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not TOML; the source says where.
    #[error("{} is not valid TOML", file.display())]
    Toml {
        /// The project file.
        file: PathBuf,
        /// Line, column and reason.
        source: Box<toml::de::Error>,
    },
    /// `[tool.rm-pack]` has a key that is not known.
    #[error(
        "{}: unknown key `tool.rm-pack.{key}`, known: {}{}",
        file.display(),
        KEYS.join(", "),
        DidYouMean(nearest.as_ref())
    )]
    UnknownKey {
        /// The project file.
        file: PathBuf,
        /// The key.
        key: String,
        /// The nearest known key.
        nearest: Option<String>,
    },
    /// A value has the wrong type.
    #[error("{}: `{key}` must be {expected}, found {found}", file.display())]
    Type {
        /// The project file.
        file: PathBuf,
        /// The key's path, such as `tool.rm-pack.source[1]`.
        key: String,
        /// What it must be.
        expected: &'static str,
        /// The type that was found.
        found: &'static str,
    },
}

impl ProjectConfig {
    /// Reads the nearest `pyproject.toml` at or above `folder`; `None` when there is none.
    ///
    /// A file without `[tool.rm-pack]` ends the search too, with empty settings: it marks the project's edge.
    ///
    /// # Errors
    /// [`ProjectError`] when the file cannot be read or says something unknown.
    pub fn nearest(folder: &Path) -> Result<Option<Self>, ProjectError> {
        for ancestor in folder.ancestors() {
            let file = ancestor.join("pyproject.toml");
            match files::read_optional_text(&file) {
                Ok(Some(text)) => return Self::parse(&file, &text).map(Some),
                Ok(None) => {}
                Err(source) => return Err(ProjectError::Read { file, source }),
            }
        }
        Ok(None)
    }

    /// Reads the text of the project file `file`.
    ///
    /// # Errors
    /// [`ProjectError`] when it is not TOML or says something unknown.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ProjectError> {
        let document: toml::Table = toml::from_str(text).map_err(|source| ProjectError::Toml {
            file: file.to_path_buf(),
            source: Box::new(source),
        })?;
        let mut config = Self {
            file: file.to_path_buf(),
            ..Self::default()
        };
        let wrong = |key: &str, expected, value: &toml::Value| ProjectError::Type {
            file: file.to_path_buf(),
            key: key.to_owned(),
            expected,
            found: value.type_str(),
        };
        let Some(tool) = document.get("tool") else {
            return Ok(config);
        };
        let tool = tool
            .as_table()
            .ok_or_else(|| wrong("tool", "a table", tool))?;
        let similar = tool
            .keys()
            .filter(|key| *key != TABLE && key.replace('_', "-").eq_ignore_ascii_case(TABLE));
        config.notes.extend(similar.map(|key| {
            format!(
                "{}: `[tool.{key}]` is not read; did you mean `[tool.{TABLE}]`?",
                file.display()
            )
        }));
        let Some(table) = tool.get(TABLE) else {
            return Ok(config);
        };
        let table = table
            .as_table()
            .ok_or_else(|| wrong("tool.rm-pack", "a table", table))?;
        for (key, value) in table {
            let place = format!("tool.rm-pack.{key}");
            if !KEYS.contains(&key.as_str()) {
                let nearest = rm_runtime::suggest::nearest(key, KEYS).map(str::to_owned);
                return Err(ProjectError::UnknownKey {
                    file: file.to_path_buf(),
                    key: key.clone(),
                    nearest,
                });
            }
            let items = value
                .as_array()
                .ok_or_else(|| wrong(&place, "an array of strings", value))?;
            let mut strings = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                let text = item
                    .as_str()
                    .ok_or_else(|| wrong(&format!("{place}[{index}]"), "a string", item))?;
                strings.push(text.to_owned());
            }
            match key.as_str() {
                "source" => {
                    let folder = file.parent().unwrap_or(Path::new(""));
                    config.source = strings.iter().map(|path| folder.join(path)).collect();
                }
                "include" => config.include = strings,
                "exclude" => config.exclude = strings,
                _ => config.keep = strings,
            }
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ProjectConfig, String> {
        ProjectConfig::parse(Path::new("/p/pyproject.toml"), text)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let config =
            parse("[tool.rm-pack]\nsource = ['src', '../shared']\nkeep = ['a.b']\n").unwrap();
        assert_eq!(
            config.source,
            [PathBuf::from("/p/src"), PathBuf::from("/p/../shared")]
        );
        assert_eq!(config.keep, ["a.b"]);
    }

    #[test]
    fn a_table_that_is_named_nearly_right_is_noted() {
        let config = parse("[tool.rm_pack]\nsource = 1\n").unwrap();
        assert_eq!(
            config.notes,
            ["/p/pyproject.toml: `[tool.rm_pack]` is not read; did you mean `[tool.rm-pack]`?"]
        );
        let config = parse("[tool.rm-pack]\n[tool.other]\n").unwrap();
        assert_eq!(config.notes, [""; 0]);
    }

    #[test]
    fn other_tools_do_not_matter() {
        assert_eq!(
            parse("[tool.black]\nline-length = 1\n").unwrap().source,
            Vec::<PathBuf>::new()
        );
        assert!(parse("").is_ok());
    }

    #[test]
    fn unknown_keys_and_types_are_named() {
        assert_eq!(
            parse("[tool.rm-pack]\nsources = []\n").unwrap_err(),
            "/p/pyproject.toml: unknown key `tool.rm-pack.sources`, known: exclude, include, keep, source; did you mean `source`?"
        );
        assert_eq!(
            parse("[tool.rm-pack]\nsource = 'src'\n").unwrap_err(),
            "/p/pyproject.toml: `tool.rm-pack.source` must be an array of strings, found string"
        );
        assert_eq!(
            parse("[tool.rm-pack]\nsource = ['a', 1]\n").unwrap_err(),
            "/p/pyproject.toml: `tool.rm-pack.source[1]` must be a string, found integer"
        );
        assert_eq!(
            parse("[tool").unwrap_err(),
            "/p/pyproject.toml is not valid TOML"
        );
    }
}
