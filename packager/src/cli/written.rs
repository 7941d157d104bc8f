//! What is to be written must not take the place of what is read, or of something else that is written.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::failure::{Failure, Stage};

/// A file, and what it is to the user, such as `the manifest` or `--metafile`.
pub(super) type Named<'a> = (&'a str, &'a Path);

/// Checks before anything is done that each of `written` can be a file of its own.
///
/// # Errors
///
/// One is a folder or something else that is no plain file, or the same file as one of `others` or as one before it.
pub(super) fn check(written: &[Named<'_>], others: &[Named<'_>]) -> Result<(), Failure> {
    let mut taken: Vec<(&str, PathBuf)> = others
        .iter()
        .map(|(name, path)| (*name, place(path)))
        .collect();
    for (option, path) in written {
        let refused = |reason: String| {
            let error = anyhow!("{option} {}: {reason}", path.display());
            Err(Failure::new(Stage::Input, error))
        };
        if path.is_dir() {
            return refused("that is a folder; name a file".to_owned());
        }
        // A pipe or a device would be replaced, not written to.
        if path.exists() && !path.is_file() {
            return refused("that is no plain file; name one".to_owned());
        }
        let place = place(path);
        if let Some((name, _)) = taken.iter().find(|(_, other)| *other == place) {
            return refused(format!("that is {name}; name another file"));
        }
        taken.push((option, place));
    }
    Ok(())
}

/// Where a path leads, whether or not there is a file.
fn place(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if let Ok(real) = absolute.canonicalize() {
        return real;
    }
    match (
        absolute.parent().map(Path::canonicalize),
        absolute.file_name(),
    ) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => absolute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("manifest.yaml"), "").unwrap();
        let (manifest, dotted) = (at("manifest.yaml"), at("./manifest.yaml"));
        let (page, folder_itself) = (at("page"), folder.path());
        let refused =
            |written: &[Named<'_>]| check(written, &[("the manifest", &manifest)]).is_err();
        assert!(refused(&[("--metafile", &dotted)]));
        assert!(refused(&[("--metafile", &page), ("--html", &page)]));
        assert!(refused(&[("--metafile", folder_itself)]));
        #[cfg(unix)]
        assert!(refused(&[("--metafile", Path::new("/dev/null"))]));
        assert!(!refused(&[("--metafile", &page)]));
    }
}
