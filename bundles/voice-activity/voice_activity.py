"""A node that finds speech in sound by its energy."""

import math
from dataclasses import dataclass
from typing import Any

from remotemedia import Audio, Node, Packet

# Digital silence, and all that is quieter than this, says nothing about the noise to come.
QUIETEST_DBFS = -70.0


def mean_square(audio: Audio) -> float:
    """Return the energy of sound: 0.5 for a sine wave of full scale."""
    return sum(sample * sample for sample in audio.samples) / max(len(audio.samples), 1)


def dbfs(energy: float) -> float:
    """Return energy in decibels, where a sine wave of full scale has 0, and silence an end."""
    return max(10 * math.log10(2 * energy), QUIETEST_DBFS) if energy > 0 else QUIETEST_DBFS


@dataclass
class Segment:
    """Speech that has begun and may go on."""

    start_us: int
    end_us: int
    energy: float
    chunks: int = 1

    def extend(self, end_us: int, energy: float) -> None:
        """Take in one more chunk."""
        self.end_us = end_us
        self.energy += energy
        self.chunks += 1


class VoiceActivityNode(Node):
    """Takes chunks of sound, gives segments of speech: `{"start_ms", "end_ms", "level_dbfs"}`.

    Speech begins `on_db` above the noise floor and goes on as long as it stays `off_db` above
    it, pauses of up to `hangover_ms` included. What is shorter than `min_ms` is no speech. The
    noise floor falls to a quieter chunk at once and rises slowly, and not during speech.
    """

    def __init__(
        self,
        on_db: float = 18.0,
        off_db: float = 12.0,
        hangover_ms: int = 50,
        min_ms: int = 50,
        name: str | None = None,
        **config: Any,
    ) -> None:
        super().__init__(name, **config)
        self.on_db = on_db
        self.off_db = off_db
        self.hangover_us = 1000 * hangover_ms
        self.min_us = 1000 * min_ms
        self.floor_dbfs = QUIETEST_DBFS
        self.segment: Segment | None = None

    def process(self, data: Any) -> Packet | None:
        if not isinstance(data, Audio):
            raise TypeError(f"expected Audio, found {type(data).__name__}")
        start_us = self.metadata.timestamp_us
        if start_us is None:
            raise ValueError("expected audio with a timestamp")
        end_us = start_us + 1_000_000 * data.frames // data.sample_rate
        energy = mean_square(data)
        above_floor = dbfs(energy) - self.floor_dbfs

        segment = self.segment
        if segment is None:
            if above_floor >= self.on_db:
                self.segment = Segment(start_us, end_us, energy)
            else:
                self.floor_dbfs += min(above_floor, 0.5)
        elif above_floor >= self.off_db:
            segment.extend(end_us, energy)
        elif end_us - segment.end_us > self.hangover_us:
            self.segment = None
            return self.report(segment)
        return None

    def flush(self) -> Packet | None:
        segment, self.segment = self.segment, None
        return None if segment is None else self.report(segment)

    def report(self, segment: Segment) -> Packet | None:
        """Return a segment as it leaves: at the time when it began."""
        if segment.end_us - segment.start_us < self.min_us:
            return None
        return Packet(
            {
                "start_ms": round(segment.start_us / 1000),
                "end_ms": round(segment.end_us / 1000),
                # Whole decibels, so that another resampler or another libm gives the same.
                "level_dbfs": round(dbfs(segment.energy / segment.chunks)),
            },
            timestamp_us=segment.start_us,
        )
