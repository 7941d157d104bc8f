"""Stands in for pytest in packages' tests: as much of it as those need, without files, plugins and options.

The decorators only note on the function what `test_runner` reads.
"""

import contextlib
import importlib
import re
import warnings
from unittest import SkipTest


class Failed(AssertionError):
    """A test said that it failed, or an exception or warning that it expects did not come."""


class Param:
    """One set of arguments of a parametrized test, with marks of its own."""

    def __init__(self, values, marks, id):
        self.values = values
        self.marks = marks if isinstance(marks, (list, tuple)) else [marks]
        self.id = id


class Mark:
    """`pytest.mark.NAME`, perhaps called with arguments; as a decorator it is noted in `pytestmark`."""

    def __init__(self, name, args=(), kwargs=None):
        self.name = name
        self.args = args
        self.kwargs = kwargs or {}

    def __call__(self, *args, **kwargs):
        decorates = len(args) == 1 and not kwargs and (callable(args[0]) or isinstance(args[0], Fixture))
        if not decorates:
            return Mark(self.name, args, kwargs)
        # A list of its own: a class must not mark what it inherits from.
        args[0].pytestmark = [*getattr(args[0], "pytestmark", ()), self]
        return args[0]


class Marks:
    """`pytest.mark`."""

    def __getattr__(self, name):
        return Mark(name)


class Fixture:
    """A function that makes what tests take as an argument of its name."""

    def __init__(self, function, name, params, ids, autouse):
        self.function = function
        self.name = name or function.__name__
        self.params = params
        self.ids = ids
        self.autouse = autouse


class Raises:
    """What `raises` gives: waits for an exception, as often as it is entered, and has the last one."""

    def __init__(self, expected, match):
        self.expected = expected
        self.pattern = match
        self.value = None

    @property
    def type(self):
        return type(self.value)

    def match(self, pattern):
        if not re.search(pattern, str(self.value)):
            raise Failed(f"{pattern!r} does not match {str(self.value)!r}")
        return True

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is None:
            raise Failed(f"{self.expected} was not raised")
        if not issubclass(kind, self.expected):
            return False
        self.value = value
        return self.pattern is None or self.match(self.pattern)


class MonkeyPatch:
    """Sets attributes and items until the test is over."""

    MISSING = object()

    def __init__(self):
        self.undone = []

    def setattr(self, target, name, value):
        old = vars(target).get(name, self.MISSING)
        setattr(target, name, value)
        self.undone.append(lambda: delattr(target, name) if old is self.MISSING else setattr(target, name, old))

    def setitem(self, mapping, name, value):
        old = mapping.get(name, self.MISSING)
        mapping[name] = value
        self.undone.append(lambda: mapping.pop(name) if old is self.MISSING else mapping.update({name: old}))

    def undo(self):
        while self.undone:
            self.undone.pop()()


mark = Marks()


def param(*values, marks=(), id=None):
    return Param(values, marks, id)


def fixture(function=None, *, name=None, params=None, ids=None, autouse=False, scope="function"):
    if function is None:
        return lambda function: Fixture(function, name, params, ids, autouse)
    return Fixture(function, name, params, ids, autouse)


def raises(expected, function=None, *args, match=None, **kwargs):
    manager = Raises(expected, match)
    if function is None:
        return manager
    with manager:
        function(*args, **kwargs)
    return manager


def warns(expected=Warning, function=None, *args, match=None, **kwargs):
    manager = warning(expected, match)
    if function is None:
        return manager
    with manager:
        return function(*args, **kwargs)


@contextlib.contextmanager
def warning(expected, match):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught
    fitting = [
        warning
        for warning in caught
        if issubclass(warning.category, expected) and re.search(match or "", str(warning.message))
    ]
    if not fitting:
        raise Failed(f"there was no {expected} that matches {match!r}")


def deprecated_call(function=None, *args, **kwargs):
    kinds = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)
    return warns(kinds, function, *args, **kwargs)


def importorskip(name, **kwargs):
    try:
        return importlib.import_module(name)
    except ImportError:
        raise SkipTest(f"there is no {name}") from None


def skip(reason="", **kwargs):
    raise SkipTest(reason)


def fail(reason=""):
    raise Failed(reason)
