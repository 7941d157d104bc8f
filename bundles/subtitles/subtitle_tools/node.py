"""The node that puts the package to use."""

from datetime import timedelta

from remotemedia import Node

from . import cues
from .parser import parse_srt


class SubtitleRetimeNode(Node):
    """Shifts the cues of `{"srt": ...}` and merges those that nearly touch."""

    def __init__(
        self,
        shift_ms: int = 0,
        merge_gap_ms: int = 0,
        max_chars: int = 42,
        name: str | None = None,
        **config: object,
    ) -> None:
        super().__init__(name, **config)
        self.shift = timedelta(milliseconds=shift_ms)
        self.merge_gap = timedelta(milliseconds=merge_gap_ms)
        self.max_chars = max_chars

    def process(self, data: dict[str, str]) -> dict[str, object]:
        read = sorted(parse_srt(data["srt"]), key=lambda cue: cue.start)
        shifted = cues.shift(read, self.shift)
        merged = cues.merge(shifted, self.merge_gap, self.max_chars)
        return {
            "srt": cues.to_srt(merged),
            "counts": {
                "read": len(read),
                "dropped": len(read) - len(shifted),
                "merged": len(shifted) - len(merged),
                "written": len(merged),
            },
        }
