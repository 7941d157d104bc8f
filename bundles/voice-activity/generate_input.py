"""Writes input.wav: two seconds of mono with a voice of tones, in noise and silence.

    python3 generate_input.py
"""

import math
import random
import wave
from array import array
from pathlib import Path

RATE = 44100
SECONDS = 2.0

# When the voice speaks, in seconds, and how loud, in dBFS.
UTTERANCES = ((0.313, 0.690, -12), (0.950, 1.070, -20), (1.110, 1.330, -9), (1.667, 2.0, -15))
# A knock that is too short to be speech.
KNOCK = (1.508, 1.515, -6)
NOISE = 10 ** (-62 / 20)
RAMP = 0.004


def envelope(seconds: float, start: float, end: float) -> float:
    """Return how much of an utterance is heard: it takes a moment to begin and to end."""
    return max(0.0, min(1.0, (seconds - start) / RAMP, (end - seconds) / RAMP))


def voice(seconds: float) -> float:
    """Return a tone of 160 Hz with overtones, at the level of a full sine wave."""
    partials = ((160, 1.0), (320, 0.7), (640, 0.5), (960, 0.25))
    power = math.sqrt(sum(level * level for _, level in partials))
    return sum(level * math.sin(2 * math.pi * f * seconds) for f, level in partials) / power


def main() -> None:
    """Write the file."""
    generator = random.Random(1)
    samples = array("h")
    for frame in range(round(SECONDS * RATE)):
        seconds = frame / RATE
        # The first tenth of a second is digital silence.
        value = NOISE * generator.uniform(-1, 1) if seconds >= 0.1 else 0.0
        for start, end, dbfs in (*UTTERANCES, KNOCK):
            value += 10 ** (dbfs / 20) * envelope(seconds, start, end) * voice(seconds)
        samples.append(round(max(-1.0, min(1.0, value)) * 32767))
    with wave.open(str(Path(__file__).with_name("input.wav")), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


if __name__ == "__main__":
    main()
