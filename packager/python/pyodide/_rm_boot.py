"""The first thing that runs of a bundle in Pyodide: from here on, what was left out of a module is
told when it is asked for.

The packager puts an import of this in front of `encodings`, the first module that the interpreter
looks for in files. It uses nothing but what is compiled into the interpreter.
"""

import builtins
import sys

# First, as it finds the others.
import _rm_archives
import _rm_cold
import _rm_removed
from _frozen_importlib_external import PathFinder

# module -> (globals that were left out, globals that were left out and may not have been there), as
# words in one text
_removed = {}
# module -> the table that has pieces of it at hand
_with_pieces = {}

_hasattr = builtins.hasattr


def hasattr(obj, name, /):
    """`hasattr` as Python has it, but for what was left out of a bundle: the whole program has
    it."""
    try:
        return _hasattr(obj, name)
    except _rm_removed.RemovedError:
        return True


class _Loader:
    """Another loader, with what stands for missing globals put into the module."""

    def __init__(self, loader, removed, doubtful):
        self._loader = loader
        self._names = removed, doubtful

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        with _rm_removed.Running(module, *self._names):
            self._loader.exec_module(module)


def find_spec(name, path=None, target=None):
    """Find a module as if nothing was missing in it."""
    return _rm_archives.ArchivesFinder.find_spec(name, path, target) or PathFinder.find_spec(
        name, path, target
    )


class Finder:
    """Finds modules that lack something where the others are found."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        names = _removed.get(name)
        if names is None:
            if not _rm_cold.is_module(name):
                return None
            names = "", ""
        spec = find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, *names)
        return spec


class _Pieces:
    """What was left out of modules and is at hand, in files beside the tables: for `_rm_cold`,
    which asks once for each."""

    @staticmethod
    def pop(name, default=None):
        table = _with_pieces.pop(name, None)
        if table is None:
            return default
        folder = table.__file__.rpartition("/")[0]
        return table.__spec__.loader.get_data(f"{folder}/{table.__name__}_pieces/{name}")


def learn(table):
    """What is missing in which modules, from now on; and which of it is at hand."""
    _removed.update(table.REMOVED)
    _with_pieces.update(dict.fromkeys(table.PIECES.split(), table))
    _rm_cold.install([(name, None) for name in table.LEFT_OUT.split()])


def _learn_of_library():
    try:
        import _rm_library
    except ImportError:
        # The guest's wheel in a Pyodide with a whole library.
        return
    learn(_rm_library)


_rm_cold._packed = _Pieces
builtins.hasattr = hasattr
# Behind what is compiled into the interpreter, which nothing is left out of.
_place = _rm_archives.ArchivesFinder if _rm_archives.ArchivesFinder in sys.meta_path else PathFinder
sys.meta_path.insert(sys.meta_path.index(_place), Finder)
_learn_of_library()
