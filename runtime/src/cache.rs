//! The user's cache folder: engines, compiled code, code objects. Everything in it can be made again.

use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// Names the cache folder when it is set. A relative path is relative to the working directory that the process has when it
/// is asked for.
pub const CACHE_VARIABLE: &str = "RM_CACHE_DIR";

/// A folder for what is made once per machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    root: PathBuf,
}

/// A file of the cache could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the cache at `{}`; set {CACHE_VARIABLE} to a folder that can be written", path.display())]
pub struct CacheError {
    path: PathBuf,
    source: io::Error,
}

impl Cache {
    /// The user's own: `$RM_CACHE_DIR`, or `remotemedia` in the platform's cache folder (`~/.cache` on Linux).
    ///
    /// Compiled code is loaded from it, so nobody else must be able to write there. Without a home folder it is a new,
    /// private folder for temporary files, and nothing lasts longer than the process.
    pub fn user() -> Self {
        let root = match std::env::var_os(CACHE_VARIABLE) {
            // So that it stays the same folder wherever the process goes, and messages say which.
            Some(path) if !path.is_empty() => {
                std::path::absolute(&path).unwrap_or_else(|_| PathBuf::from(path))
            }
            _ => match etcetera::choose_base_strategy() {
                Ok(strategy) => strategy.cache_dir().join("remotemedia"),
                Err(_) => private_temporary_folder(),
            },
        };
        Self { root }
    }

    /// A cache in a folder of the caller's choice; it need not exist yet.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The path of an entry: a kind of thing (a subfolder) and its name.
    pub fn path(&self, kind: &str, name: &str) -> PathBuf {
        self.root.join(kind).join(name)
    }

    /// The contents of an entry, if it is there.
    ///
    /// # Errors
    ///
    /// The file is there and cannot be read.
    pub fn read(&self, kind: &str, name: &str) -> Result<Option<Vec<u8>>, CacheError> {
        let path = self.path(kind, name);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CacheError { path, source }),
        }
    }

    /// Write an entry, whole or not at all, and return its path. Several processes may do so at once.
    ///
    /// # Errors
    ///
    /// The folder or the file cannot be written.
    pub fn write(&self, kind: &str, name: &str, bytes: &[u8]) -> Result<PathBuf, CacheError> {
        let path = self.path(kind, name);
        match crate::file::write_atomically(&path, bytes) {
            Ok(()) => Ok(path),
            Err(source) => Err(CacheError { path, source }),
        }
    }

    /// Wait until no other process makes the thing of this name, then hold that right until the guard is dropped.
    ///
    /// # Errors
    ///
    /// The lock file cannot be made.
    pub fn lock(&self, name: &str) -> Result<CacheLock, CacheError> {
        let path = self.path("locks", &format!("{name}.lock"));
        let locked = || {
            std::fs::create_dir_all(self.root.join("locks"))?;
            let file = std::fs::File::create(&path)?;
            file.lock()?;
            Ok(file)
        };
        match locked() {
            Ok(file) => Ok(CacheLock { _file: file }),
            Err(source) => Err(CacheError { path, source }),
        }
    }
}

fn private_temporary_folder() -> PathBuf {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let unique = now.map_or(0, |now| now.as_nanos());
    let path = std::env::temp_dir().join(format!("remotemedia-{}-{unique}", std::process::id()));
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    // Where it cannot be made, the first write to the cache says so.
    let _ = builder.create(&path);
    path
}

/// Held while something is made; see [`Cache::lock`].
#[derive(Debug)]
pub struct CacheLock {
    _file: std::fs::File,
}
