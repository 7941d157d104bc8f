"""Runs the tests that toolz brings."""

from test_runner import TestRunner
from toolz.tests import (
    test_compatibility,
    test_curried,
    test_curried_doctests,
    test_dicttoolz,
    test_functoolz,
    test_inspect_args,
    test_itertoolz,
    test_package,
    test_recipes,
    test_serialization,
    test_signatures,
    test_tlz,
    test_utils,
)


class Tests(TestRunner):
    modules = (
        test_compatibility,
        test_curried,
        test_curried_doctests,
        test_dicttoolz,
        test_functoolz,
        test_inspect_args,
        test_itertoolz,
        test_package,
        test_recipes,
        test_serialization,
        test_signatures,
        test_tlz,
        test_utils,
    )
