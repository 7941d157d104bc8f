"""The first thing that runs of a bundle in Pyodide: from here on, what was left out of a module is told when it is asked for.

The packager puts an import of this in front of `encodings`, the first module that the interpreter looks for in files. It uses
nothing but what is compiled into the interpreter.
"""

import builtins
import sys

import _rm_removed
from _frozen_importlib_external import PathFinder

# module -> (globals that were left out, globals that were left out and may not have been there), as words in one text
_removed = {}

_hasattr = builtins.hasattr


def hasattr(obj, name, /):
    """`hasattr` as Python has it, but for what was left out of a bundle: the whole program has it."""
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
        _rm_removed.before(module, *self._names)
        self._loader.exec_module(module)
        _rm_removed.after(module, *self._names)


class Finder:
    """Finds modules that lack something where the others are found."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        names = _removed.get(name)
        spec = None if names is None else PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, *names)
        return spec


def learn(table):
    """What is missing in which modules, from now on."""
    _removed.update(table)


def _learn_of_library():
    try:
        from _rm_library import REMOVED
    except ImportError:
        # The guest's wheel in a Pyodide with a whole library.
        return
    learn(REMOVED)


builtins.hasattr = hasattr
sys.meta_path.insert(0, Finder)
_learn_of_library()
