"""Checks what the examples' nodes refuse, and how they say so."""

import asyncio
import importlib
import sys
import unittest
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.append(str(HERE.parent / "packager" / "python"))
sys.path.extend(
    str(HERE / name)
    for name in (
        "text-processor",
        "mixed",
        "audio-meter",
        "subtitles",
        "live-captions",
        "voice-activity",
    )
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

    def test_voice_activity(self) -> None:
        voice = node("voice_activity", "VoiceActivityNode")
        audio = importlib.import_module("remotemedia").Audio
        self.refuses(voice, b"", TypeError, "expected Audio, found bytes")
        self.refuses(voice, audio([0.0], 8000), ValueError, "expected audio with a timestamp")


class Captions(unittest.TestCase):
    """A streaming node, fed by hand."""

    def captions(self, stream: AsyncIterator[Any], **params: Any) -> AsyncIterator[Any]:
        return node("captions", "CaptionNode", **params).process(stream)

    def test_a_caption_leaves_when_it_is_complete(self) -> None:
        async def run() -> list[Any]:
            go_on = asyncio.Event()

            async def stream() -> AsyncIterator[Any]:
                yield {"word": "Yes.", "start_us": 0, "end_us": 10}
                await go_on.wait()
                yield {"word": "No", "start_us": 20, "end_us": 30}

            captions = self.captions(stream())
            first = await anext(captions)
            go_on.set()
            return [first.data["lines"], *[caption.data["lines"] async for caption in captions]]

        self.assertEqual(asyncio.run(run()), [["Yes."], ["No"]])

    def test_reads_ahead_within_bounds(self) -> None:
        read = []

        async def stream() -> AsyncIterator[Any]:
            for number in range(100):
                read.append(number)
                yield {"word": "Yes.", "start_us": number, "end_us": number}

        async def run() -> None:
            captions = self.captions(stream(), lookahead=3)
            await anext(captions)
            for _ in range(10):
                await asyncio.sleep(0)
            await captions.aclose()

        asyncio.run(run())
        self.assertLessEqual(len(read), 5)

    def test_errors_come_through(self) -> None:
        for bad in (
            {"word": "No"},
            {"word": " ", "start_us": 0, "end_us": 1},
            {"word": "No", "start_us": 1, "end_us": 0},
            {"word": "No", "start_us": 0.5, "end_us": 1},
        ):

            async def run() -> list[Any]:
                async def stream() -> AsyncIterator[Any]:
                    yield {"word": "Yes.", "start_us": 0, "end_us": 10}
                    yield bad

                return [caption async for caption in self.captions(stream())]

            with self.subTest(bad), self.assertRaisesRegex(ValueError, "expected a word with its"):
                asyncio.run(run())


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
        self.assertIsNone(mine.flush())
        with self.assertRaisesRegex(NotImplementedError, r"Mine does not define process\(\)"):
            mine.process(1)


if __name__ == "__main__":
    unittest.main()
