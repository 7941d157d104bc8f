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

/// Read a file of UTF-8 text.
///
/// # Errors
///
/// It cannot be read, or is not UTF-8: then the error is a [`NotUtf8`], which says where.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(std::fs::read(path)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, NotUtf8::of(&error)))
}

/// A text is not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUtf8 {
    /// It begins with the mark of another encoding.
    #[error("it is UTF-16, and UTF-8 is expected: save the file as UTF-8")]
    Utf16,
    /// It has a byte that is wrong.
    #[error(
        "byte 0x{byte:02x} on line {line} (byte {offset} of the file) is not UTF-8, which is expected: save the file as UTF-8"
    )]
    Byte {
        /// The byte.
        byte: u8,
        /// Its line, from 1.
        line: usize,
        /// Where it is in the file, from 0.
        offset: usize,
    },
}

impl NotUtf8 {
    fn of(error: &std::string::FromUtf8Error) -> Self {
        let bytes = error.as_bytes();
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Self::Utf16;
        }
        let offset = error.utf8_error().valid_up_to();
        let newlines = bytes[..offset].iter().filter(|byte| **byte == b'\n');
        Self::Byte {
            byte: bytes[offset],
            line: newlines.count() + 1,
            offset,
        }
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
    fn what_is_not_utf8_is_told_by_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read_text(&path).map_err(|error| error.to_string())
        };
        assert_eq!(read("ä\n".as_bytes()), Ok("ä\n".to_owned()));
        assert_eq!(
            read(b"a\nb: \xe9t\xe9\n").unwrap_err(),
            "byte 0xe9 on line 2 (byte 5 of the file) is not UTF-8, which is expected: save the file as UTF-8"
        );
        // Cut off in the middle of a character.
        assert!(read(b"\xc3").unwrap_err().contains("byte 0xc3 on line 1"));
        for utf16 in [b"\xff\xfea\0", b"\xfe\xff\0a"] {
            assert!(read(utf16).unwrap_err().contains("UTF-16"));
        }
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
