import codecs_, codecs2
from core import Codec
class Case:
    def process(self, data): return sorted(Codec.registry)
