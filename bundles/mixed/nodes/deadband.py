"""A node that holds back small changes."""


class DeadbandNode:
    """Passes a number on when it differs enough from the last one passed on.

    It derives from nothing: a class with a `process` method is a node. Its parameters
    are exactly what the manifest may give.
    """

    def __init__(self, threshold: int | float = 0) -> None:
        self.threshold = threshold
        self.last: int | float | None = None

    def process(self, data: int | float) -> int | float | None:
        # bool is a subclass of int, and true is not a reading.
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            raise TypeError(f"expected a number, found {data!r}")
        if self.last is not None and abs(data - self.last) < self.threshold:
            return None
        self.last = data
        return data
