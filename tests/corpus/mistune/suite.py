"""Runs the tests that mistune brings."""

from test_runner import TestRunner
from tests import (
    test_misc,
    test_security_footnotes,
    test_security_image,
    test_security_toc,
    test_security_urls,
)


class Tests(TestRunner):
    modules = (
        test_misc,
        test_security_footnotes,
        test_security_image,
        test_security_toc,
        test_security_urls,
    )
