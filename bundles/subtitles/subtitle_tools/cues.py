"""Cues, and what can be done to a list of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

ZERO = timedelta()
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Cue:
    """Lines of text, shown from `start` up to `end`."""

    start: timedelta
    end: timedelta
    lines: tuple[str, ...]


def shift(cues: Iterable[Cue], by: timedelta) -> list[Cue]:
    """Move cues in time; what would start before zero starts at zero.

    A cue that would also end there is left out.
    """
    return [
        replace(cue, start=max(cue.start + by, ZERO), end=cue.end + by)
        for cue in cues
        if cue.end + by > ZERO
    ]


def merge(cues: Iterable[Cue], gap: timedelta, max_chars: int) -> list[Cue]:
    """Join neighbours that are closer than `gap` into one line of at most `max_chars`.

    The cues must be in order of their start. A gap of zero joins nothing.
    """
    merged: list[Cue] = []
    for cue in cues:
        if merged and gap > ZERO and cue.start - merged[-1].end < gap:
            last = merged[-1]
            text = " ".join(last.lines + cue.lines)
            if len(text) <= max_chars:
                merged[-1] = Cue(last.start, max(last.end, cue.end), (text,))
                continue
        merged.append(cue)
    return merged


def to_srt(cues: Iterable[Cue]) -> str:
    """Write cues as SRT text, numbered from 1."""
    return "\n".join(
        "\n".join((str(number), timing(cue), *cue.lines, ""))
        for number, cue in enumerate(cues, start=1)
    )


def timing(cue: Cue) -> str:
    """Write a cue's timing line, as in `00:00:01,000 --> 00:00:02,500`."""
    return f"{timestamp(cue.start)} --> {timestamp(cue.end)}"


def timestamp(time: timedelta) -> str:
    """Write a time as SRT does: `hours:minutes:seconds,milliseconds`."""
    seconds, milliseconds = divmod(time // MILLISECOND, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02},{milliseconds:03}"
