//! Bundles: a pipeline with all that its Python nodes need, in one content-hashed file.
//!
//! A bundle is a zip archive in one canonical form:
//!
//! | entry | what it is |
//! |---|---|
//! | `bundle.json` | a [`Description`]: what the bundle is, and the SHA-256 of every other entry |
//! | `layer.zst` | the application's [`Layer`] over the engine, compressed; only with Python nodes |
//! | `modules.json` | a list of [`PackedModule`]: what the layer holds, and why; only with Python nodes |
//! | `engine.wasm.zst` | the engine itself, compressed; only in a self-contained bundle |
//!
//! A bundle for Pyodide has `modules.json` and, instead of a layer, these:
//!
//! | entry | what it is |
//! |---|---|
//! | `*.whl` | wheels of compiled modules: the application, and the guest that answers for it |
//! | `pyodide-lock.json` | what Pyodide has to know to load them |
//! | `python_stdlib.zip` | what is needed of the standard library, compiled; not in a bundle that needs packages of Pyodide's own |
//!
//! The SHA-256 of `bundle.json` is the bundle's *content hash*: it is in the file's name and in the archive's comment, and
//! through the entries' digests it covers everything. Digests are those of the uncompressed contents. Reading checks
//! all of it before anything is used, and that the file is, byte for byte, what writing these contents gives.

mod archive;
mod error;
mod index;
mod pyodide;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use crate::python::class::PythonNode;
pub use error::BundleError;
pub use index::{INDEX_FILE, Index, IndexedBundle, IndexedEngine, IndexedFile, IndexedWebEngine};
pub use pyodide::{PyodidePackage, PyodideParts};

use crate::digest::Digest;
use crate::file::write_atomically;
use crate::layer::Layer;
use crate::manifest::Manifest;

/// The version of the format described here; a reader refuses every other.
pub const FORMAT: u32 = 1;

/// The ending of a bundle's file name.
pub const EXTENSION: &str = "rmpkg";

/// How a bundle's file begins, as zip archives do.
pub const BUNDLE_MAGIC: &[u8] = b"PK\x03\x04";

/// Whether a file is named as bundles are.
pub fn has_bundle_name(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == EXTENSION)
}

pub(crate) const DESCRIPTION: &str = "bundle.json";
const LAYER: &str = "layer.zst";
const MODULES: &str = "modules.json";
const ENGINE: &str = "engine.wasm.zst";

/// The most bytes of a bundle's name; the packer makes names of up to 73.
const LONGEST_NAME: usize = 80;

/// How many bytes an engine has at the most. Ours have 11 million.
pub(crate) const LARGEST_ENGINE: u64 = 256 << 20;

/// How many bytes a layer has at the most: as many as the packer lets an interpreter have.
const LARGEST_LAYER: u64 = 1 << 30;

/// How many bytes the entries have at the most that are read as JSON, which takes many times as much memory.
const LARGEST_JSON: u64 = 32 << 20;

/// How many bytes an entry may have, whatever the bundle says of itself: some kilobytes can claim to be gigabytes, and be
/// true to that.
fn most_bytes(entry: &str) -> u64 {
    match entry {
        LAYER => LARGEST_LAYER,
        ENGINE => LARGEST_ENGINE,
        DESCRIPTION | MODULES => LARGEST_JSON,
        // Bundles have no others that are compressed; what such a one is called is told when it was read.
        other if archive::is_compressed(other) => LARGEST_JSON,
        // As large as it is in the file.
        _ => u64::MAX,
    }
}

/// What a bundle runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Natively, Python in the wasmtime sandbox.
    Wasmtime,
    /// In a browser, Python in Pyodide.
    Pyodide,
}

impl std::fmt::Display for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Wasmtime => "wasmtime",
            Self::Pyodide => "pyodide",
        })
    }
}

/// `bundle.json`: no times, no paths of the machine that packed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// [`FORMAT`]
    pub format: u32,
    /// The bundle's name, fit for a file name; see [`Parts::name`].
    pub name: String,
    /// What it runs on.
    pub target: Target,
    /// Which version of the packer wrote it.
    pub packer: String,
    /// The engine that its layer belongs to; none without Python nodes.
    pub engine: Option<EngineReference>,
    /// The Python nodes: type in the manifest to class.
    pub nodes: BTreeMap<String, PythonNode>,
    /// The packages of Pyodide's own that the nodes use, by name: not in the bundle, and loaded with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub packages: BTreeMap<String, PyodidePackage>,
    /// The pipeline.
    pub manifest: Manifest,
    /// Every other entry of the archive.
    pub entries: BTreeMap<String, Entry>,
}

/// Which engine a bundle needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineReference {
    /// The SHA-256 of the component.
    pub digest: Digest,
    /// Its version of Python, for people.
    pub python: String,
}

/// An entry of the archive: its uncompressed contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Their SHA-256.
    pub sha256: Digest,
    /// Their size in bytes.
    pub size: u64,
}

/// One Python module of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedModule {
    /// The dotted name.
    pub name: String,
    /// `node` (the user's own), `package` (came with the packer) or `stdlib`.
    pub origin: String,
    /// Imported when the bundle was packed; otherwise carried as code until it is imported.
    pub loaded: bool,
    /// The size of its code object in bytes; 0 for a namespace package.
    pub size: u64,
    /// Why it is in: what imports it, and where.
    pub reason: String,
}

/// A bundle in memory, whole and checked.
#[derive(Clone, Debug)]
pub struct Bundle {
    description: Description,
    content: Digest,
    layer: Option<Layer>,
    modules: Vec<PackedModule>,
    engine: Option<Vec<u8>>,
    /// The wheels of a bundle for Pyodide, and what goes with them.
    files: BTreeMap<String, Vec<u8>>,
    path: Option<PathBuf>,
}

/// What a bundle is made from; see [`Bundle::assemble`].
#[derive(Clone, Debug)]
pub struct Parts {
    /// The bundle's name, fit for a file name: ASCII letters, digits, `-`, `_` and `.`, which is not the first; 80 at the most.
    pub name: String,
    /// The pipeline.
    pub manifest: Manifest,
    /// Which version of the packer writes it.
    pub packer: String,
    /// What its Python nodes need, if it has any.
    pub python: Option<PythonParts>,
}

/// The Python side of a bundle.
#[derive(Clone, Debug)]
pub struct PythonParts {
    /// The engine that the layer belongs to.
    pub engine: EngineReference,
    /// The application.
    pub layer: Layer,
    /// What is in it.
    pub modules: Vec<PackedModule>,
    /// Which classes the manifest's types are.
    pub nodes: BTreeMap<String, PythonNode>,
    /// The engine's component, to carry it inside.
    pub component: Option<Vec<u8>>,
}

/// Read the bytes of a bundle's file.
///
/// # Errors
///
/// It cannot be read. Where a folder is in its place, the error names the bundles in that.
pub fn read_file(path: &Path) -> Result<Vec<u8>, BundleError> {
    if path.is_dir() {
        let index = Index::read(path).map(|index| index.bundles);
        let bundles = index.into_iter().flatten().map(|bundle| bundle.file);
        return Err(BundleError::IsFolder {
            path: path.to_owned(),
            bundles: bundles.collect(),
        });
    }
    std::fs::read(path).map_err(|source| BundleError::Read {
        path: path.to_owned(),
        source,
    })
}

impl Bundle {
    /// Put a bundle together.
    ///
    /// # Errors
    ///
    /// The name is not fit for a file name, or something is larger than what reading a bundle takes.
    ///
    /// # Panics
    ///
    /// A list of modules that cannot be written as JSON, which no list is.
    pub fn assemble(parts: Parts) -> Result<Self, BundleError> {
        let mut bundle = Self::unchecked(parts);
        bundle.describe_entries()?;
        Ok(bundle)
    }

    /// A bundle whose entries are not described yet.
    fn unchecked(parts: Parts) -> Self {
        let mut bundle = Self {
            description: Description {
                format: FORMAT,
                name: parts.name,
                target: Target::Wasmtime,
                packer: parts.packer,
                engine: None,
                nodes: BTreeMap::new(),
                packages: BTreeMap::new(),
                manifest: parts.manifest,
                entries: BTreeMap::new(),
            },
            content: Digest::of(b""),
            layer: None,
            modules: Vec::new(),
            engine: None,
            files: BTreeMap::new(),
            path: None,
        };
        if let Some(python) = parts.python {
            bundle.description.engine = Some(python.engine);
            bundle.description.nodes = python.nodes;
            bundle.layer = Some(python.layer);
            bundle.modules = python.modules;
            bundle.engine = python.component;
        }
        bundle
    }

    /// Say in the description what the other entries are, and take its digest.
    fn describe_entries(&mut self) -> Result<(), BundleError> {
        // It has no file yet, and no hash that would be part of its name.
        check_name(&self.description.name, Path::new("a new bundle"))?;
        let path = PathBuf::from(&self.description.name);
        let entries = self.contents().into_iter().map(|(name, bytes)| {
            let entry = Entry {
                sha256: Digest::of(&bytes),
                size: bytes.len() as u64,
            };
            (name.to_owned(), entry)
        });
        let entries: BTreeMap<_, _> = entries.collect();
        for (name, entry) in &entries {
            check_size(name, entry.size, &path)?;
        }
        self.description.entries = entries;
        let description = self.description_bytes();
        check_size(DESCRIPTION, description.len() as u64, &path)?;
        self.content = Digest::of(&description);
        Ok(())
    }

    /// Read a bundle's file, and check all of it.
    ///
    /// # Errors
    ///
    /// [`BundleError`] names the file, and what is wrong with it.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let bytes = read_file(path)?;
        let mut bundle = Self::from_bytes(&bytes, path)?;
        bundle.path = Some(path.to_owned());
        Ok(bundle)
    }

    /// Find the bundle for a target in a folder, by the folder's index, and read it. `name` chooses one of several.
    ///
    /// # Errors
    ///
    /// The folder has no index, the index no such bundle, or several; and all of [`Bundle::open`].
    pub fn open_from_folder(
        folder: &Path,
        target: Target,
        name: Option<&str>,
    ) -> Result<Self, BundleError> {
        let index = Index::read(folder)?;
        let entry = index.find(folder, target, name)?;
        let path = folder.join(&entry.file);
        let bundle = Self::open(&path)?;
        if bundle.content != entry.content {
            return Err(BundleError::Altered {
                path,
                what: format!(
                    "its content hash is {}, and the index says {}",
                    bundle.content, entry.content
                ),
            });
        }
        Ok(bundle)
    }

    /// Read a bundle from memory; `path` names it in errors.
    ///
    /// # Errors
    ///
    /// [`BundleError`] names the file, and what is wrong with it.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, BundleError> {
        let archive = archive::read(bytes, path)?;
        let description = archive.description(path)?;
        check_name(&description.name, path)?;
        let mut contents = BTreeMap::new();
        for (name, entry) in &description.entries {
            contents.insert(name.as_str(), archive.contents(name, entry, path)?);
        }
        let damaged = |what: String| BundleError::Altered {
            path: path.to_owned(),
            what,
        };
        let layer = match contents.remove(LAYER) {
            Some(bytes) => Some(Layer::decode(bytes).map_err(|error| damaged(error.to_string()))?),
            None => None,
        };
        if layer.is_none() && description.engine.is_some() {
            return Err(damaged(format!("it has no entry `{LAYER}`")));
        }
        let modules = match contents.remove(MODULES) {
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| damaged(format!("`{MODULES}`: {error}")))?,
            None => Vec::new(),
        };
        let engine = contents.remove(ENGINE);
        let mut files = BTreeMap::new();
        if description.target == Target::Pyodide {
            for (name, bytes) in std::mem::take(&mut contents) {
                // They are written into folders, so that a name must not lead out of one.
                if Path::new(name).file_name() != Some(name.as_ref()) {
                    return Err(damaged(format!("`{name}` is not the name of a file")));
                }
                files.insert(name.to_owned(), bytes);
            }
        }
        if let Some((name, _)) = contents.pop_first() {
            return Err(damaged(format!(
                "it has an entry `{name}` that bundles of format {FORMAT} do not have"
            )));
        }
        let bundle = Self {
            content: archive.content,
            description,
            layer,
            modules,
            engine,
            files,
            path: None,
        };
        archive.check_file_name(&bundle.file_name(), path)?;
        Ok(bundle)
    }

    /// Write the bundle into a folder, under [its name](Bundle::file_name), with its entry in the folder's index. Returns
    /// the file's path.
    ///
    /// # Errors
    ///
    /// The folder or a file in it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, BundleError> {
        let path = folder.join(self.file_name());
        let bytes = self.to_bytes();
        self.write_files(folder)?;
        write_atomically(&path, &bytes).map_err(|source| BundleError::Write {
            path: path.clone(),
            source,
        })?;
        Index::update(folder, |index| {
            index.add_bundle(IndexedBundle {
                name: self.description.name.clone(),
                target: self.description.target,
                file: self.file_name(),
                content: self.content,
                sha256: Digest::of(&bytes),
                size: bytes.len() as u64,
                engine: self.description.engine.as_ref().map(|engine| engine.digest),
                python: !self.description.nodes.is_empty(),
            });
        })?;
        Ok(path)
    }

    /// The bundle as a file: the same contents always give the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let compressed = self
            .contents()
            .into_iter()
            .map(|(name, bytes)| (name, archive::compress(name, bytes)));
        archive::write(&self.description_bytes(), compressed)
    }

    /// What the bundle is.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The SHA-256 of its `bundle.json`, which covers all of it.
    pub fn content(&self) -> Digest {
        self.content
    }

    /// The application's layer; none without Python nodes.
    pub fn layer(&self) -> Option<&Layer> {
        self.layer.as_ref()
    }

    /// The Python modules in it, sorted by name.
    pub fn modules(&self) -> &[PackedModule] {
        &self.modules
    }

    /// The engine's component, in a self-contained bundle.
    pub fn engine(&self) -> Option<&[u8]> {
        self.engine.as_deref()
    }

    /// The file it was opened from; none of a bundle from memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The file it was opened from, or what that would be called.
    pub fn shown_path(&self) -> PathBuf {
        match &self.path {
            Some(path) => path.clone(),
            None => PathBuf::from(self.file_name()),
        }
    }

    /// The folder it was opened from, where its engine may lie beside it.
    pub fn folder(&self) -> Option<&Path> {
        self.path.as_deref()?.parent()
    }

    /// `NAME-TARGET-HASH.rmpkg`
    pub fn file_name(&self) -> String {
        format!("{}.{EXTENSION}", self.stem())
    }

    fn stem(&self) -> String {
        let Description { name, target, .. } = &self.description;
        format!("{name}-{target}-{}", self.content.short())
    }

    fn description_bytes(&self) -> Vec<u8> {
        let mut bytes =
            serde_json::to_vec_pretty(&self.description).expect("a description has text keys only");
        bytes.push(b'\n');
        bytes
    }

    /// The entries beside `bundle.json`, uncompressed.
    fn contents(&self) -> Vec<(&str, Vec<u8>)> {
        let mut contents: Vec<(&str, Vec<u8>)> = Vec::new();
        if let Some(layer) = &self.layer {
            contents.push((LAYER, layer.as_bytes().to_vec()));
        }
        for (name, bytes) in &self.files {
            contents.push((name, bytes.clone()));
        }
        if self.layer.is_some() || !self.files.is_empty() {
            let mut modules = serde_json::to_vec_pretty(&self.modules)
                .expect("a list of modules has text keys only");
            modules.push(b'\n');
            contents.push((MODULES, modules));
        }
        if let Some(engine) = &self.engine {
            contents.push((ENGINE, engine.clone()));
        }
        contents.sort_by_key(|(name, _)| *name);
        contents
    }
}

/// A bundle's name becomes part of paths, and is shown: it must neither lead out of a folder nor be anything but a word.
fn check_name(name: &str, path: &Path) -> Result<(), BundleError> {
    let is_fit = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
    if (1..=LONGEST_NAME).contains(&name.len())
        && !name.starts_with('.')
        && name.chars().all(is_fit)
    {
        return Ok(());
    }
    // What is shown of it is no longer than what would be fine.
    let shown: String = name.chars().take(LONGEST_NAME).collect();
    Err(BundleError::BadName {
        path: path.to_owned(),
        name: shown,
    })
}

/// Refuse an entry that is larger than what is read of its kind.
fn check_size(entry: &str, size: u64, path: &Path) -> Result<(), BundleError> {
    let most = most_bytes(entry);
    if size <= most {
        return Ok(());
    }
    Err(BundleError::TooLarge {
        path: path.to_owned(),
        entry: entry.to_owned(),
        size,
        most,
    })
}

/// The file name of an engine as it travels beside bundles: its component, compressed with zstd.
pub fn engine_file_name(digest: Digest) -> String {
    format!("engine-{digest}.wasm.zst")
}
