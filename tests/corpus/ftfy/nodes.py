"""Repairs text with ftfy: codecs that are registered, tables of characters, a plan of functions by name."""

import ftfy
from ftfy import bad_codecs, badness, fixes, formatting
from ftfy.chardata import possible_encoding


class Repair:
    def __init__(self):
        bad_codecs.ok()

    def process(self, data):
        if "bytes" in data:
            raw = bytes.fromhex(data["bytes"])
            return [raw.decode(data["codec"]), ftfy.guess_bytes(raw)[1]]
        text = data["text"]
        fixed, plan = ftfy.fix_and_explain(text)
        return {
            "fixed": fixed,
            "plan": [list(step) for step in plan or ()],
            "again": ftfy.apply_plan(text, plan or []),
            "badness": badness.badness(text),
            "html": fixes.unescape_html(text),
            "plain": ftfy.fix_text(text, uncurl_quotes=True, normalization="NFKC"),
            "width": formatting.monospaced_width(fixed),
            "centred": formatting.display_center(fixed, 30, "."),
            "possible": [name for name in ("ascii", "latin-1", "sloppy-windows-1252") if possible_encoding(text, name)],
        }
