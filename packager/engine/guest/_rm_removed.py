"""What stands for the definitions that were left out of a bundle: whoever asks for one is told.

The packager leaves out what nothing it can see uses. Should a program use it all the same, it must
not go on as if the definition had never existed: asking for it raises, and `hasattr` answers as it
would with the whole program. That needs a `hasattr` which knows `RemovedError`; the shim puts it in
place.
"""

import builtins

import _rm_cold

# What C code asks for, and does the same without. With a colon, for what a text names counts as
# used.
_NOT_MISSED = ("warnings:_warn_unawaited_coroutine",)


class RemovedError(BaseException):
    """A definition was left out of this bundle, and is used.

    No `Exception`, so that `except Exception` does not hide that the program is not the one that
    was packed.
    """

    def __init__(self, definition, told=None):
        super().__init__(
            told
            or f"`{definition}` was left out of this bundle, because nothing that rm-pack can see "
            f'uses it; to keep it, add keep = ["{definition}"] under [tool.rm-pack] in '
            "pyproject.toml, or pack with --no-shake"
        )
        self.definition = definition


RemovedError.__module__ = "builtins"


class _RemovedMember:
    """Stands in a class where a method was."""

    __slots__ = ("_definition",)

    def __init__(self):
        self._definition = "a method of a class"

    @staticmethod
    def asked(module, name):
        """What a module raises that would have given what it is asked for."""
        return RemovedError(f"{module}.{name}")

    def __set_name__(self, owner, name):
        self._definition = f"{owner.__module__}.{owner.__qualname__}.{name}"

    def __get__(self, instance, owner=None):
        if owner is None:
            owner = type(instance)
        name = self._definition.rpartition(".")[2]
        for holder in owner.__mro__:
            if holder.__dict__.get(name) is not self:
                continue
            problem = _rm_cold.bring_method(holder, name)
            method = holder.__dict__[name]
            if method is self:
                error = RemovedError(self._definition)
                if problem is not None:
                    error.__cause__ = problem
                raise error
            get = getattr(type(method), "__get__", None)
            return method if get is None else get(method, instance, owner)
        raise RemovedError(self._definition)


class _RemovedGlobals:
    """The `__getattr__` of a module that lacks some of its globals."""

    __slots__ = ("_module", "_removed", "_doubtful", "_own")

    def __init__(self, module, removed, doubtful, own=None):
        self._module = module
        self._removed = removed
        self._doubtful = doubtful
        self._own = own

    def __call__(self, name):
        is_out = name in self._removed.split() or name in self._doubtful.split()
        if is_out and f"{self._module.__name__}:{name}" not in _NOT_MISSED:
            problem = _rm_cold.bring_global(self._module.__name__, name)
            if name in self._module.__dict__:
                return self._module.__dict__[name]
            if not _rm_cold.has_brought(self._module.__name__, name):
                # Not `from problem`: without one, the exception that is being handled is still to
                # be told.
                error = RemovedError(f"{self._module.__name__}.{name}")
                if problem is not None:
                    error.__cause__ = problem
                raise error
        if self._own is not None:
            return self._own(name)
        raise AttributeError(
            f"module {self._module.__name__!r} has no attribute {name!r}",
            name=name,
            obj=self._module,
        )

    def names(self):
        """`dir()` of the module, as it would be with everything in it."""
        own = set(self._module.__dict__) - {"__getattr__", "__dir__"}
        return sorted(own.union(self._removed.split()))


class Running:
    """While a module's code runs that lacks some of its globals, or that was left out as a
    whole."""

    def __init__(self, module, removed, doubtful):
        self._module = module
        self._removed = removed
        self._doubtful = doubtful
        self._bringing = None

    def __enter__(self):
        name = self._module.__spec__.name
        if self._removed or self._doubtful:
            self._module.__getattr__ = _RemovedGlobals(self._module, self._removed, self._doubtful)
        if _rm_cold.is_module(name):
            self._bringing = _rm_cold.Bringing(name, f'include = ["{name}"]')
            self._bringing.__enter__()

    def __exit__(self, kind, error, traceback):
        if self._bringing is not None:
            self._bringing.__exit__(kind, error, traceback)
        if kind is None and (self._removed or self._doubtful):
            self._has_run()

    def _has_run(self):
        """The code may have set a `__getattr__` of its own."""
        module = self._module
        present = module.__dict__.get("__getattr__")
        if not isinstance(present, _RemovedGlobals):
            present = _RemovedGlobals(module, self._removed, self._doubtful, present)
            module.__getattr__ = present
        if "__dir__" not in module.__dict__:
            module.__dir__ = present.names


builtins.__removed__ = _RemovedMember
