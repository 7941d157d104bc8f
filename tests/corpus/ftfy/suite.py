"""Runs the tests that ftfy brings."""

from test_runner import TestRunner
from tests import test_bytes, test_characters, test_encodings, test_entities


class Tests(TestRunner):
    modules = (
        test_bytes,
        test_characters,
        test_encodings,
        test_entities,
    )
