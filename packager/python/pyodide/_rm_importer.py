"""The guest's importer in Pyodide: Python's own, with what a bundle does not have told behind it.

Stands where the engine has its importer from memory, for the guest's other modules.
"""

import sys

import _rm_absent
import _rm_archives
import _rm_boot
from _frozen_importlib import BuiltinImporter, FrozenImporter
from _frozen_importlib_external import PathFinder


def carries(name):
    """Whether a module can be imported that was not imported yet."""
    return name not in sys.modules and _rm_boot.find_spec(name) is not None


def take_over():
    """From here on what is imported is the bundle's, and nothing of the page's."""
    sys.meta_path[:] = [
        BuiltinImporter,
        FrozenImporter,
        _rm_boot.Finder,
        _rm_archives.ArchivesFinder,
        PathFinder,
        _rm_absent.Finder,
    ]


def install(modules, sources, cold):
    raise NotImplementedError("in Pyodide modules come in wheels")
