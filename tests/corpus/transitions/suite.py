"""Runs the tests that transitions brings."""

from test_runner import TestRunner
from tests import (
    test_add_remove,
    test_core,
    test_enum,
    test_experimental,
    test_factory,
    test_markup,
    test_mermaid,
    test_nesting,
    test_parallel,
    test_reuse,
    test_states,
    test_threading,
)


class Tests(TestRunner):
    modules = (
        test_add_remove,
            test_core,
        test_enum,
        test_experimental,
        test_factory,
        test_markup,
        test_mermaid,
        test_nesting,
        test_parallel,
        test_reuse,
        test_states,
        test_threading,
    )
