"""Writes input.jsonl: two short WAV files, one a line, as `{"$bytes": base64}`.

    python3 generate_input.py [DIR]

With DIR, the files are also written there as WAV, to listen to.
"""

import base64
import io
import json
import math
import sys
import wave
from collections.abc import Iterable, Sequence
from pathlib import Path

RATE = 8000


def sine(hertz: float, frame: int) -> float:
    """Return a sine wave of full scale at `frame`."""
    return math.sin(2 * math.pi * hertz * frame / RATE)


def tone() -> list[tuple[float, float]]:
    """Return half a second in stereo.

    Left: 440 Hz, 100 ms each of quiet, loud, silence, loud and far too loud.
    Right: 1 kHz, fading out.
    """
    levels = (0.05, 0.5, 0.0, 0.9, 3.0)
    frames = RATE // 2
    return [
        (
            levels[frame * len(levels) // frames] * sine(440, frame),
            0.7 * (1 - frame / frames) * sine(1000, frame),
        )
        for frame in range(frames)
    ]


def blip() -> list[tuple[float]]:
    """Return 50 ms of mono: 250 Hz, then silence."""
    return [(0.5 * sine(250, frame) if frame < 200 else 0.0,) for frame in range(400)]


def wav(frames: Sequence[Iterable[float]], channels: int, width: int) -> bytes:
    """Return a WAV file of `frames`, clipped to -1 and 1, with `width` bytes a sample."""
    full_scale = (1 << (8 * width - 1)) - 1
    # WAV stores samples of one byte unsigned, all others signed.
    offset = 128 if width == 1 else 0
    data = bytearray()
    for frame in frames:
        for sample in frame:
            value = round(max(-1.0, min(1.0, sample)) * full_scale) + offset
            data += value.to_bytes(width, "little", signed=width > 1)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(RATE)
        file.writeframes(data)
    return buffer.getvalue()


def main() -> None:
    """Write the files."""
    files = {
        "tone.wav": wav(tone(), channels=2, width=2),
        "blip.wav": wav(blip(), channels=1, width=1),
    }
    lines = [json.dumps({"$bytes": base64.b64encode(data).decode()}) for data in files.values()]
    target = Path(__file__).with_name("input.jsonl")
    target.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
    for folder in sys.argv[1:]:
        for name, data in files.items():
            Path(folder, name).write_bytes(data)


if __name__ == "__main__":
    main()
