from remotemedia.core.node import Node


class Case(Node):
    pass
