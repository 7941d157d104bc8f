"""Import from memory: the application's modules as code objects, with no file system at all.

A module is carried as `marshal`led code until it is imported, whenever that is: while the
application is packed, or later, inside a function, in the restored program. After that its code is
dropped.
"""

import _imp
import marshal
import sys

import _rm_codecs
import _rm_cold
import _rm_removed
from _frozen_importlib import BuiltinImporter, FrozenImporter, ModuleSpec

# name -> (is_package, file name, code or None for a namespace package, globals that were left out,
# globals that were left out and may not have been there), the last two as words in one text
_carried = {}
# name -> the source text, which stays: where the bundle was packed to have it
_sources = {}
# Modules whose code was dropped because they were imported.
_imported = set()
# Every module of the standard library that the engine was built with.
_stdlib_names = frozenset()


class BundleImporter:
    """Finds and loads what the bundle carries."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        entry = _carried.get(name)
        if entry is None:
            return None
        is_package, filename, code, _, _ = entry
        spec = ModuleSpec(
            name, None if code is None else cls, origin=filename, is_package=is_package
        )
        if is_package:
            spec.submodule_search_locations = [filename.rpartition("/")[0]]
        if code is None:
            spec.origin = None
        else:
            spec.has_location = True
        return spec

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        name = module.__spec__.name
        _, _, code, removed, doubtful = _carried[name]
        _rm_removed.before(module, removed, doubtful)
        if _rm_cold.is_module(name):
            with _rm_cold.Bringing(name, f'include = ["{name}"]'):
                exec(marshal.loads(code), module.__dict__)
        else:
            exec(marshal.loads(code), module.__dict__)
        _rm_removed.after(module, removed, doubtful)
        if _carried.pop(name, None) is not None:
            _imported.add(name)
        if name == "asyncio":
            # Its own event loops need sockets.
            __import__("_rm_loop").install()

    @staticmethod
    def is_package(name):
        return _carried[name][0]

    @staticmethod
    def get_code(name):
        return marshal.loads(_carried[name][2])

    @staticmethod
    def get_source(name):
        return _sources.get(name)

    @staticmethod
    def get_data(path):
        raise FileNotFoundError(2, "a bundle has no files: only code is packed", path)


class LeftOut:
    """Last in line: tells a module that cannot be imported here from one that does not exist."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in _imported:
            raise ModuleNotFoundError(
                f"No module named {name!r} any more: it was imported before, and a bundle drops a "
                "module's code then, so it cannot be imported or reloaded a second time",
                name=name,
            )
        if name in _stdlib_names:
            raise ModuleNotFoundError(
                f"No module named {name!r} in this bundle: it is in the standard library, but "
                f'either rm-pack found no import of it (to keep it, add include = ["{name}"] under '
                f"[tool.rm-pack] in pyproject.toml), or it cannot work on {sys.platform}, which "
                "lacks a module it needs",
                name=name,
            )
        return None


def carries(name):
    """Whether a module can be imported that was not imported yet."""
    return name in _carried


def bytecode_magic():
    return _imp.pyc_magic_number_token.to_bytes(4, "little")


def frozen_module_names():
    return [name for name in _imp._frozen_module_names() if not name.startswith("_rm_")]


def take_over():
    """From here on nothing is looked for in files."""
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, BundleImporter, LeftOut]
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
    sys.path.clear()


def set_stdlib_names(names):
    global _stdlib_names
    _stdlib_names = frozenset(names)
    _rm_codecs.tell_apart(_stdlib_names, carries)


def install(modules, sources, cold):
    """Take modules in: a name before what `_carried` has for it; the source texts of some of them,
    and what was left out."""
    for name, *entry in modules:
        _carried[name] = tuple(entry)
    _sources.update(sources)
    _rm_cold.install(cold)


def load(names):
    """Import modules by name and say which of those carried were imported on the way, in the order
    they finished."""
    before = set(sys.modules)
    for name in names:
        __import__(name)
    return [name for name in sys.modules if name not in before]


def try_import(name):
    __import__(name)
