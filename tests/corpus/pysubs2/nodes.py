"""Converts subtitles with pysubs2: formats that are told apart by their text and found by name."""

import pysubs2
from pysubs2 import Alignment, Color, SSAEvent, SSAFile, SSAStyle
from pysubs2.exceptions import Pysubs2Error


class Convert:
    def process(self, data):
        try:
            subtitles = SSAFile.from_string(data["text"], fps=data.get("fps"))
        except Pysubs2Error as error:
            return [type(error).__name__, str(error)]
        subtitles.shift(s=1.5)
        subtitles.transform_framerate(25, 24)
        subtitles.styles["big"] = SSAStyle(fontsize=40, primarycolor=Color(1, 2, 3), alignment=Alignment.TOP_CENTER)
        subtitles.insert(0, SSAEvent(start=0, end=pysubs2.make_time(s=1), text="{\\i1}first{\\i0}\\Nline", style="big"))
        subtitles.rename_style("big", "huge")
        subtitles.sort()
        return {
            "format": subtitles.format,
            "texts": [[event.start, event.duration, event.plaintext] for event in subtitles],
            **{
                name: subtitles.to_string(name, fps=25)
                for name in ("srt", "ass", "ssa", "vtt", "microdvd", "mpl2", "tmp", "json", "ttml")
            },
        }
