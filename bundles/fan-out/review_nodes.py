"""Nodes that look at a review, each at something else, and one that puts it together."""

import asyncio
import re
from typing import Any

from remotemedia.core.node import Node

WORD = re.compile(r"\w+")


class KeywordsNode(Node):
    """Gives the words of a review that are on the list; nothing if there are none."""

    def __init__(self, words: list[str], name: str | None = None, **config: Any) -> None:
        super().__init__(name, **config)
        self.words = words

    def process(self, data: Any) -> list[str] | None:
        spoken = {word.lower() for word in WORD.findall(data["text"])}
        return [word for word in self.words if word in spoken] or None


class SentimentNode:
    """Gives the mean opinion of a review's sentences, from -1 to 1.

    A coroutine, as if each sentence were a request to a service: they are asked side by side.
    """

    OPINIONS = {"good": 1, "great": 1, "love": 1, "bad": -1, "awful": -1, "broke": -1}

    async def process(self, data: Any) -> float:
        sentences = [s for s in re.split(r"[.!?]+", data["text"]) if s.strip()]
        opinions = await asyncio.gather(*(self.ask(sentence) for sentence in sentences))
        return sum(opinions) / len(opinions) if opinions else 0.0

    async def ask(self, sentence: str) -> float:
        """Return the opinion of one sentence."""
        await asyncio.sleep(0)
        opinions = [self.OPINIONS.get(word.lower(), 0) for word in WORD.findall(sentence)]
        return max(-1.0, min(1.0, float(sum(opinions))))


class RecordNode(Node):
    """Takes what all branches made of one review, and gives one record.

    With `join: true` in the manifest an item is a dictionary from the branches' ids to what
    they gave; a branch that gave nothing is not in it.
    """

    def process(self, data: dict[str, Any]) -> dict[str, Any]:
        return {
            "review": self.metadata.sequence + 1,
            "words": data["counts"]["results"]["word_count"],
            "keywords": data.get("keywords", []),
            "stars": 3 + round(data["stars"]),
            "branches": list(data),
        }
