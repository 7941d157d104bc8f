from collections import Counter, OrderedDict, namedtuple
from enum import IntEnum, StrEnum

Pair = namedtuple('Pair', 'left right')
Colour = StrEnum('Colour', 'RED')
Level = IntEnum('Level', 'LOW')


class Case:
    def process(self, data):
        return [Pair(1, 2.5), Colour.RED, Level.LOW, Counter('aab'), OrderedDict(a=True), bytearray(b'x')]
