"""Nodes that make captions of recognised words while they are being spoken."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from remotemedia import Node, Packet

SENTENCE_ENDS = (".", "?", "!", "…")


@dataclass
class Word:
    """One word, and when it was spoken."""

    text: str
    start_us: int
    end_us: int

    @classmethod
    def of(cls, data: Any) -> "Word":
        """Read `{"word": ..., "start_us": ..., "end_us": ...}`."""
        match data:
            case {"word": str(text), "start_us": int(start), "end_us": int(end)}:
                if text.strip() and start <= end:
                    return cls(text.strip(), start, end)
        raise ValueError(f"expected a word with its times, found {data!r}")


class CaptionNode(Node):
    """Takes words, gives captions: `{"start_us", "end_us", "lines"}`.

    It sees the whole stream. A caption is complete with the word that ends a sentence, and
    otherwise when the next word does not fit or comes after a pause. It leaves there and then.

    Words are read and composed by two tasks: reading goes on while a caption waits to be
    taken, up to `lookahead` words.
    """

    def __init__(
        self,
        max_chars: int = 37,
        max_lines: int = 2,
        max_pause_ms: int = 800,
        lookahead: int = 16,
        name: str | None = None,
        **config: Any,
    ) -> None:
        super().__init__(name, **config)
        self.max_chars = max_chars
        self.max_lines = max_lines
        self.max_pause_us = 1000 * max_pause_ms
        self.lookahead = lookahead

    async def process(self, stream: AsyncIterator[Any]) -> AsyncIterator[Packet]:
        words: asyncio.Queue[Word | None] = asyncio.Queue(self.lookahead)

        async def listen() -> None:
            try:
                async for data in stream:
                    await words.put(Word.of(data))
            except Exception:
                await words.put(None)
                raise
            await words.put(None)

        listening = asyncio.create_task(listen())
        try:
            caption: list[Word] = []
            while (word := await words.get()) is not None:
                if caption and not self.belongs(caption, word):
                    yield self.compose(caption)
                    caption = []
                caption.append(word)
                if word.text.endswith(SENTENCE_ENDS):
                    yield self.compose(caption)
                    caption = []
            # What went wrong while listening is raised here.
            await listening
            if caption:
                yield self.compose(caption)
        finally:
            listening.cancel()

    def belongs(self, caption: list[Word], word: Word) -> bool:
        """Return whether `word` can be part of `caption`."""
        if word.start_us - caption[-1].end_us > self.max_pause_us:
            return False
        return len(self.lines([*caption, word])) <= self.max_lines

    def lines(self, caption: list[Word]) -> list[str]:
        """Return the text of a caption; a word that is longer than a line has one of its own."""
        lines = [caption[0].text]
        for word in caption[1:]:
            longer = f"{lines[-1]} {word.text}"
            if len(longer) <= self.max_chars:
                lines[-1] = longer
            else:
                lines.append(word.text)
        return lines

    def compose(self, caption: list[Word]) -> Packet:
        """Return a caption as it leaves: at the time of its first word."""
        start, end = caption[0].start_us, caption[-1].end_us
        return Packet(
            {"start_us": start, "end_us": end, "lines": self.lines(caption)}, timestamp_us=start
        )


class WebVttNode(Node):
    """Takes captions, gives the pieces of a WebVTT file: its head, then one cue for each."""

    def __init__(self, name: str | None = None, **config: Any) -> None:
        super().__init__(name, **config)
        self.cues = 0

    def process(self, data: Any) -> Iterator[str]:
        if self.cues == 0:
            yield "WEBVTT\n"
        self.cues += 1
        times = f"{clock(data['start_us'])} --> {clock(data['end_us'])}"
        text = "\n".join(escape(line) for line in data["lines"])
        yield f"{self.cues}\n{times}\n{text}\n"


def clock(us: int) -> str:
    """Return microseconds as `hh:mm:ss.ttt`."""
    seconds, milliseconds = divmod(us // 1000, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"


def escape(text: str) -> str:
    """Return text as WebVTT writes it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
