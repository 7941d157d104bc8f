"""Import from memory: the application's modules as code objects, with no file system at all.

A module is carried as `marshal`led code until it is imported, whenever that is: while the
application is packed, or later, inside a function, in the restored program. After that its code is
dropped.
"""

import marshal
import sys

import _rm_absent
import _rm_cold
import _rm_removed
from _frozen_importlib import BuiltinImporter, FrozenImporter, ModuleSpec

# name -> (is_package, file name, code or None for a namespace package, globals that were left out,
# globals that were left out and may not have been there), the last two as words in one text
_carried = {}
# name -> the source text, which stays: where the bundle was packed to have it
_sources = {}


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
        with _rm_removed.Running(module, removed, doubtful):
            exec(marshal.loads(code), module.__dict__)
        if _carried.pop(name, None) is not None:
            _rm_absent.imported.add(name)
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


class _Listing:
    """What `pkgutil` asks for the modules of a package: those that the bundle has."""

    def __init__(self, package):
        self.start = package + "."

    def iter_modules(self, prefix=""):
        for name in sorted(_rm_absent.imported.union(_carried)):
            child = name[len(self.start) :]
            if name.startswith(self.start) and "." not in child:
                if name in _carried:
                    is_package = _carried[name][0]
                else:
                    is_package = hasattr(sys.modules.get(name), "__path__")
                yield prefix + child, is_package

    def find_spec(self, name, target=None):
        if not name.startswith(self.start):
            name = self.start + name
        return BundleImporter.find_spec(name)


def carries(name):
    """Whether a module can be imported that was not imported yet."""
    return name in _carried


def take_over():
    """From here on nothing is looked for in files."""
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, BundleImporter, _rm_absent.Finder]
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
    sys.path.clear()


def install(modules, sources, cold):
    """Take modules in: a name before what `_carried` has for it; the source texts of some of them,
    and what was left out."""
    for name, *entry in modules:
        _carried[name] = tuple(entry)
        is_package, filename = entry[:2]
        if is_package:
            sys.path_importer_cache[filename.rpartition("/")[0]] = _Listing(name)
    _sources.update(sources)
    _rm_cold.install(cold)
