"""Runs the tests that pysubs2 brings."""

from test_runner import TestRunner
from tests import (
    test_attachment,
    test_common,
    test_parse_tags,
    test_ssaevent,
    test_ssafile,
    test_ssastyle,
    test_time,
)
from tests.formats import (
    test_formats,
    test_json,
    test_microdvd,
    test_mpl2,
    test_sami,
    test_subrip,
    test_substation,
    test_tmp,
    test_ttml,
    test_vtt,
    test_whisper,
)


class Tests(TestRunner):
    modules = (
        test_attachment,
        test_common,
        test_parse_tags,
        test_ssaevent,
        test_ssafile,
        test_ssastyle,
        test_time,
        test_formats,
        test_json,
        test_microdvd,
        test_mpl2,
        test_sami,
        test_subrip,
        test_substation,
        test_tmp,
        test_ttml,
        test_vtt,
        test_whisper,
    )
