"""Runs the tests that more-itertools brings."""

from test_runner import TestRunner
from tests import test_more, test_recipes


class Tests(TestRunner):
    modules = (
        test_more,
        test_recipes,
    )
