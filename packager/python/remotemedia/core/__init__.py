"""What a node is made of."""

from .node import Node

__all__ = ["Node"]
