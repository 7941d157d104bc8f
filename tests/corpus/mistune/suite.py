"""Runs the tests that mistune brings."""

from test_runner import TestRunner
from tests import (
    test_misc,
    test_security_edge_cases,
    test_security_footnotes,
    test_security_formatting,
    test_security_image,
    test_security_inline,
    test_security_math,
    test_security_ref_links,
    test_security_toc,
    test_security_urls,
)


class Tests(TestRunner):
    modules = (
        test_misc,
        test_security_edge_cases,
        test_security_footnotes,
        test_security_formatting,
        test_security_image,
        test_security_inline,
        test_security_math,
        test_security_ref_links,
        test_security_toc,
        test_security_urls,
    )
