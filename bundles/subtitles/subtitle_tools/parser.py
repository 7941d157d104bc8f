"""Reads SRT text.

    1
    00:00:01,000 --> 00:00:02,500
    The text, on one
    or more lines

A blank line ends the cue.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

from .cues import Cue

NEWLINE = re.compile(r"\r\n|\r|\n")

# Some writers put a point before the milliseconds, or coordinates after the times.
TIMING = re.compile(
    r"(\d+):([0-5]\d):([0-5]\d)[,.](\d{3})"
    r"\s*-->\s*"
    r"(\d+):([0-5]\d):([0-5]\d)[,.](\d{3})(?:\s.*)?",
    re.ASCII,
)

Block = list[tuple[int, str]]
"""The lines of one cue, each with its number in the text, from 1."""


def parse_srt(text: str) -> list[Cue]:
    """Read all cues of an SRT document, in its order.

    Raises ValueError with the cue's number and the line if one is malformed. Cues
    are counted from 1 as they come, whatever numbers they carry.
    """
    return [parse_cue(number, block) for number, block in enumerate(blocks(text), start=1)]


def blocks(text: str) -> Iterator[Block]:
    """Yield the runs of lines that are not blank."""
    block: Block = []
    for number, line in enumerate(NEWLINE.split(text.removeprefix("\ufeff")), start=1):
        if line.strip():
            block.append((number, line.strip()))
        elif block:
            yield block
            block = []
    if block:
        yield block


def parse_cue(number: int, block: Block) -> Cue:
    """Read one cue from its lines."""
    line, index = block[0]
    if re.fullmatch(r"[0-9]+", index) is None:
        raise ValueError(f"cue {number}, line {line}: expected the cue's number, found {index!r}")
    if len(block) < 2:
        raise ValueError(f"cue {number}, line {line}: the cue ends before its timing line")

    line, times = block[1]
    match = TIMING.fullmatch(times)
    if match is None:
        raise ValueError(
            f"cue {number}, line {line}: expected times such as "
            f"'00:00:01,000 --> 00:00:02,500', found {times!r}"
        )
    start, end = duration(*match.groups()[:4]), duration(*match.groups()[4:])
    if end < start:
        raise ValueError(f"cue {number}, line {line}: the cue ends before it starts: {times!r}")
    return Cue(start, end, tuple(text for _, text in block[2:]))


def duration(hours: str, minutes: str, seconds: str, milliseconds: str) -> timedelta:
    """Return the time that a timestamp's four numbers stand for."""
    return timedelta(
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds),
        milliseconds=int(milliseconds),
    )
