//! Wheels of compiled modules.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rm_runtime::digest::Digest;

use super::zip;

/// Code of this version of CPython, for any platform.
const TAG: &str = "cp314-none-any";

/// A wheel to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wheel {
    /// The name of the distribution, as installers normalise it: words with hyphens between.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// What it is, in one line.
    pub(crate) summary: String,
    /// Its files, by their path with forward slashes.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Wheel {
    /// `NAME-VERSION-TAG.whl`
    pub(crate) fn file_name(&self) -> String {
        format!("{}-{}-{TAG}.whl", self.escaped_name(), self.version)
    }

    /// The wheel as a file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let info = format!("{}-{}.dist-info", self.escaped_name(), self.version);
        let mut files = self.files.clone();
        let metadata = format!(
            "Metadata-Version: 2.1\nName: {}\nVersion: {}\nSummary: {}\nRequires-Python: ==3.14.*\n",
            self.name, self.version, self.summary
        );
        files.insert(format!("{info}/METADATA"), metadata.into_bytes());
        let wheel = format!(
            "Wheel-Version: 1.0\nGenerator: rm-pack ({})\nRoot-Is-Purelib: true\nTag: {TAG}\n",
            env!("CARGO_PKG_VERSION")
        );
        files.insert(format!("{info}/WHEEL"), wheel.into_bytes());
        let record = format!("{info}/RECORD");
        let mut lines = String::new();
        for (path, contents) in &files {
            let digest = URL_SAFE_NO_PAD.encode(Digest::of(contents).as_bytes());
            let _ = writeln!(lines, "{path},sha256={digest},{}", contents.len());
        }
        let _ = writeln!(lines, "{record},,");
        files.insert(record, lines.into_bytes());
        zip::archive(&files)
    }

    /// The name as it stands in file names.
    fn escaped_name(&self) -> String {
        self.name.replace('-', "_")
    }
}

#[cfg(test)]
mod tests {
    use super::{Digest, Wheel};
    use std::collections::BTreeMap;

    fn wheel() -> Wheel {
        Wheel {
            name: "text-processor".into(),
            version: "0.1.0".into(),
            summary: "a test".into(),
            files: BTreeMap::from([
                ("b/__init__.pyc".into(), vec![1; 1000]),
                ("a.pyc".into(), b"code".to_vec()),
            ]),
        }
    }

    #[test]
    fn names_are_those_that_installers_expect() {
        assert_eq!(
            wheel().file_name(),
            "text_processor-0.1.0-cp314-none-any.whl"
        );
    }

    #[test]
    fn the_same_files_give_the_same_bytes_everywhere() {
        let digest = Digest::of(&wheel().to_bytes()).to_string();
        assert_eq!(
            digest,
            "5e842c9ecc60f95f152d73ec293d5ecc83a9af33210f8db152b0ad0c2a6d3c9e"
        );
    }
}
