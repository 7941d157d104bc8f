"""The base class for nodes.

Every bundle that uses `Node` carries this module, together with whatever it would
import; so it imports only `_remotemedia`, which the engine holds anyway.
"""

import _remotemedia
from _remotemedia import DONE, SessionState, SessionStates, current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import timedelta
    from typing import Any


class _PacketMetadata:
    """What `Node.metadata` is.

    Not a property, because a node may keep something of its own under this name.
    """

    __slots__ = ()

    def __get__(self, node: object, owner: object = None) -> "Any":
        return self if node is None else current()


class Node:
    """One step of a pipeline: takes items, gives items.

    A pipeline builds a node once for each run, with the `params` of its manifest entry
    as keyword arguments and the entry's `id` as `name`. It then calls `initialize`
    once, `process`, `flush` once after the last item, and `cleanup` once at the end.
    `initialize` and `cleanup` may be plain functions or coroutines.

    Deriving from this class is optional: any class with a `process` method is a node.
    What the class adds is `name`, `config`, the state of sessions and harmless defaults.

        class Shout(Node):
            def __init__(self, mark="!", name=None, **config):
                super().__init__(name, **config)
                self.mark = mark

            def process(self, data):
                return data.upper() + self.mark

    **Items.** `process(self, data)` is called for each item. It may be

    - a function or a coroutine: what it returns is the output
    - a generator or an asynchronous generator: what it yields are the outputs, and each
      leaves as soon as it is yielded

    `None` is no output; `yield None` passes nothing on either. `flush(self)` may be any
    of these too, for what only the end of the input makes known.

        async def process(self, data):
            for word in data.split():
                yield word

    **Streams.** A node that takes the whole stream at once is called once, with an
    asynchronous iterator over its items, and is an asynchronous generator:

        class Pairs(Node):
            is_streaming = True

            async def process(self, stream):
                before = None
                async for item in stream:
                    yield [before, item]
                    before = item

    It is one when `is_streaming` is true, when its manifest entry says so, or when the
    parameter of `process` is annotated as `AsyncIterator`, `AsyncIterable` or
    `AsyncGenerator`. The stream ends with the input; `flush` comes after that.

    **Sources.** A node whose `process(self)` takes no item makes its own: a generator,
    of either kind, that is called once. Nothing may be connected to its input.

    **Values.** Items and outputs are `None`, truth values, numbers, text, bytes, lists,
    tuples and dictionaries of such, `Audio`, `VideoFrame` and `Tensor`. An output goes
    on with the session and the timestamp of the packet that the node is working on; to
    send it with others, or on a named output, wrap it in a `Packet`:

        def process(self, data):
            return Packet(data, output="loud" if data > 0 else "quiet")

    **Sessions.** One stream may carry the packets of several sessions.
    `get_session_state()` gives the state of the current one.

        def process(self, data):
            state = self.get_session_state()
            state["count"] = state.get("count", 0) + 1
            return state["count"]
    """

    name: str
    """The node's `id` in the manifest; the class name when built without one."""

    config: "dict[str, Any]"
    """The manifest's `params` that the class does not declare as arguments."""

    is_streaming: bool = False
    """Whether `process` takes the whole stream; see above."""

    state_ttl: "float | timedelta | None" = 3600.0
    """After how many seconds without a packet a session's state is forgotten; `None`: never."""

    max_sessions: int | None = 1000
    """How many sessions' states are kept; one more, and that of the session that was
    asked for the longest ago is forgotten. `None`: no bound."""

    metadata = _PacketMetadata()
    """The `Metadata` of the packet being worked on: `session`, `timestamp_us`, `sequence`."""

    # No `__init__` of ours need have run, so these are defaults of the class.
    __session_id: str | None = None
    __states: SessionStates | None = None

    def __init__(
        self,
        name: str | None = None,
        *,
        state_ttl: "float | timedelta | None" = None,
        max_sessions: int | None = None,
        **config: "Any",
    ) -> None:
        """`state_ttl` and `max_sessions` take the place of the class's, unless `None`."""
        self.name = type(self).__name__ if name is None else name
        if state_ttl is not None:
            self.state_ttl = state_ttl
        if max_sessions is not None:
            self.max_sessions = max_sessions
        self.config = config

    def initialize(self) -> "Awaitable[None]":
        """Prepare for the first item: when the pipeline runs, not when it is packed.

        This default does nothing, and may be awaited.
        """
        return DONE

    def process(self, data: "Any") -> "Any":
        """Return what becomes of one item; `None` emits nothing."""
        raise NotImplementedError(f"{type(self).__qualname__} does not define process()")

    def flush(self) -> "Any":
        """Return what is left at the end of the input; `None` emits nothing."""
        return None

    def cleanup(self) -> "Awaitable[None]":
        """Release what `initialize` acquired.

        This default does nothing, and may be awaited.
        """
        return DONE

    def get_session_state(self, session_id: str | None = None) -> SessionState:
        """Return what this node keeps for a session, by default the current one.

        A session that is new, or was forgotten, has an empty state. Ask for it again with
        each item rather than keep it: being asked for is what keeps it from being forgotten.
        """
        states = self.__states
        if states is None:
            states = self.__states = SessionStates(self.state_ttl, self.max_sessions)
        return states.get(self.get_session_id() if session_id is None else str(session_id))

    def cleanup_session(self, session_id: str | None = None) -> bool:
        """Forget a session, by default the current one; return whether there was a state."""
        if self.__states is None:
            return False
        return self.__states.remove(
            self.get_session_id() if session_id is None else str(session_id)
        )

    def get_session_id(self) -> str:
        """Return the current session.

        That is the one given to `set_session_id`; without it the session of the packet;
        without that what `extract_session_id` finds in the item; else `"default"`.
        """
        if self.__session_id is not None:
            return self.__session_id
        session_id = _remotemedia._current[0]
        if session_id is None and _remotemedia._data is not None:
            session_id = self.extract_session_id(_remotemedia._data)
        return "default" if session_id is None else session_id

    def set_session_id(self, session_id: str | None) -> None:
        """Say which session is the current one, until `None` is set."""
        self.__session_id = None if session_id is None else str(session_id)

    def extract_session_id(self, data: "Any") -> str | None:
        """Return the session that an item names, or `None`.

        Here that is `session_id` of a dictionary, or of one at the end of a tuple. It is
        asked only for a packet without a session.
        """
        if isinstance(data, tuple) and data:
            data = data[-1]
        session_id = data.get("session_id") if isinstance(data, dict) else None
        return None if session_id is None else str(session_id)
