"""The guest's importer in Pyodide: Python's own, behind which `LeftOut` tells what a bundle does
not have.

Stands where the engine has its importer from memory, for the guest's other modules.
"""

import _imp
import sys

import _rm_archives
import _rm_boot
import _rm_codecs
from _frozen_importlib import BuiltinImporter, FrozenImporter
from _frozen_importlib_external import PathFinder

# Every module of the standard library that the bundle was packed from.
_stdlib_names = frozenset()


class LeftOut:
    """Last in line: tells a module that cannot be imported here from one that does not exist."""

    @staticmethod
    def find_spec(name, path=None, target=None):
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
    return name not in sys.modules and _rm_boot.find_spec(name) is not None


def bytecode_magic():
    return _imp.pyc_magic_number_token.to_bytes(4, "little")


def frozen_module_names():
    return [name for name in _imp._frozen_module_names() if not name.startswith("_rm_")]


def take_over():
    """From here on what is imported is the bundle's, and nothing of the page's."""
    sys.meta_path[:] = [
        BuiltinImporter,
        FrozenImporter,
        _rm_boot.Finder,
        _rm_archives.ArchivesFinder,
        PathFinder,
        LeftOut,
    ]


def set_stdlib_names(names):
    global _stdlib_names
    _stdlib_names = frozenset(names)
    _rm_codecs.tell_apart(_stdlib_names, carries)


def install(modules, sources, cold):
    raise NotImplementedError("in Pyodide modules come in wheels")


def load(names):
    """Import modules by name and say which were imported on the way, in the order they finished."""
    before = set(sys.modules)
    for name in names:
        __import__(name)
    return [name for name in sys.modules if name not in before]


def try_import(name):
    __import__(name)
