"""Modules that cannot be imported here are told from modules that do not exist."""

import sys

# Every module of the standard library that the bundle was packed from.
_stdlib = frozenset()
# Modules that the packer saw in its source folders and left out.
_own = frozenset()
# Modules whose code was dropped because they were imported.
imported = set()


class Finder:
    """Last in line, so that nobody else has found the module."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        keep = f'add include = ["{name}"] under [tool.rm-pack] in pyproject.toml'
        if name in imported:
            reason = (
                "any more: it was imported before, and a bundle drops a module's code then, so it "
                "cannot be imported or reloaded a second time"
            )
        elif name in _own:
            reason = (
                "in this bundle: it was there when the bundle was packed, but rm-pack found no "
                f"import of it; to keep it, {keep}"
            )
        elif name in _stdlib:
            reason = (
                "in this bundle: it is in the standard library, but either rm-pack found no import "
                f"of it (to keep it, {keep}), or it cannot work on {sys.platform}, which lacks a "
                "module it needs"
            )
        else:
            return None
        raise ModuleNotFoundError(f"No module named {name!r} {reason}", name=name)


def set_stdlib(names):
    global _stdlib
    _stdlib = frozenset(names)


def set_own(names):
    global _own
    _own = frozenset(names)
