"""A node that counts, for each session by itself."""

from typing import Any

from remotemedia.core.node import Node


class CounterNode(Node):
    """Adds up numbers by session.

    An item is a number, or `{"session_id": ..., "amount": ...}` where the packet itself says
    nothing about a session. How many sessions are remembered is up to the base class's
    `max_sessions` and `state_ttl`, which the manifest may give: they arrive through `config`.
    """

    def __init__(self, start: int = 0, name: str | None = None, **config: Any) -> None:
        super().__init__(name, **config)
        self.start = start

    def process(self, data: Any) -> dict[str, Any]:
        amount = data["amount"] if isinstance(data, dict) else data
        state = self.get_session_state()
        is_new = "total" not in state
        state["total"] = state.get("total", self.start) + amount
        state["items"] = state.get("items", 0) + 1
        return {
            "session": state.session_id,
            "new": is_new,
            "items": state["items"],
            "total": state["total"],
        }
