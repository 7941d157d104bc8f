"""Reads and writes captions with webvtt-py."""

import io

from webvtt import Caption, WebVTT
from webvtt.errors import MalformedCaptionError, MalformedFileError


class Captions:
    def process(self, data):
        try:
            captions = getattr(WebVTT, f"from_{data['from']}")(data["text"])
        except (MalformedCaptionError, MalformedFileError) as error:
            return [type(error).__name__, str(error)]
        captions.shift(1.5)
        captions.change_framerate(25, 24)
        captions.captions.append(Caption("00:00:10.000", "00:00:11.000", "added\ntwice"))
        out = io.StringIO()
        captions.write(out)
        return {
            "vtt": out.getvalue(),
            "times": [[caption.start, caption.end, caption.identifier, caption.text] for caption in captions],
            "seconds": captions.total_length,
            "styles": [style.text for style in captions.styles],
            "content": captions.content,
        }
