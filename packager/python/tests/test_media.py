"""Checks of `Audio`, `VideoFrame`, `Tensor` and `Packet`."""

import copy
import math
import pickle
import subprocess
import sys
import unittest
from array import array
from pathlib import Path

PYTHON = Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(PYTHON))

from remotemedia import Audio, Metadata, Packet, Tensor, VideoFrame, current  # noqa: E402


class Raises(unittest.TestCase):
    """What is refused, and how."""

    def check(self, error: type[Exception], message: str, make: object, *args: object) -> None:
        with self.assertRaises(error) as caught:
            make(*args)  # type: ignore[operator]
        self.assertEqual(str(caught.exception), message)

    def test_audio(self) -> None:
        uneven = "3 samples cannot be shared out over 2 channels"
        self.check(ValueError, uneven, Audio, [0, 0, 0], 8000, 2)
        self.check(ValueError, "channels is from 1 to 65535, not 0", Audio, [], 8000, 0)
        self.check(ValueError, "channels is from 1 to 65535, not 65536", Audio, [], 8000, 65536)
        self.check(ValueError, "sample_rate is from 1 to 4294967295, not 0", Audio, [], 0)
        self.check(TypeError, "sample_rate is an integer, not float", Audio, [], 8e3)
        message = "samples take 4 bytes each, and 5 is not a multiple of 4"
        self.check(ValueError, message, Audio, b"12345", 8000)
        message = "samples are 32-bit floats, not numbers of the format 'h'"
        self.check(TypeError, message, Audio, array("h", [1]), 8000)
        self.check(TypeError, "samples are floats or bytes, not str", Audio, "ab", 8000)
        message = "samples are floats or bytes, not int: 'int' object is not iterable"
        self.check(TypeError, message, Audio, 1, 8000)
        message = "samples are floats or bytes, not list: required argument is not a float"
        self.check(TypeError, message, Audio, ["a"], 8000)

    def test_video(self) -> None:
        message = "a 2x2 rgb24 frame takes 12 bytes, not 3"
        self.check(ValueError, message, VideoFrame, b"123", 2, 2)
        message = "no pixel format 'bgr24'; known: rgb24, rgba32, gray8, yuv420p"
        self.check(ValueError, message, VideoFrame, b"", 0, 0, "bgr24")
        self.check(ValueError, "width is from 0 to 4294967295, not -1", VideoFrame, b"", -1, 0)
        self.check(TypeError, "data is a buffer of bytes, not list", VideoFrame, [0, 0, 0], 1, 1)
        floats = array("f", [0, 0, 0])
        self.check(TypeError, "data is a buffer of bytes, not array", VideoFrame, floats, 2, 2)

    def test_tensor(self) -> None:
        message = "a tensor of shape [2, 3] and type u16 takes 12 bytes, not 4"
        self.check(ValueError, message, Tensor, b"1234", (2, 3), "u16")
        with self.assertRaisesRegex(ValueError, "each side of a shape is from 0 to .*, not -1"):
            Tensor(b"", (-1,))
        self.check(TypeError, "shape is a sequence of integers, not int", Tensor, b"", 3)
        message = (
            "no element type 'f16'; known: bool, u8, i8, u16, i16, u32, i32, u64, i64, f32, f64"
        )
        self.check(ValueError, message, Tensor, b"", (0,), "f16")
        message = "data is a buffer of f32 or of bytes, not of the format 'h'"
        self.check(TypeError, message, Tensor, array("h", [1, 2]), (1,))
        with self.assertRaisesRegex(ValueError, "data is not a sequence of u8: "):
            Tensor([256], (1,), "u8")
        with self.assertRaisesRegex(ValueError, "larger than this machine can address"):
            Tensor(b"", (sys.maxsize, 4, 0))
        self.check(
            ValueError, "a tensor has up to 64 dimensions, not 65", Tensor, b"1234", [1] * 65
        )

    def test_packet(self) -> None:
        self.check(TypeError, "output is text or None, not int", lambda: Packet(1, output=1))
        self.check(TypeError, "session is text or None, not bytes", lambda: Packet(1, session=b""))
        message = "timestamp_us is an integer, not float"
        self.check(TypeError, message, lambda: Packet(1, timestamp_us=0.5))
        with self.assertRaisesRegex(ValueError, "timestamp_us is from -9223372036854775808 to"):
            Packet(1, timestamp_us=1 << 63)


class Sound(unittest.TestCase):
    """`Audio`."""

    def test_keeps_buffers(self) -> None:
        samples = array("f", [0.5, -0.5, 1.0, 0.25])
        audio = Audio(samples, 48000, 2)
        self.assertEqual(audio.frames, 2)
        self.assertEqual((audio.samples.format, audio.samples.shape), ("f", (4,)))
        samples[0] = 0.75
        self.assertEqual(audio.samples[0], 0.75)
        data = bytearray(samples.tobytes())
        audio = Audio(data, 48000)
        data[:4] = bytes(4)
        self.assertEqual(audio.samples.tolist(), [0.0, -0.5, 1.0, 0.25])
        view = memoryview(bytes(16)).cast("f")
        self.assertIs(Audio(view, 1).samples.obj, view.obj)

    def test_copies_what_is_no_buffer_of_floats(self) -> None:
        expected = [0.5, -0.25]
        for samples in (expected, tuple(expected), iter(expected), array("d", expected)):
            self.assertEqual(Audio(samples, 8000).samples.tolist(), expected)
        apart = memoryview(array("f", [0.5, 9, -0.25]))[::2]
        self.assertEqual(Audio(apart, 8000).samples.tolist(), expected)
        square = memoryview(array("f", [0.5, -0.25])).cast("B").cast("f", (1, 2))
        self.assertEqual(Audio(square, 8000).samples.tolist(), expected)
        made = Audio(expected, 8000)
        made.samples[0] = 0.125
        self.assertEqual(made.samples[0], 0.125)

    def test_empty(self) -> None:
        for samples in (b"", [], array("f"), array("d")):
            audio = Audio(samples, 8000, 3)
            self.assertEqual((audio.frames, audio.samples.format), (0, "f"))
            self.assertEqual(audio, Audio([], 8000, 3))

    def test_equality_copies_and_text(self) -> None:
        audio = Audio([0.5, 0.25], 8000)
        self.assertEqual(audio, Audio(array("f", [0.5, 0.25]), 8000))
        self.assertNotEqual(audio, Audio([0.5, 0.25], 8000, 2))
        self.assertNotEqual(audio, Audio([0.5, 0.25], 8001))
        self.assertNotEqual(audio, Audio([0.5, 0.0], 8000))
        self.assertNotEqual(audio, [0.5, 0.25])
        self.assertNotEqual(Audio([math.nan], 1), Audio([math.nan], 1))
        self.assertEqual(copy.deepcopy(audio), audio)
        self.assertEqual(pickle.loads(pickle.dumps(audio)), audio)
        self.assertEqual(repr(audio), "<Audio: 2 frames, 1 channel, 8000 Hz>")
        self.assertEqual(repr(Audio([0, 0], 1, 2)), "<Audio: 1 frame, 2 channels, 1 Hz>")
        self.assertEqual(Audio.__module__, "remotemedia")
        self.assertFalse(hasattr(audio, "__dict__"))
        self.assertRaises(TypeError, memoryview, audio)


class Pictures(unittest.TestCase):
    """`VideoFrame`."""

    def test_sizes(self) -> None:
        for name, size in {"rgb24": 45, "rgba32": 60, "gray8": 15, "yuv420p": 27}.items():
            frame = VideoFrame(bytes(size), 5, 3, name)
            self.assertEqual((frame.data.format, len(frame.data)), ("B", size))
            self.assertRaises(ValueError, VideoFrame, bytes(size - 1), 5, 3, name)
            self.assertEqual(repr(frame), f"<VideoFrame: 5x3 {name}>")
            self.assertEqual(len(VideoFrame(b"", 0, 0, name).data), 0)

    def test_keeps_buffers(self) -> None:
        pixels = bytearray(12)
        frame = VideoFrame(memoryview(pixels).cast("B", (2, 2, 3)), 2, 2)
        pixels[11] = 7
        self.assertEqual((frame.data.shape, frame.data[11]), ((12,), 7))
        self.assertEqual(frame, copy.copy(frame))
        self.assertNotEqual(frame, VideoFrame(bytes(12), 2, 2))
        self.assertNotEqual(frame, VideoFrame(pixels, 4, 1))
        self.assertEqual(VideoFrame(bytes(range(8))[::2], 4, 1, "gray8").data[3], 6)


class Numbers(unittest.TestCase):
    """`Tensor`."""

    def test_types(self) -> None:
        sizes = {"bool": 1, "u8": 1, "i8": 1, "u16": 2, "i16": 2, "u32": 4, "i32": 4}
        sizes |= {"u64": 8, "i64": 8, "f32": 4, "f64": 8}
        for dtype, size in sizes.items():
            with self.subTest(dtype):
                tensor = Tensor([0, 1, 1, 0, 1, 0], (2, 3), dtype)
                self.assertEqual(tensor.data.itemsize, size)
                self.assertEqual(tensor.tolist(), [[0, 1, 1], [0, 1, 0]])
                self.assertEqual(tensor.data[1, 1], 1)
                again = Tensor(tensor.data.tobytes(), (2, 3), dtype)
                self.assertEqual(again, tensor)
                self.assertEqual(copy.deepcopy(tensor), tensor)
                self.assertIs(Tensor(tensor.data, [2, 3], dtype).data.obj, tensor.data.obj)
                self.assertEqual(Tensor(tensor.data, (3, 2), dtype).data.shape, (3, 2))
        self.assertEqual(Tensor([1 << 63], (1,), "u64").tolist(), [1 << 63])

    def test_formats_of_other_names(self) -> None:
        # On most machines, one of "l" and "i" is as long as the other, or as "q".
        longs = array("l", [1, -2])
        tensor = Tensor(longs, (2,), f"i{8 * longs.itemsize}")
        self.assertEqual(tensor.tolist(), [1, -2])
        longs[0] = 5
        self.assertEqual(tensor.tolist(), [5, -2])

    def test_no_dimensions(self) -> None:
        tensor = Tensor([1.5], ())
        self.assertEqual((tensor.data.ndim, tensor.tolist(), tensor.shape), (0, 1.5, ()))
        self.assertEqual(Tensor(tensor.data, (1, 1)).tolist(), [[1.5]])
        self.assertEqual(Tensor(Tensor([1.5], (1, 1)).data, ()), tensor)

    def test_empty(self) -> None:
        lists = {(0,): [], (0, 3): [], (2, 0): [[], []], (1, 2, 0, 4): [[[], []]]}
        for shape, expected in lists.items():
            for data in (b"", [], array("i")):
                tensor = Tensor(data, shape, "i32")
                self.assertEqual((tensor.tolist(), tensor.shape), (expected, shape))
                self.assertEqual(tensor.data.format, "i")
        self.assertNotEqual(Tensor(b"", (0, 2)), Tensor(b"", (2, 0)))
        separate = Tensor(b"", (2, 0)).tolist()
        separate[0].append(1)
        self.assertEqual(separate, [[1], []])

    def test_text(self) -> None:
        self.assertEqual(repr(Tensor([1, 2], (1, 2), "u8")), "<Tensor: [1, 2] u8>")


class Packets(unittest.TestCase):
    """`Packet`, `Metadata` and `current`."""

    def test_packet(self) -> None:
        packet = Packet({"a": 1}, output="events", timestamp_us=5)
        self.assertEqual((packet.output, packet.session, packet.timestamp_us), ("events", None, 5))
        self.assertEqual(packet, Packet({"a": 1}, output="events", timestamp_us=5))
        self.assertNotEqual(packet, Packet({"a": 1}))
        self.assertEqual(repr(packet), "Packet({'a': 1}, output='events', timestamp_us=5)")
        self.assertEqual(repr(Packet(None)), "Packet(None)")

    def test_current(self) -> None:
        engine = sys.modules["_remotemedia"]
        self.assertEqual(current(), Metadata(None, None, 0))
        try:
            engine._current = ("a", 20, 3)
            self.assertEqual(current(), Metadata(session="a", timestamp_us=20, sequence=3))
            self.assertEqual(repr(current()), "Metadata(session='a', timestamp_us=20, sequence=3)")
        finally:
            engine._current = (None, None, 0)


class Imports(unittest.TestCase):
    """The engine has no module that is written in Python."""

    def test_only_built_in_modules(self) -> None:
        code = (
            f"import sys; sys.path.insert(0, {str(PYTHON)!r}); sys.dont_write_bytecode = True\n"
            "before = set(sys.modules)\n"
            "import remotemedia\n"
            "print(*sorted(set(sys.modules) - before))\n"
        )
        found = subprocess.run(
            [sys.executable, "-S", "-E", "-c", code],
            capture_output=True,
            check=True,
            text=True,
        )
        ours = {"_remotemedia", "remotemedia", "remotemedia.core", "remotemedia.core.node"}
        others = set(found.stdout.split()) - ours
        self.assertLessEqual(others, {"_collections", "_operator", "_struct", "time"})


if __name__ == "__main__":
    unittest.main()
