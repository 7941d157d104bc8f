"""Runs the tests that markdown-it-py brings."""

from test_runner import TestRunner
from tests import test_html_inline, test_parser_progress, test_tree
from tests.test_api import (
    test_main,
    test_make_fence_rule,
    test_plugin_creation,
    test_renderer_results,
    test_state_block,
    test_token,
)
from tests.test_port import (
    test_misc,
    test_no_end_newline,
    test_references,
    test_whitespace,
)


class Tests(TestRunner):
    modules = (
        test_html_inline,
        test_parser_progress,
        test_tree,
        test_main,
        test_make_fence_rule,
        test_plugin_creation,
        test_renderer_results,
        test_state_block,
        test_token,
        test_misc,
        test_no_end_newline,
        test_references,
        test_whitespace,
    )
