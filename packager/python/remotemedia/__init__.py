"""The contract between RemoteMedia Pack and nodes written in Python."""

from .core.node import Node

__all__ = ["Node"]
