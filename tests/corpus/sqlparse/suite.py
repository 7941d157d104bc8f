"""Runs the tests that sqlparse brings."""

from test_runner import TestRunner
from tests import (
    conftest,
    test_format,
    test_grouping,
    test_keywords,
    test_parse,
    test_regressions,
    test_split,
    test_tokenize,
    test_utils,
)


class Tests(TestRunner):
    modules = (
            test_format,
        test_grouping,
        test_keywords,
        test_parse,
        test_regressions,
        test_split,
        test_tokenize,
        test_utils,
    )
    conftest = conftest
