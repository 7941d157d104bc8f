"""Runs the tests that pyparsing brings, but for test_unit, which takes minutes, and test_simple_unit, which reads itself."""

from test_runner import TestRunner
from tests import (
    test_pep8_converter,
    test_pre_pep8_deprecation_warnings,
    test_testing,
    test_util,
)


class Tests(TestRunner):
    modules = (
        test_pep8_converter,
        test_pre_pep8_deprecation_warnings,
        test_testing,
        test_util,
    )
