//! The one way files are written: beside the target, then renamed, so that nobody ever sees half of one.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file in the making, beside its place. Dropped before it is [finished](PartialFile::finish) it leaves nothing behind.
#[derive(Debug)]
pub struct PartialFile {
    path: PathBuf,
    partial: PathBuf,
}

impl PartialFile {
    /// Begin a file that will be at `path`, replacing what is there. Missing parent folders are made.
    ///
    /// # Errors
    ///
    /// The folder cannot be made, or nothing written to it.
    pub fn create(path: &Path) -> io::Result<(Self, File)> {
        // Two threads of one process, or two processes, may write the same path at once.
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        std::fs::create_dir_all(folder)?;
        let unique = format!(
            ".{}.{}.partial",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed)
        );
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(unique);
        let partial = folder.join(name);
        let file = File::create(&partial)?;
        let path = path.to_owned();
        Ok((Self { path, partial }, file))
    }

    /// Put the file into its place.
    ///
    /// # Errors
    ///
    /// It cannot be renamed.
    pub fn finish(self) -> io::Result<()> {
        std::fs::rename(&self.partial, &self.path)
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        // Once it was renamed there is nothing under this name any more.
        let _ = std::fs::remove_file(&self.partial);
    }
}

/// Write `bytes` to `path`, replacing what is there, whole or not at all. Missing parent folders are made.
///
/// # Errors
///
/// The folder cannot be made, or the file not written or renamed; nothing is left behind then.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (partial, mut file) = PartialFile::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    partial.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("taken");
        std::fs::create_dir(&target).unwrap();
        std::fs::write(target.join("inside"), "kept").unwrap();
        assert!(write_atomically(&target, b"new").is_err());
        let names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["taken"]);
    }

    #[test]
    fn parents_are_made_and_contents_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/b/file");
        write_atomically(&target, b"one").unwrap();
        write_atomically(&target, b"two").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"two");
    }
}
