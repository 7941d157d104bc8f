//! The one way files are written: beside the target, then renamed, so that nobody ever sees half of one.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The ending of a file in the making, behind the name that it will have, a process's number and another one.
const PARTIAL: &str = ".partial";

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
        loop {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            name.push(format!(".{}.{number}{PARTIAL}", std::process::id()));
            let partial = folder.join(name);
            // Processes in two containers that share the folder may have the same number, and so may one that was killed.
            match File::create_new(&partial) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => {
                    let path = path.to_owned();
                    return Ok((Self { path, partial }, file));
                }
            }
        }
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

/// Remove what processes that were killed have left of the file at `path`. Nobody else may be writing it. What cannot be
/// removed stays.
pub(crate) fn remove_partial_files(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return;
    };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    for entry in entries.flatten() {
        let other = entry.file_name();
        let numbers = other
            .as_encoded_bytes()
            .strip_prefix(name.as_encoded_bytes())
            .and_then(|rest| std::str::from_utf8(rest).ok())
            .and_then(|rest| {
                rest.strip_prefix('.')?
                    .strip_suffix(PARTIAL)?
                    .split_once('.')
            });
        if numbers.is_some_and(|(process, number)| is_number(process) && is_number(number)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_writes_what_somebody_else_is_writing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file");
        // As of other processes with this one's number: whichever of these names is next is taken.
        let taken = (0..1000).map(|number| {
            let name = format!("file.{}.{number}.partial", std::process::id());
            folder.path().join(name)
        });
        let taken: Vec<_> = taken.collect();
        for path in &taken {
            std::fs::write(path, "theirs").unwrap();
        }
        write_atomically(&target, b"ours").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"ours");
        for path in &taken {
            assert_eq!(std::fs::read(path).unwrap(), b"theirs");
        }
        let of_another = folder.path().join("file.txt.1.0.partial");
        std::fs::write(&of_another, "theirs").unwrap();
        remove_partial_files(&target);
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let mut left: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        left.sort();
        assert_eq!(left, [target, of_another]);
    }

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
