"""Runs the tests that webvtt-py brings, but for those that work with files."""

from test_runner import TestRunner
from tests import test_models, test_sbv, test_srt, test_vtt


class Tests(TestRunner):
    modules = (test_models, test_sbv, test_srt, test_vtt)
