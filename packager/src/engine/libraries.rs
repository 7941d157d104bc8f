//! What the engine is made of, carried inside this binary; `build.rs` put it there.

use std::collections::BTreeMap;
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
pub(super) const GUEST: [(&str, &str); 8] = [
    ("_remotemedia", include_str!("../../python/_remotemedia.py")),
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
    ("_rm_stdio", include_str!("../../engine/guest/_rm_stdio.py")),
    (
        "_rm_values",
        include_str!("../../engine/guest/_rm_values.py"),
    ),
];

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
