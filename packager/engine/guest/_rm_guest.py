"""The engine's entry point: what the host asks for, by number.

Every request and every answer is bytes in `marshal` format, version 2 (plain values, no
references), with large buffers beside them; see `_rm_values`. An answer is `(0, result)` or `(1,
error)`; `_rm_errors.answer` makes those of errors. The numbers are those of `Operation` in the
runtime's `python/operation.rs`.

The modules beside this one are frozen into the engine. They use built-in modules alone: whatever
else they imported would be in every bundle.
"""

import _imp
import gc
import marshal
import sys

import _rm_absent
import _rm_codecs
import _rm_cold
import _rm_errors
import _rm_importer
import _rm_nodes
import _rm_stdio
import _rm_trace
import _rm_values

# The format of what crosses this boundary; the host refuses an engine that says another number.
PROTOCOL = 2


def describe():
    return {
        "protocol": PROTOCOL,
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "version_info": tuple(sys.version_info[:3]),
        "implementation": sys.implementation.name,
        "bytecode_magic": _imp.pyc_magic_number_token.to_bytes(4, "little").hex(),
        "platform": sys.platform,
        "os_name": "posix" if "posix" in sys.builtin_module_names else "nt",
        "stdlib_names": sorted(sys.stdlib_module_names),
        "builtin_modules": sorted(sys.builtin_module_names),
        "frozen_modules": _without_own(_imp._frozen_module_names()),
        "boot_modules": _without_own(sys.modules),
    }


def _without_own(names):
    return sorted(name for name in names if not name.startswith("_rm_"))


def builtin_names():
    """What each built-in module defines. It imports them all, so it is asked of an instance that is
    thrown away."""
    names = {}
    for module in sorted(sys.builtin_module_names):
        try:
            names[module] = sorted(dir(__import__(module)))
        except ImportError:
            pass
    return names


def compile_module(filename, source, optimize):
    """Source to a code object in `marshal` format, as a `.pyc` carries it."""
    code = compile(source, filename, "exec", dont_inherit=True, optimize=optimize)
    return marshal.dumps(code)


def set_stdlib_names(names):
    """Which modules the standard library has, those included that are not here."""
    names = frozenset(names)
    _rm_absent.set_stdlib(names)
    _rm_codecs.tell_apart(names, _rm_importer.carries)


def load(names):
    """Import modules by name, and say which were imported on the way, in the order they began."""
    before = set(sys.modules)
    for name in names:
        __import__(name)
    return [name for name in sys.modules if name not in before]


def try_import(name):
    __import__(name)


def seal():
    """The application is complete: hand over what it printed while it was imported, and drop what
    only packing needed."""
    global _last
    _rm_errors.forget()
    _last = None
    printed = _rm_stdio.release()
    # Packages are listed there, which stays; other paths lead nowhere.
    for path in [path for path, finder in sys.path_importer_cache.items() if finder is None]:
        del sys.path_importer_cache[path]
    gc.collect()
    return printed


def resume():
    """First call in a process that was restored from a snapshot: nothing random may have been
    frozen."""
    random = sys.modules.get("random")
    if random is not None:
        random.seed()


_last = None


def explain():
    """Say what in the last result cannot leave Python, by raising.

    `marshal` writes some types that the host does not have, such as sets. Looking for them in every
    result would cost more than writing it, so the host asks when it could not read one.
    """
    _rm_values.check(_last)


OPERATIONS = (
    describe,
    compile_module,
    set_stdlib_names,
    _rm_importer.install,
    load,
    seal,
    resume,
    try_import,
    _rm_nodes.create,
    _rm_nodes.process,
    _rm_nodes.flush,
    _rm_nodes.cleanup,
    builtin_names,
    _rm_nodes.check_class,
    explain,
    _rm_nodes.generate,
    _rm_nodes.resume,
    _rm_cold.compile_pieces,
    _rm_trace.start,
    _rm_trace.stop_packing,
    _rm_absent.set_own,
)


def dispatch(operation, payload, buffers):
    global _last
    try:
        result = OPERATIONS[operation](*_rm_values.load(payload, buffers))
        answer = _rm_values.dump(result)
        # What has buffers beside it was looked at closely, and its memory is wanted for the next
        # call.
        _last = None if answer[1] else result
    except BaseException as error:
        # SystemExit and KeyboardInterrupt too: nothing may unwind into the host.
        answer = _rm_errors.answer(error), []
    _rm_stdio.flush()
    _rm_errors.reserve()
    return answer


_rm_stdio.install()
_rm_importer.take_over()
