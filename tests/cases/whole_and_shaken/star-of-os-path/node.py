from collections.abc import *
from os.path import *


class Case:
    def process(self, data):
        return [join("a", "b"), isinstance([], Sequence), isinstance(1, Mapping)]
