"""Runs the tests that python-dateutil brings."""

from test_runner import TestRunner
from tests import (
    conftest,
    test_easter,
    test_import_star,
    test_imports,
    test_internals,
    test_isoparser,
    test_parser,
    test_relativedelta,
    test_rrule,
    test_utils,
)


class Tests(TestRunner):
    modules = (
        test_easter,
        test_import_star,
        test_imports,
        test_internals,
        test_isoparser,
        test_parser,
        test_relativedelta,
        test_rrule,
        test_utils,
    )
    conftest = conftest
