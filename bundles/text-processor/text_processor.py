"""A node that rewrites and counts text."""

import json
import logging
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from remotemedia.core.node import Node

logger = logging.getLogger(__name__)

Operation = Literal["uppercase", "lowercase", "title", "reverse", "word_count", "char_count"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

# An apostrophe inside a word belongs to it: "it's" is one word, and its title is "It's".
WORD = re.compile(r"\w+(?:['’]\w+)*")


@dataclass
class Report:
    """What was done to one text."""

    original: str
    results: dict[str, str | int] = field(default_factory=dict)
    processed: list[str] = field(default_factory=list)


def apply(operation: Operation, text: str) -> str | int:
    """Return the result of one operation on `text`."""
    match operation:
        case "uppercase":
            return text.upper()
        case "lowercase":
            return text.lower()
        case "title":
            return WORD.sub(lambda word: word[0].capitalize(), text)
        case "reverse":
            return text[::-1]
        case "word_count":
            return sum(1 for _ in WORD.finditer(text))
        case "char_count":
            return len(text)


def checked(operations: Any) -> list[Operation]:
    """Return `operations` in order, each once, if every one of them is known."""
    if not isinstance(operations, (list, tuple)):
        raise TypeError(f"operations must be a list of names, not {operations!r}")
    for operation in operations:
        if operation not in OPERATIONS:
            known = ", ".join(OPERATIONS)
            raise ValueError(f"unknown operation {operation!r}; known: {known}")
    return list(dict.fromkeys(operations))


class TextProcessorNode(Node):
    """Applies operations to `{"text": ..., "operations": [...]}`.

    An item may also be that object as JSON text. An item without `operations` gets
    the node's own, which are all of them unless the manifest's params say otherwise.
    """

    def __init__(
        self,
        operations: list[str] | None = None,
        name: str | None = None,
        **config: Any,
    ) -> None:
        super().__init__(name, **config)
        self.operations = checked(OPERATIONS if operations is None else operations)

    def initialize(self) -> None:
        # Here and not at import: whoever runs the pipeline may have set up logging already.
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")

    def process(self, data: Any) -> dict[str, Any]:
        request = json.loads(data) if isinstance(data, (str, bytes)) else data
        if not isinstance(request, dict) or not isinstance(request.get("text"), str):
            raise TypeError(f'expected an object with a "text" string, found {request!r}')

        report = Report(original=request["text"])
        for operation in checked(request.get("operations", self.operations)):
            report.results[operation] = apply(operation, report.original)
            report.processed.append(operation)
        logger.info("%d characters: %s", len(report.original), json.dumps(report.processed))
        return asdict(report)
