"""A node that measures audio, window by window."""

import io
import math
import struct
import wave
from array import array
from itertools import pairwise

from remotemedia.core.node import Node

# By bytes per sample: how `struct` reads one, and what stands for silence.
SAMPLE_FORMATS = {1: ("B", 128), 2: ("h", 0), 4: ("i", 0)}


def decode(frames: bytes, width: int) -> "array[int]":
    """Return the samples of little-endian PCM as signed integers, channels interleaved."""
    if width not in SAMPLE_FORMATS:
        raise ValueError(f"samples of {8 * width} bits are not supported")
    code, silence = SAMPLE_FORMATS[width]
    samples = struct.unpack_from(f"<{len(frames) // width}{code}", frames)
    return array("q", (sample - silence for sample in samples))


def dbfs(amplitude: float, full_scale: int) -> float | None:
    """Return decibels below full scale, or None for silence, which is infinitely far below.

    Two digits are far coarser than what the mathematics of two platforms differ by.
    """
    if amplitude == 0:
        return None
    # Adding zero turns -0.0 into 0.0.
    return round(20 * math.log10(amplitude / full_scale), 2) + 0.0


def zero_crossings(samples: "array[int]") -> int:
    """Count how often neighbouring samples differ in sign, zero counting as positive."""
    return sum((a < 0) != (b < 0) for a, b in pairwise(samples))


def measure(samples: "array[int]", full_scale: int) -> dict[str, object]:
    """Return the measurements of one channel in one window."""
    peak = max(abs(sample) for sample in samples)
    mean_square = sum(sample * sample for sample in samples) / len(samples)
    return {
        "rms_dbfs": dbfs(math.sqrt(mean_square), full_scale),
        "peak_dbfs": dbfs(peak, full_scale),
        "zero_crossings": zero_crossings(samples),
        "clipped": sum(not -full_scale < s < full_scale - 1 for s in samples),
    }


class AudioMeterNode(Node):
    """Takes a WAV file as bytes, returns level, peak and zero crossings per window.

    The last window is as short as the audio makes it.
    """

    def __init__(self, window_ms: int = 20, name: str | None = None, **config: object) -> None:
        super().__init__(name, **config)
        if window_ms <= 0:
            raise ValueError(f"window_ms must be positive, not {window_ms}")
        self.window_ms = window_ms

    def process(self, data: bytes) -> dict[str, object]:
        if not isinstance(data, bytes):
            raise TypeError(f"expected a WAV file as bytes, found {type(data).__name__}")
        try:
            with wave.open(io.BytesIO(data)) as file:
                channels, width, rate = file.getparams()[:3]
                samples = decode(file.readframes(file.getnframes()), width)
        except (wave.Error, EOFError) as error:
            raise ValueError(f"not a WAV file: {str(error) or 'it ends too early'}") from error

        full_scale = 1 << (8 * width - 1)
        # A file cut short may end inside a frame.
        frames = len(samples) // channels
        by_channel = [samples[c : frames * channels : channels] for c in range(channels)]
        window = max(rate * self.window_ms // 1000, 1)
        return {
            "channels": channels,
            "sample_rate": rate,
            "duration_ms": round(1000 * frames / rate, 3),
            "windows": [
                {
                    "start_ms": round(1000 * start / rate, 3),
                    "channels": [
                        measure(channel[start : start + window], full_scale)
                        for channel in by_channel
                    ],
                }
                for start in range(0, frames, window)
            ],
        }
