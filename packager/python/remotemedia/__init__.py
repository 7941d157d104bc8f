"""The contract between RemoteMedia Pack and nodes written in Python.

- `Node`: the base class; its documentation is the contract
- `Audio`, `VideoFrame`, `Tensor`: values beside Python's own
- `Packet`: a value to send on a named output, or with other metadata
- `current()`: the `Metadata` of the packet that the node is working on
- `SessionState`: what `Node.get_session_state()` gives
"""

from _remotemedia import (
    Audio,
    Metadata,
    Packet,
    SessionState,
    SessionStates,
    Tensor,
    VideoFrame,
    current,
)

from .core.node import Node

__all__ = [
    "Audio",
    "Metadata",
    "Node",
    "Packet",
    "SessionState",
    "SessionStates",
    "Tensor",
    "VideoFrame",
    "current",
]
