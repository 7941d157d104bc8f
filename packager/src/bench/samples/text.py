import json, re, logging
from typing import Any
from dataclasses import dataclass

log = logging.getLogger(__name__)

@dataclass
class Result:
    words: int
    text: str

class N:
    def __init__(self, mark: str = "!", **config: Any):
        self.mark = mark

    def process(self, data):
        if isinstance(data, str):
            data = json.loads(data)
        words = re.findall(r"\w+", data["text"])
        log.info("%d words", len(words))
        result = Result(len(words), " ".join(words).upper() + self.mark)
        return json.dumps({"words": result.words, "text": result.text})
