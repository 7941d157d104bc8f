//! Wheels of compiled modules.

use std::collections::BTreeMap;
use std::fmt::Write as _;

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
            let digest = base64(Digest::of(contents).as_bytes());
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

/// A name as installers compare it: lower case, single hyphens between words.
pub(crate) fn normalised(name: &str) -> String {
    let words = name
        .split(|char: char| !char.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    if joined.is_empty() {
        "pipeline".to_owned()
    } else {
        joined
    }
}

/// Base64 for addresses, without padding, as RECORD has it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .chain(&[0; 2])
            .take(3)
            .fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        for place in 0..=chunk.len() {
            text.push(char::from(DIGITS[bits >> (18 - 6 * place) & 63]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Wheel, base64, normalised};
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
        for (name, expected) in [
            ("My_Pipeline.v2", "my-pipeline-v2"),
            ("a--b", "a-b"),
            ("...", "pipeline"),
        ] {
            assert_eq!(normalised(name), expected, "{name}");
        }
    }

    #[test]
    fn digests_are_written_as_record_has_them() {
        for (bytes, expected) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (&[0xfb, 0xff, 0xfe], "-__-"),
        ] {
            assert_eq!(base64(bytes), expected);
        }
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        assert_eq!(wheel().to_bytes(), wheel().to_bytes());
    }
}
