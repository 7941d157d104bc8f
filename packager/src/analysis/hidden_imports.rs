//! Imports that no source text shows: what modules written in C import, and names that the standard library computes.
//!
//! Certain entries are what importing the module adds to `sys.modules`; the others are what its functions import by a
//! constant name when they are used. Left out on purpose: `pdb` and `_pyrepl` (`breakpoint()` and the interactive prompt
//! need a terminal), `site` and `runpy` (only a command line asks for them).

use super::Certainty::{self, Certain, InFunction};
use super::Target;
use Trigger::{Always, Attribute, Elsewhere, Name};

/// What has to be used for an import to happen, where definitions are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// Nothing in particular.
    Always,
    /// An attribute of this name.
    Attribute(&'static str),
    /// One of these names of a built-in module.
    Name {
        module: &'static str,
        names: &'static [&'static str],
    },
    /// Something that is found by other means, or the interpreter does as well without.
    Elsewhere,
}

/// Modules that a module of the standard library imports by a name it computes, always the same on this engine.
pub(super) fn computed_by(name: &str) -> &'static [&'static str] {
    match name {
        "sysconfig" => &["_sysconfigdata__wasi_wasm32-wasi"],
        "xml.sax" => &["xml.sax.expatreader"],
        _ => &[],
    }
}

/// The names that C code takes from a module it imports, where they are known; otherwise all that its texts spell.
pub(super) fn names_for_native(module: &str) -> Option<&'static [&'static str]> {
    Some(match module {
        "_pylong" => &["int_divmod", "int_from_string", "int_to_decimal_string"],
        "abc" => &["ABCMeta"],
        "codecs" => &["decode", "encode", "lookup"],
        "collections" => &["OrderedDict", "defaultdict", "deque", "namedtuple"],
        "encodings" => &["search_function"],
        "functools" => &["cmp_to_key", "partial", "reduce"],
        "traceback" => &["extract_stack"],
        _ => return None,
    })
}

/// The names that are taken from a module whoever imports it, by the engine or by others that its text does not show: encodings
/// are registered by one of theirs, and random numbers are seeded anew in every run.
pub(super) fn names_for_engine(module: &str) -> &'static [&'static str] {
    if module.starts_with("encodings.") {
        return &["getregentry"];
    }
    match module {
        // `object.__reduce_ex__`, in C, takes what it needs once the module is there.
        "copyreg" => &["__newobj__", "__newobj_ex__", "_reduce_ex", "_slotnames"],
        "random" => &["seed"],
        // `unittest.result` leaves out of tracebacks the frames whose globals have it.
        "unittest"
        | "unittest.async_case"
        | "unittest.case"
        | "unittest.loader"
        | "unittest.main"
        | "unittest.result"
        | "unittest.runner"
        | "unittest.signals"
        | "unittest.suite"
        | "unittest.util" => &["__unittest"],
        // `_warnings`, in C, asks for these before it does without.
        "warnings" => &[
            "WarningMessage",
            "_showwarnmsg",
            "defaultaction",
            "filters",
            "onceregistry",
        ],
        _ => &[],
    }
}

/// What has to be used for C code to take `name` from `module`, which it imports anyway.
///
/// `int` and `str` are made of each other by `_pylong` beyond some 6,000 digits, which is more than they may have unless
/// somebody lifts the limit.
pub(super) fn taken_once_used(module: &str, name: &str) -> Option<(&'static str, &'static str)> {
    match (module, name) {
        ("_pylong", "int_from_string" | "int_to_decimal_string") => {
            Some(("sys", "set_int_max_str_digits"))
        }
        _ => None,
    }
}

/// On which occasion C code calls a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// On none: it has methods of that name, and leaves calling them to others.
    Never,
    /// Somebody copies or pickles an object.
    Pickling,
    /// Somebody uses this name of a built-in module.
    Used {
        module: &'static str,
        name: &'static str,
    },
}

/// Somebody puts finders of modules where the import system looks for them.
const FINDING: Occasion = Occasion::Used {
    module: "sys",
    name: "meta_path",
};

/// Methods that C code and the import system know by name, and do not call unless there is occasion to.
pub(super) const CALLED_ON_OCCASION: [(&str, Occasion); 11] = [
    (
        "__copy__",
        Occasion::Used {
            module: "itertools",
            name: "tee",
        },
    ),
    ("__deepcopy__", Occasion::Never),
    ("__getnewargs__", Occasion::Pickling),
    ("__getnewargs_ex__", Occasion::Pickling),
    ("__getstate__", Occasion::Pickling),
    ("__reduce__", Occasion::Pickling),
    ("__reduce_ex__", Occasion::Pickling),
    ("__setstate__", Occasion::Pickling),
    ("create_module", FINDING),
    ("exec_module", FINDING),
    ("find_spec", FINDING),
];

/// Whoever copies or pickles an object calls one of these.
pub(super) const TAKES_APART: [&str; 2] = ["__reduce__", "__reduce_ex__"];

/// Whether a module written in C pickles objects.
pub(super) fn pickles(module: &str) -> bool {
    matches!(module, "_pickle")
}

/// What of `sys` prints exceptions as an uncaught one is.
const PRINTS_EXCEPTIONS: &[&str] = &["__excepthook__", "excepthook"];

/// What C code takes from `module`, whoever imports it, once somebody uses one of some names of a built-in module: what it takes,
/// that module and those names. Until then it does the same without.
pub(super) fn asked_for_once_used(
    module: &str,
) -> Option<(&'static str, &'static str, &'static [&'static str])> {
    match module {
        // `_rm_removed`, in the guest, answers that it is not there.
        "warnings" => Some((
            "_warn_unawaited_coroutine",
            "sys",
            &["set_coroutine_origin_tracking_depth"],
        )),
        // `sys.excepthook` prints by it, or does with less.
        "traceback" => Some(("_print_exception_bltin", "sys", PRINTS_EXCEPTIONS)),
        _ => None,
    }
}

/// Whether `user`, a module of the library, only keeps `name` of a built-in module for threads, which no target starts.
pub(super) fn keeps_for_threads(user: &str, name: &str) -> bool {
    user == "threading" && name == "excepthook"
}

/// Whether code written in C calls functions of `module` once the module `user` uses `name` of it: generic classes, type
/// variables and unions are made by those of `typing`.
pub(super) fn is_called_by_native(module: &str, name: &str, user: &str) -> bool {
    let names = [
        "Generic",
        "ParamSpec",
        "TypeAliasType",
        "TypeVar",
        "TypeVarTuple",
        "Union",
    ];
    // `copyreg` takes apart unions that somebody else made, of the same types.
    module == "typing" && names.contains(&name) && user != "copyreg"
}

/// What `user`, a module of the library, uses of `module`, which it takes from `sys.modules` if it is there.
pub(super) fn names_for_peek(user: &str, module: &str) -> Option<&'static [&'static str]> {
    Some(match (user, module) {
        ("_py_warnings", "linecache") => &["getline"],
        ("annotationlib", "functools") => &["partial"],
        ("dataclasses", "typing") => &["ClassVar", "get_origin"],
        ("logging", "asyncio") => &["current_task"],
        ("logging", "multiprocessing") => &["current_process"],
        _ => return None,
    })
}

/// The class of which a function of the library makes what it gives, once somebody uses a name of a built-in module; until
/// then it gives nothing. The class, that module, and the name.
pub(super) fn made_once_used(
    module: &str,
    function: &str,
) -> Option<(&'static str, &'static str, &'static str)> {
    match (module, function) {
        // What is not traced has no traceback.
        ("tracemalloc", "get_object_traceback") => Some(("Traceback", "_tracemalloc", "start")),
        _ => None,
    }
}

/// What a function of the library imports to show the text of a line, and does the same without where no text is found: the
/// import is in a `try` whose handler goes on as if the line were empty.
pub(super) fn imported_for_texts(module: &str, function: &str) -> Option<&'static str> {
    match (module, function) {
        ("_py_warnings", "_formatwarnmsg_impl") => Some("linecache"),
        _ => None,
    }
}

/// Whether functions of a module of the library that import modules into its globals do so for connections between processes,
/// which no target has.
pub(super) fn only_connects(module: &str) -> bool {
    module == "multiprocessing.connection"
}

/// The module of which a module of the library takes all there is by names that are not in its text.
pub(super) fn taken_whole(module: &str) -> Option<&'static str> {
    match module {
        "multiprocessing" => Some("multiprocessing.context"),
        _ => None,
    }
}

/// How the names begin that a module of the library looks for in classes that it is given.
pub(super) fn looks_for(module: &str) -> Option<&'static str> {
    match module {
        // `TestLoader.testMethodPrefix`
        "unittest.loader" => Some("test"),
        _ => None,
    }
}

/// The name that a module of the library asks modules for that it is given.
pub(super) fn asks_modules_for(module: &str) -> Option<&'static str> {
    match module {
        "unittest.loader" => Some("load_tests"),
        _ => None,
    }
}

/// Whether no function that a module of the library calls while it is imported raises anything, because the target has the
/// built-in modules that they look for.
pub(super) fn has_all_it_asks_for(module: &str, target: &Target) -> bool {
    let wanted: &[&str] = match module {
        "hashlib" => &["_blake2", "_md5", "_sha1", "_sha2", "_sha3"],
        _ => return false,
    };
    let mut wanted = wanted.iter();
    wanted.all(|name| target.builtin_modules.contains(*name))
}

/// The import system itself, which is in `sys.modules` under these names however it is found.
pub(super) fn is_import_system(module: &str) -> bool {
    matches!(
        module,
        "importlib._bootstrap" | "importlib._bootstrap_external"
    )
}

/// The module that the library puts into `sys.modules` under a name of its own, where there is no such file: whoever takes all of
/// the one takes all of the other.
pub(super) fn stands_for(module: &str) -> &str {
    match module {
        "collections.abc" => "_collections_abc",
        "os.path" => "posixpath",
        other => other,
    }
}

/// Whether a module written in C puts `name` into `sys.modules` although it is no package.
pub(super) fn provides(name: &str) -> bool {
    matches!(name, "pyexpat.errors" | "pyexpat.model")
}

/// The imports of the interpreter's own core, whatever the program is.
///
/// Booting has done the certain ones; the others happen when something goes wrong or is asked for.
pub(super) const CORE: &[(&str, Certainty, Trigger)] = &[
    ("encodings", Certain, Always),
    ("encodings.aliases", Certain, Always),
    ("encodings.utf_8", Certain, Always),
    ("encodings.latin_1", InFunction, Always),
    ("encodings.ascii", InFunction, Always),
    ("io", Certain, Always),
    ("abc", Certain, Always),
    // Uncaught and unraisable exceptions are printed by `traceback`, which colours with `_colorize`; without it the
    // interpreter prints them itself, with less. Those of nodes get there only where they call `sys.excepthook`.
    (
        "traceback",
        InFunction,
        Name {
            module: "sys",
            names: PRINTS_EXCEPTIONS,
        },
    ),
    ("linecache", InFunction, Elsewhere),
    ("_colorize", InFunction, Elsewhere),
    // Warnings that code written in C gives are printed by `warnings` if somebody imported it, else by that code itself.
    ("warnings", InFunction, Elsewhere),
    // `object.__reduce_ex__`.
    ("copyreg", InFunction, Attribute("__reduce_ex__")),
    // Type parameters, type aliases and unions: see `Syntax`.
    ("typing", InFunction, Elsewhere),
    ("annotationlib", InFunction, Elsewhere),
    ("_ast_unparse", InFunction, Elsewhere),
    // Conversions between `int` and `str` of more than a few thousand digits.
    ("_pylong", InFunction, Always),
    // Pickling a template string: see `Syntax`.
    ("string.templatelib", InFunction, Elsewhere),
];

/// The imports of the built-in module `name`; certain ones happen when it is imported, others when it is used.
pub(super) fn imports_of(name: &str) -> &'static [(&'static str, Certainty, Trigger)] {
    match name {
        "_asyncio" => &[
            ("asyncio.base_futures", Certain, Always),
            ("asyncio.base_tasks", Certain, Always),
            ("asyncio.coroutines", Certain, Always),
            ("asyncio.events", Certain, Always),
            ("asyncio.exceptions", Certain, Always),
            ("traceback", Certain, Always),
        ],
        "_codecs_cn" | "_codecs_hk" | "_codecs_iso2022" | "_codecs_jp" | "_codecs_kr"
        | "_codecs_tw" => &[("_multibytecodec", InFunction, Always)],
        "_datetime" => &[
            ("time", Certain, Always),
            ("_strptime", InFunction, Attribute("strptime")),
        ],
        "_decimal" => &[
            ("numbers", Certain, Always),
            ("collections", Certain, Always),
            ("collections.abc", Certain, Always),
        ],
        "_elementtree" => &[
            ("copy", Certain, Always),
            ("xml.etree.ElementPath", Certain, Always),
            ("pyexpat", Certain, Always),
        ],
        "_io" => &[
            ("codecs", Certain, Always),
            ("warnings", InFunction, Elsewhere),
        ],
        "_json" => &[("json.decoder", InFunction, Always)],
        "_operator" => &[("functools", InFunction, Always)],
        "_pickle" => &[
            ("copyreg", Certain, Always),
            ("_compat_pickle", Certain, Always),
            ("codecs", Certain, Always),
            ("functools", Certain, Always),
        ],
        "_sqlite3" => &[
            ("functools", Certain, Always),
            ("sqlite3.dump", InFunction, Attribute("iterdump")),
        ],
        "_sre" => &[("re", InFunction, Always)],
        "_warnings" => &[("warnings", InFunction, Elsewhere)],
        "_zoneinfo" => &[
            // Its C interface to `datetime` is a capsule of that module.
            ("datetime", Certain, Always),
            ("io", Certain, Always),
            ("weakref", Certain, Always),
            ("zoneinfo._common", Certain, Always),
            ("zoneinfo._tzpath", Certain, Always),
        ],
        "array" => &[("collections.abc", Certain, Always)],
        "time" => &[("_strptime", InFunction, Attribute("strptime"))],
        _ => &[],
    }
}
