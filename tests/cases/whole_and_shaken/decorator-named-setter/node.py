import plugin
from core import TABLE
class Case:
    def process(self, data): return TABLE
