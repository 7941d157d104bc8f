"""The base class for nodes.

This module imports nothing on purpose: every bundle that uses `Node` carries it,
together with whatever it would import.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Node:
    """One step of a pipeline: takes an item, gives an item.

    A pipeline builds a node once, with the `params` of its manifest entry as
    keyword arguments and the entry's `id` as `name`. It then calls `initialize`
    once, `process` once per item, `flush` once after the last item, and `cleanup`
    once at the end.

    Deriving from this class is optional: any class with a `process` method is a
    node. What the class adds is `name`, `config` and harmless defaults.

        class Shout(Node):
            def __init__(self, mark="!", name=None, **config):
                super().__init__(name, **config)
                self.mark = mark

            def process(self, data):
                return data.upper() + self.mark
    """

    name: str
    """The node's `id` in the manifest; the class name when built without one."""

    config: dict[str, "Any"]
    """The manifest's `params` that the class does not declare as arguments."""

    def __init__(self, name: str | None = None, **config: "Any") -> None:
        self.name = type(self).__name__ if name is None else name
        self.config = config

    def initialize(self) -> None:
        """Prepare for the first item: when the pipeline runs, not when it is packed."""

    def process(self, data: "Any") -> "Any":
        """Return what becomes of one item; `None` emits nothing."""
        raise NotImplementedError(f"{type(self).__qualname__} does not define process()")

    def flush(self) -> "Any":
        """Return one last item after the end of input; `None` emits nothing."""
        return None

    def cleanup(self) -> None:
        """Release what `initialize` acquired."""
