//! Imports that no source text shows: what modules written in C import, and names that the standard library computes.
//!
//! Certain entries are what importing the module adds to `sys.modules`; the others are what its functions import by a
//! constant name when they are used. Left out on purpose: `pdb` and `_pyrepl` (`breakpoint()` and the interactive prompt
//! need a terminal), `site` and `runpy` (only a command line asks for them).

use super::Certainty::{self, Certain, InFunction};

/// Modules that a module of the standard library imports by a name it computes, always the same on this engine.
pub(super) fn computed_by(name: &str) -> &'static [&'static str] {
    match name {
        "sysconfig" => &["_sysconfigdata__wasi_wasm32-wasi"],
        _ => &[],
    }
}

/// Whether a module written in C puts `name` into `sys.modules` although it is no package.
pub(super) fn provides(name: &str) -> bool {
    matches!(name, "pyexpat.errors" | "pyexpat.model")
}

/// The imports of the interpreter's own core, whatever the program is.
///
/// Booting has done the certain ones; the others happen when something goes wrong or is asked for.
pub(super) const CORE: &[(&str, Certainty)] = &[
    ("encodings", Certain),
    ("encodings.aliases", Certain),
    ("encodings.utf_8", Certain),
    ("encodings.latin_1", InFunction),
    ("encodings.ascii", InFunction),
    ("io", Certain),
    ("abc", Certain),
    // Uncaught and unraisable exceptions are printed by `traceback`, which colours with `_colorize`.
    ("traceback", InFunction),
    ("linecache", InFunction),
    ("_colorize", InFunction),
    ("warnings", InFunction),
    // `object.__reduce_ex__`.
    ("copyreg", InFunction),
    // Type parameters, type aliases and unions.
    ("typing", InFunction),
    ("annotationlib", InFunction),
    ("_ast_unparse", InFunction),
    // Conversions between `int` and `str` of more than a few thousand digits.
    ("_pylong", InFunction),
    // Pickling a template string.
    ("string.templatelib", InFunction),
];

/// The imports of the built-in module `name`; certain ones happen when it is imported, others when it is used.
pub(super) fn imports_of(name: &str) -> &'static [(&'static str, Certainty)] {
    match name {
        "_asyncio" => &[
            ("asyncio.base_futures", Certain),
            ("asyncio.base_tasks", Certain),
            ("asyncio.coroutines", Certain),
            ("asyncio.events", Certain),
            ("asyncio.exceptions", Certain),
            ("traceback", Certain),
        ],
        "_codecs_cn" | "_codecs_hk" | "_codecs_iso2022" | "_codecs_jp" | "_codecs_kr"
        | "_codecs_tw" => &[("_multibytecodec", InFunction)],
        "_datetime" => &[("time", Certain), ("_strptime", InFunction)],
        "_decimal" => &[
            ("numbers", Certain),
            ("collections", Certain),
            ("collections.abc", Certain),
        ],
        "_elementtree" => &[
            ("copy", Certain),
            ("xml.etree.ElementPath", Certain),
            ("pyexpat", Certain),
        ],
        "_io" => &[("codecs", Certain), ("warnings", InFunction)],
        "_json" => &[("json.decoder", InFunction)],
        "_operator" => &[("functools", InFunction)],
        "_pickle" => &[
            ("copyreg", Certain),
            ("_compat_pickle", Certain),
            ("codecs", Certain),
            ("functools", Certain),
        ],
        "_sqlite3" => &[("functools", Certain), ("sqlite3.dump", InFunction)],
        "_sre" => &[("re", InFunction)],
        "_warnings" => &[("warnings", InFunction)],
        "_zoneinfo" => &[
            // Its C interface to `datetime` is a capsule of that module.
            ("datetime", Certain),
            ("io", Certain),
            ("weakref", Certain),
            ("zoneinfo._common", Certain),
            ("zoneinfo._tzpath", Certain),
        ],
        "array" => &[("collections.abc", Certain)],
        "time" => &[("_strptime", InFunction)],
        _ => &[],
    }
}
