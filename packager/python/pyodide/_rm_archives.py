"""Imports modules from archives whose directories the host has read, and puts them on `sys.path`.

Python's own importer of archives is written in Python. It reads a directory while nothing of the
interpreter is optimised yet, and takes every module out of its archive twice. So the host puts a
file where `DIRECTORY` says, in `marshal` format: a dictionary of modules, and a list of archives,
each with its path and what Python's importer would have read of it. That one still does whatever is
not done here, and has what it would have read at hand.

Where there is no such file, Python imports as it always does.
"""

import _imp
import marshal
import sys
import zipimport
import zlib
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import PathFinder
from _io import FileIO

DIRECTORY = "/remotemedia/directory"
# The archive in which the interpreter finds its first modules, this one among them.
FIRST = "/remotemedia/first.zip"

# What `site` asks for when it is imported. Nobody has put anything there, and to see that takes
# longer than most imports.
_CUSTOMIZATIONS = frozenset(("sitecustomize", "usercustomize"))

# Before the code object in a compiled module.
_HEADER = 16
_MAGIC = _imp.pyc_magic_number_token.to_bytes(4, "little")

# name -> (number of the archive, path in it, whether it is a package, whether it is compressed,
# where it begins, its size there)
_modules = {}
# The path of each archive, and all of it.
_archives = []
# folder -> the loader of its modules
_loaders = {}


class _Loader:
    """Loads the modules of one folder of an archive. Whatever else a loader can do Python's own
    does."""

    def __init__(self, folder):
        self._folder = folder

    def __getattr__(self, name):
        if name == "_folder":
            # What copies a loader asks for more before it has that.
            raise AttributeError(name)
        return getattr(zipimport.zipimporter(self._folder), name)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__spec__.name
        exec(_code_of(name), module.__dict__)
        if name == "asyncio":
            # Its own event loops need sockets.
            __import__("_rm_loop").install()


def _code_of(name):
    archive, _, _, is_compressed, start, size = _modules[name]
    compiled = _archives[archive][1][start : start + size]
    if is_compressed:
        compiled = zlib.decompress(compiled, -zlib.MAX_WBITS)
    if compiled[:4] != _MAGIC:
        raise ImportError(
            f"bad magic number in {name!r}: it was compiled by another Python", name=name
        )
    return marshal.loads(memoryview(compiled)[_HEADER:])


class ArchivesFinder:
    """Finds modules in the archives, wherever in them."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        entry = _modules.get(name)
        if entry is None:
            if name in _CUSTOMIZATIONS and _modules:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            return None
        archive, file, is_package, _, _, _ = entry
        file = f"{_archives[archive][0]}/{file}"
        folder = file.rpartition("/")[0]
        parent = folder.rpartition("/")[0] if is_package else folder
        loader = _loaders.get(parent)
        if loader is None:
            loader = _loaders[parent] = _Loader(parent)
        spec = ModuleSpec(name, loader, origin=file, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations.append(folder)
        return spec


def _read(path):
    with FileIO(path) as file:
        return file.readall()


def _take():
    try:
        directory = _read(DIRECTORY)
    except FileNotFoundError:
        return
    modules, archives = marshal.loads(directory)
    _modules.update(modules)
    for archive, entries in archives:
        _archives.append((archive, memoryview(_read(archive))))
        files = zipimport._zip_directory_cache[archive] = {}
        for name, *entry in entries:
            files[name] = (f"{archive}/{name}", *entry)
            folder = name.rpartition("/")[0]
            while folder and f"{folder}/" not in files:
                files[f"{folder}/"] = None
                folder = folder.rpartition("/")[0]
    sys.meta_path.insert(sys.meta_path.index(PathFinder), ArchivesFinder)
    _leave_first()


def _leave_first():
    """In place of the first archive the others are on the path, and what was imported so far is
    where it is in them."""
    place = sys.path.index(FIRST)
    sys.path[place : place + 1] = [archive for archive, _ in _archives if archive not in sys.path]
    sys.path_importer_cache.pop(FIRST, None)
    zipimport._zip_directory_cache.pop(FIRST, None)
    for name in ("encodings", "_rm_boot", "_rm_archives"):
        module = sys.modules[name]
        spec = ArchivesFinder.find_spec(name)
        module.__spec__ = spec
        module.__loader__ = spec.loader
        module.__file__ = spec.origin
        module.__cached__ = spec.cached
        if spec.submodule_search_locations is not None:
            module.__path__ = spec.submodule_search_locations


_take()
