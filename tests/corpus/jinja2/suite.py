"""Runs the tests that jinja2 brings."""

import conftest
import test_api
import test_core_tags
import test_ext
import test_filters
import test_idtracking
import test_imports
import test_inheritance
import test_lexnparse
import test_nativetypes
import test_nodes
import test_pickle
import test_regression
import test_runtime
import test_security
import test_tests
import test_utils
from test_runner import TestRunner


class Tests(TestRunner):
    modules = (
        test_api,
        test_core_tags,
        test_ext,
        test_filters,
        test_idtracking,
        test_imports,
        test_inheritance,
        test_lexnparse,
        test_nativetypes,
        test_nodes,
        test_pickle,
        test_regression,
        test_runtime,
        test_security,
        test_tests,
        test_utils,
    )
    conftest = conftest
