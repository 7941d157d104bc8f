//! What the engine is made of, carried inside this binary; `build.rs` put it there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

/// Libraries in the order in which they are linked, after the shim. CPython looks for none of them at run time.
pub(super) const LIBRARIES: [(&str, &[u8]); 5] = [
    (
        "libpython3.14.so",
        include_bytes!(concat!(env!("OUT_DIR"), "/libpython3.14.so.zst")),
    ),
    (
        "libc.so",
        include_bytes!(concat!(env!("OUT_DIR"), "/libc.so.zst")),
    ),
    (
        "libwasi-emulated-signal.so",
        include_bytes!(concat!(env!("OUT_DIR"), "/libwasi-emulated-signal.so.zst")),
    ),
    (
        "libwasi-emulated-getpid.so",
        include_bytes!(concat!(env!("OUT_DIR"), "/libwasi-emulated-getpid.so.zst")),
    ),
    (
        "libwasi-emulated-process-clocks.so",
        include_bytes!(concat!(
            env!("OUT_DIR"),
            "/libwasi-emulated-process-clocks.so.zst"
        )),
    ),
];

const STDLIB: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/python-lib.tar.zst"));

/// Our own half of the engine: `engine/shim.c`, compiled by `engine/build-shim.sh`.
pub(super) const SHIM: &[u8] = include_bytes!("../../engine/shim.wasm");

/// The engine's interface.
pub(super) const WIT: &str = include_str!("../../engine/engine.wit");

/// The guest's side of the node contract, in Python: module name and source.
///
/// `_remotemedia` is also what the `remotemedia` package is made of, so that nodes and guest share its classes.
pub(super) const GUEST: [(&str, &str); 13] = [
    ("_remotemedia", include_str!("../../python/_remotemedia.py")),
    (
        "_rm_absent",
        include_str!("../../engine/guest/_rm_absent.py"),
    ),
    (
        "_rm_codecs",
        include_str!("../../engine/guest/_rm_codecs.py"),
    ),
    ("_rm_cold", include_str!("../../engine/guest/_rm_cold.py")),
    (
        "_rm_errors",
        include_str!("../../engine/guest/_rm_errors.py"),
    ),
    ("_rm_guest", include_str!("../../engine/guest/_rm_guest.py")),
    (
        "_rm_importer",
        include_str!("../../engine/guest/_rm_importer.py"),
    ),
    ("_rm_loop", include_str!("../../engine/guest/_rm_loop.py")),
    ("_rm_nodes", include_str!("../../engine/guest/_rm_nodes.py")),
    (
        "_rm_removed",
        include_str!("../../engine/guest/_rm_removed.py"),
    ),
    ("_rm_stdio", include_str!("../../engine/guest/_rm_stdio.py")),
    ("_rm_trace", include_str!("../../engine/guest/_rm_trace.py")),
    (
        "_rm_values",
        include_str!("../../engine/guest/_rm_values.py"),
    ),
];

/// The guest's modules: name and text.
pub fn guest() -> impl Iterator<Item = (&'static str, Arc<str>)> {
    GUEST.iter().map(|(name, text)| (*name, Arc::from(*text)))
}

/// The same as files, as [`stdlib`] gives those of the library.
pub fn guest_files() -> impl Iterator<Item = (String, Arc<str>)> {
    guest().map(|(name, text)| (format!("{name}.py"), text))
}

/// Identifiers among the texts that the interpreter's C code carries: what it may look up in objects by name.
pub(super) fn native_names() -> BTreeSet<String> {
    let python = decompress(LIBRARIES[0].1);
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let texts = python.split(|byte| *byte == 0);
    let ends = texts.filter_map(|text| {
        let start = text
            .iter()
            .rposition(|byte| !is_part(byte))
            .map_or(0, |at| at + 1);
        std::str::from_utf8(&text[start..]).ok()
    });
    ends.filter(|name| name.len() > 1 && !name.starts_with(|first: char| first.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

/// The Python standard library: path relative to its root (`json/decoder.py`) to source text.
pub type Stdlib = BTreeMap<String, Arc<str>>;

pub(super) fn decompress(compressed: &[u8]) -> Vec<u8> {
    zstd::decode_all(compressed)
        .expect("the embedded libraries were checked by cargo when this binary was built")
}

/// Unpack the standard library (some tens of milliseconds; 10 MB of text).
///
/// # Panics
///
/// The archive inside this binary is not what `build.rs` put there.
pub fn stdlib() -> Stdlib {
    let archive = decompress(STDLIB);
    let mut modules = BTreeMap::new();
    for entry in tar::Archive::new(archive.as_slice())
        .entries()
        .expect("an archive in memory")
    {
        let mut entry = entry.expect("a whole archive");
        let path = entry
            .path()
            .expect("a path in UTF-8")
            .to_string_lossy()
            .trim_start_matches("./")
            .to_owned();
        if path.strip_suffix(".py").is_some() {
            let mut text = String::new();
            entry
                .read_to_string(&mut text)
                .expect("the standard library is UTF-8");
            modules.insert(path, text.into());
        }
    }
    modules
}
