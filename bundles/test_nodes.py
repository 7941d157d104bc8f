"""Checks what the examples' nodes refuse, and how they say so."""

import importlib
import sys
import unittest
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.append(str(HERE.parent / "packager" / "python"))
sys.path.extend(
    str(HERE / name) for name in ("text-processor", "mixed", "audio-meter", "subtitles")
)


def node(module: str, name: str, **params: Any) -> Any:
    """Build a node of an example."""
    return getattr(importlib.import_module(module), name)(**params)


class NodeErrors(unittest.TestCase):
    """Every message names what was wrong."""

    def refuses(self, node: Any, data: Any, error: type[Exception], message: str) -> None:
        with self.assertRaisesRegex(error, message):
            node.process(data)

    def test_text_processor(self) -> None:
        text = node("text_processor", "TextProcessorNode")
        unknown = "unknown operation 'shout'; known: uppercase, .*, char_count$"
        self.refuses(text, {"text": "", "operations": ["shout"]}, ValueError, unknown)
        self.refuses(text, {"text": "", "operations": "title"}, TypeError, "a list of names")
        self.refuses(text, {"text": 1}, TypeError, "\"text\" string, found {'text': 1}")
        self.refuses(text, '{"text": ', ValueError, "line 1 column 10")
        with self.assertRaisesRegex(ValueError, unknown):
            node("text_processor", "TextProcessorNode", operations=["shout"])

    def test_deadband(self) -> None:
        deadband = node("nodes.deadband", "DeadbandNode", threshold=1)
        self.refuses(deadband, True, TypeError, "expected a number, found True")
        self.refuses(deadband, "1", TypeError, "expected a number, found '1'")

    def test_audio_meter(self) -> None:
        meter = node("audio_meter", "AudioMeterNode")
        self.refuses(meter, "RIFF", TypeError, "as bytes, found str")
        self.refuses(meter, b"", ValueError, "not a WAV file: it ends too early")
        self.refuses(meter, b"MThd" + bytes(40), ValueError, "not a WAV file: .*RIFF")
        with self.assertRaisesRegex(ValueError, "window_ms must be positive, not 0"):
            node("audio_meter", "AudioMeterNode", window_ms=0)

    def test_subtitles(self) -> None:
        retime = node("subtitle_tools.node", "SubtitleRetimeNode")
        good = "1\r\n00:00:01,000 --> 00:00:02,000\r\nHello\r\n\r\n"
        for bad, message in {
            "two\n": "cue 2, line 5: expected the cue's number, found 'two'",
            "2\n": "cue 2, line 5: the cue ends before its timing line",
            "2\n00:00:03 --> 00:00:04\n": "cue 2, line 6: .* found '00:00:03 --> 00:00:04'",
            "2\n00:00:04,000 --> 00:00:03,000\n": "cue 2, line 6: the cue ends before it starts",
        }.items():
            with self.subTest(bad):
                self.refuses(retime, {"srt": good + bad}, ValueError, message)


class NodeBase(unittest.TestCase):
    """What deriving from `remotemedia.Node` gives."""

    def test_defaults(self) -> None:
        base = importlib.import_module("remotemedia")
        core = importlib.import_module("remotemedia.core")
        module = importlib.import_module("remotemedia.core.node")
        self.assertIs(base.Node, module.Node)
        self.assertIs(core.Node, module.Node)

        class Mine(base.Node):
            pass

        self.assertEqual(Mine().name, "Mine")
        mine = Mine(name="me", mode="fast")
        self.assertEqual((mine.name, mine.config), ("me", {"mode": "fast"}))
        self.assertIsNone(mine.initialize())
        self.assertIsNone(mine.flush())
        self.assertIsNone(mine.cleanup())
        with self.assertRaisesRegex(NotImplementedError, r"Mine does not define process\(\)"):
            mine.process(1)


if __name__ == "__main__":
    unittest.main()
