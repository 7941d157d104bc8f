"""Goes deep in ways that take stack outside Python's own: C code that calls itself, or calls Python again."""

import json


class Deep:
    def process(self, data):
        way, depth = data["way"], data["depth"]
        if way == "json":
            json.loads("[" * depth + "]" * depth)
        elif way == "repr":
            value = []
            for _ in range(depth):
                value = [value]
            repr(value)
        else:
            descend(depth)
        return way


def descend(depth):
    # Through `map` and `sum`, which are written in C.
    return sum(map(descend, [depth - 1])) + 1 if depth else 0
