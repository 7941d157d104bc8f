"""Runs a package's own tests inside a node, which gives one value for each test.

    {"test": "MODULE.CLASS.FUNCTION[PARAMETERS]", "outcome": "passed", "failed" or "skipped"}

Tests are found by the rules of unittest and pytest: subclasses of `TestCase`, functions `test*`, and methods `test*` of
classes `Test*`. Why one failed is printed.
"""

import contextlib
import inspect
import itertools
import traceback
import unittest
import warnings

import pytest


class TestRunner:
    """A source: runs the tests of `modules`, but for those left out, which take long or depend on the clock.

    `conftest` has fixtures for all of them.
    """

    __test__ = False
    modules = ()
    conftest = None

    def __init__(self, left_out=()):
        self.left_out = set(left_out)

    def process(self):
        for module in self.modules:
            for name, run in tests_of(module, self.conftest):
                test = f"{module.__name__}.{name}"
                if test in self.left_out:
                    self.left_out.remove(test)
                else:
                    yield {"test": test, "outcome": outcome_of(name, run)}
        if self.left_out:
            raise LookupError(f"there are no such tests: {sorted(self.left_out)}")


def outcome_of(name, run):
    """Run a test, and tell how it ended."""
    try:
        # As under unittest and pytest, each test sees its warnings anew.
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            run()
    except unittest.SkipTest:
        return "skipped"
    except BaseException:
        print(f"{name}\n{traceback.format_exc()}")
        return "failed"
    return "passed"


def tests_of(module, conftest):
    """Give name and function of each test in a module, in the order of their definitions."""
    shared = [vars(conftest)] if conftest else []
    for name, value in list(vars(module).items()):
        if inspect.isclass(value):
            if issubclass(value, unittest.TestCase):
                yield from test_cases(name, value)
            elif name.startswith("Test") and getattr(value, "__test__", True):
                for method, function in methods_of(value):
                    if method.startswith("test") and callable(function):
                        scopes = [*shared, vars(module), dict(methods_of(value))]
                        yield from variants(f"{name}.{method}", function, value, module, scopes)
        elif name.startswith("test") and inspect.isfunction(value):
            yield from variants(name, value, None, module, [*shared, vars(module)])


def methods_of(cls):
    """Give name and value of what a class has, its bases' first."""
    found = {}
    for base in reversed(cls.__mro__):
        found.update(vars(base))
    return found.items()


def test_cases(name, case):
    """Give the tests of a unittest class; the fixtures of the class are set up for each anew."""

    def run(method):
        result = unittest.TestResult()
        unittest.TestSuite([case(method)]).run(result)
        problems = [text for _, text in result.failures + result.errors]
        if problems:
            raise AssertionError("\n".join(problems))
        if result.skipped:
            raise unittest.SkipTest
        if result.unexpectedSuccesses:
            raise AssertionError("it was expected to fail")

    # pytest's name for setUpClass; it stays done.
    if hasattr(case, "setup_class"):
        case.setup_class()
    for method in unittest.defaultTestLoader.getTestCaseNames(case):
        yield f"{name}.{method}", lambda method=method: run(method)


def variants(name, function, cls, module, scopes):
    """Give a test function once for each set of its parameters."""
    marks = [mark for owner in (module, cls, function) for mark in marks_of(owner)]
    fixtures = {}
    for value in itertools.chain.from_iterable(scope.values() for scope in scopes):
        if isinstance(value, pytest.Fixture):
            fixtures[value.name] = value
    used = [fixture.name for fixture in fixtures.values() if fixture.autouse]
    used += [name for mark in marks if mark.name == "usefixtures" for name in mark.args]

    choices = [parameter_sets(mark) for mark in marks if mark.name == "parametrize"]
    for fixture in fixtures_needed(function, fixtures, used):
        if fixture.params is not None:
            choices.append([({fixture: value}, label(value), ()) for value in fixture.params])
    for number, combination in enumerate(itertools.product(*choices)):
        arguments, own_marks = {}, list(marks)
        for values, _, more_marks in combination:
            arguments.update(values)
            own_marks.extend(more_marks)
        labels = [text for _, text, _ in combination]
        suffix = f"[{number}-{'-'.join(labels)}]" if labels else ""

        def run(arguments=arguments, own_marks=own_marks):
            run_function(function, cls, fixtures, used, arguments, own_marks)

        yield name + suffix, run


def marks_of(owner):
    """Return what is noted in `pytestmark`."""
    marks = getattr(owner, "pytestmark", ())
    return marks if isinstance(marks, (list, tuple)) else [marks]


def parameter_sets(mark):
    """Return arguments, label and marks of each set that `parametrize` lists."""
    names, sets = mark.args
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",") if name.strip()]
    found = []
    for values in sets:
        marks = ()
        if isinstance(values, pytest.Param):
            values, marks = values.values, values.marks
        elif len(names) == 1:
            values = (values,)
        found.append((dict(zip(names, values, strict=True)), ",".join(map(label, values)), marks))
    return found


def label(value):
    """Tell a parameter apart from others, if it can be done in a few characters that are always the same."""
    return str(value)[:40] if isinstance(value, (str, int, float, bool, type(None))) else type(value).__name__


def fixtures_needed(function, fixtures, used):
    """Return the fixtures that a function takes, and those that these take."""
    needed, names = [], [*used, *inspect.signature(function).parameters]
    for name in names:
        if name in fixtures and fixtures[name] not in needed:
            needed.append(fixtures[name])
            names.extend(inspect.signature(fixtures[name].function).parameters)
    return needed


def run_function(function, cls, fixtures, used, arguments, marks):
    """Run a test function with its fixtures, as its marks say."""
    expected = None
    for mark in marks:
        if mark.name == "skip":
            raise unittest.SkipTest
        holds = bool(mark.args[0]) if mark.args else True
        if mark.name == "skipif" and holds:
            raise unittest.SkipTest
        if mark.name == "xfail" and holds:
            expected = mark.kwargs.get("raises", Exception)
    try:
        with contextlib.ExitStack() as stack:
            call(function, cls, fixtures, used, arguments, stack)
    except unittest.SkipTest:
        raise
    except BaseException as error:
        # A test that its authors expect to fail says nothing, whether it does so or not.
        if expected is not None and isinstance(error, expected):
            raise unittest.SkipTest from None
        raise


def call(function, cls, fixtures, used, arguments, stack):
    """Call a test function, after what its fixtures and its class set up."""
    instance = cls and cls()
    made = {}

    def value_of(name):
        if name in arguments:
            return arguments[name]
        if name == "self":
            return instance
        if name == "request":
            return Request(None, instance, stack)
        if name == "monkeypatch":
            patch = pytest.MonkeyPatch()
            stack.callback(patch.undo)
            return patch
        if name not in fixtures:
            raise LookupError(f"there is no fixture {name} here")
        if name not in made:
            made[name] = make(fixtures[name])
        return made[name]

    def make(fixture):
        names = [name for name in inspect.signature(fixture.function).parameters if name != "request"]
        values = {name: value_of(name) for name in names}
        if "request" in inspect.signature(fixture.function).parameters:
            values["request"] = Request(arguments.get(fixture), instance, stack)
        result = fixture.function(**values)
        if not inspect.isgenerator(result):
            return result
        stack.callback(next, result, None)
        return next(result)

    for method in ("setup_class", "setup_method"):
        if hasattr(instance, method):
            # pytest hands over the test's function to those that take it.
            bound = getattr(instance, method)
            bound(*[function] * len(inspect.signature(bound).parameters))
    for name in used:
        value_of(name)
    values = {name: value_of(name) for name in required(function)}
    try:
        function(**values)
    finally:
        if hasattr(instance, "teardown_method"):
            bound = instance.teardown_method
            bound(*[function] * len(inspect.signature(bound).parameters))


def required(function):
    """Return the names of the arguments that a test function cannot do without."""
    parameters = inspect.signature(function).parameters.values()
    return [parameter.name for parameter in parameters if parameter.default is parameter.empty]


class Request:
    """What a fixture learns of the test that asks for it, and how it tells what to do afterwards."""

    def __init__(self, param, instance, stack):
        self.param = param
        self.instance = instance
        self.addfinalizer = stack.callback
