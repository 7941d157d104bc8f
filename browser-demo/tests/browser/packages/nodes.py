"""Nodes that use what the tests put in NumPy's place."""

import numpy
from remotemedia import Node


class Twice(Node):
    def process(self, data):
        return numpy.twice(data)


class Unused(Node):
    def process(self, data):
        import pandas

        return pandas.DataFrame(data)
