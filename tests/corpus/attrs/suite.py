"""Runs the tests that attrs brings."""

from test_runner import TestRunner
import sys

import pytest
from tests import (
    test_abc,
    test_annotations,
    test_cmp,
    test_config,
    test_converters,
    test_filters,
    test_forward_references,
    test_hooks,
    test_import,
    test_init_subclass,
    test_next_gen,
    test_pattern_matching,
    test_setattr,
    test_slots,
    test_validators,
    test_version_info,
)


# The fixtures of tests/conftest.py, which needs more packages for other tests.
@pytest.fixture(params=(True, False))
def slots(request):
    return request.param


@pytest.fixture(params=(True, False))
def frozen(request):
    return request.param


class Tests(TestRunner):
    modules = (
        test_abc,
        test_annotations,
        test_cmp,
        test_config,
        test_converters,
        test_filters,
        test_forward_references,
        test_hooks,
        test_import,
        test_init_subclass,
        test_next_gen,
        test_pattern_matching,
        test_setattr,
        test_slots,
        test_validators,
        test_version_info,
    )
    conftest = sys.modules[__name__]
