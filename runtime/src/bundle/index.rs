//! `index.json`: which bundles and engines a folder holds.

use std::ffi::OsStr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::archive::check_format;
use super::{BundleError, FORMAT, Target};
use crate::digest::Digest;
use crate::file::write_atomically;
use crate::suggest;

/// The index's file name.
pub const INDEX_FILE: &str = "index.json";

/// What a folder holds: the newest bundle of each name and target, and the engines that they need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// [`FORMAT`]
    pub format: u32,
    /// Sorted by name and target.
    pub bundles: Vec<IndexedBundle>,
    /// Sorted by digest.
    pub engines: Vec<IndexedEngine>,
    /// Those in the form that browsers take, sorted by digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub web_engines: Vec<IndexedWebEngine>,
}

/// A bundle in a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexedBundle {
    /// The bundle's name.
    pub name: String,
    /// What it runs on.
    pub target: Target,
    /// The file's name.
    pub file: String,
    /// The content hash.
    pub content: Digest,
    /// The SHA-256 of the file.
    pub sha256: Digest,
    /// The file's size in bytes.
    pub size: u64,
    /// The engine that it needs; none without Python nodes.
    pub engine: Option<Digest>,
    /// Whether it has Python nodes, so that a page can begin with what runs them before it has the bundle.
    pub python: bool,
}

/// An engine in a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexedEngine {
    /// The SHA-256 of the component.
    pub digest: Digest,
    /// The file's name.
    pub file: String,
    /// The SHA-256 of the file.
    pub sha256: Digest,
    /// The file's size in bytes.
    pub size: u64,
}

/// An engine in the form that browsers take: what a page can ask for before it has read how it is put together. That is
/// said beside these files, and goes for what is used of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexedWebEngine {
    /// The SHA-256 of the component.
    pub digest: Digest,
    /// Its large files, in its folder.
    pub files: Vec<IndexedFile>,
}

/// A file in a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexedFile {
    /// Its name.
    pub file: String,
    /// Its SHA-256.
    pub sha256: Digest,
    /// Its size in bytes.
    pub size: u64,
}

impl Index {
    /// Read a folder's index.
    ///
    /// # Errors
    ///
    /// There is none, or it is damaged, or of another format.
    pub fn read(folder: &Path) -> Result<Self, BundleError> {
        let path = folder.join(INDEX_FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(BundleError::NoIndex {
                    folder: folder.to_owned(),
                });
            }
            Err(source) => return Err(BundleError::Read { path, source }),
        };
        check_format(&bytes, &path)?;
        serde_json::from_slice(&bytes).map_err(|error| BundleError::BadIndex {
            path,
            problem: error.to_string(),
        })
    }

    /// Change a folder's index, or begin one. Several processes may do so at once.
    ///
    /// # Errors
    ///
    /// The index is damaged, or cannot be written.
    pub fn update(folder: &Path, change: impl FnOnce(&mut Self)) -> Result<(), BundleError> {
        let path = folder.join(INDEX_FILE);
        let failed = |source| BundleError::Write {
            path: path.clone(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        // The folder itself is the lock, so that no extra file stays in it. Where folders cannot be locked, two
        // processes that write the same folder at once may lose an entry of the index, never a bundle.
        let lock = std::fs::File::open(folder)
            .and_then(|folder| folder.lock().map(|()| folder))
            .ok();
        let mut index = match Self::read(folder) {
            Ok(index) => index,
            Err(BundleError::NoIndex { .. }) => Self {
                format: FORMAT,
                bundles: Vec::new(),
                engines: Vec::new(),
                web_engines: Vec::new(),
            },
            Err(error) => return Err(error),
        };
        change(&mut index);
        let mut bytes = serde_json::to_vec_pretty(&index).expect("an index has text keys only");
        bytes.push(b'\n');
        let written = write_atomically(&path, &bytes).map_err(failed);
        drop(lock);
        written
    }

    /// Enter a bundle, in place of an older one of its name and target.
    pub fn add_bundle(&mut self, bundle: IndexedBundle) {
        self.bundles
            .retain(|other| (&other.name, other.target) != (&bundle.name, bundle.target));
        self.bundles.push(bundle);
        self.bundles
            .sort_by(|left, right| (&left.name, left.target).cmp(&(&right.name, right.target)));
    }

    /// Enter an engine.
    pub fn add_engine(&mut self, engine: IndexedEngine) {
        self.engines.retain(|other| other.digest != engine.digest);
        self.engines.push(engine);
        self.engines.sort_by_key(|engine| engine.digest);
    }

    /// Enter an engine for browsers.
    pub fn add_web_engine(&mut self, engine: IndexedWebEngine) {
        self.web_engines
            .retain(|other| other.digest != engine.digest);
        self.web_engines.push(engine);
        self.web_engines.sort_by_key(|engine| engine.digest);
    }

    /// The one bundle for a target, or the one of that name.
    ///
    /// # Errors
    ///
    /// There is none, or without a name there are several. `folder` is named in the message.
    pub fn find(
        &self,
        folder: &Path,
        target: Target,
        name: Option<&str>,
    ) -> Result<&IndexedBundle, BundleError> {
        let fitting: Vec<_> = self
            .bundles
            .iter()
            .filter(|bundle| bundle.target == target)
            .collect();
        let names = || fitting.iter().map(|bundle| bundle.name.as_str());
        let error = |wanted: String, found: String| BundleError::NoSuchBundle {
            folder: folder.to_owned(),
            target,
            wanted,
            found,
        };
        let bundle = match (name, fitting.as_slice()) {
            (None, [bundle]) => Ok(*bundle),
            (None, []) => Err(error(String::new(), "no bundle".into())),
            (None, _) => {
                let all = names().collect::<Vec<_>>().join(", ");
                Err(error(
                    "; name one of them (rm-pack run --name)".into(),
                    format!("several bundles ({all})"),
                ))
            }
            (Some(name), _) => fitting
                .iter()
                .copied()
                .find(|bundle| bundle.name == name)
                .ok_or_else(|| {
                    let wanted = match suggest::nearest(name, names()) {
                        near @ Some(_) => suggest::DidYouMean(near).to_string(),
                        None if fitting.is_empty() => String::new(),
                        None => format!(", only {}", names().collect::<Vec<_>>().join(", ")),
                    };
                    error(wanted, format!("no bundle `{name}`"))
                }),
        }?;
        // An index from elsewhere must not lead out of its folder.
        if Path::new(&bundle.file).file_name() == Some(OsStr::new(&bundle.file)) {
            Ok(bundle)
        } else {
            Err(BundleError::BadIndex {
                path: folder.join(INDEX_FILE),
                problem: format!("`{}` is not the name of a file", bundle.file),
            })
        }
    }
}
