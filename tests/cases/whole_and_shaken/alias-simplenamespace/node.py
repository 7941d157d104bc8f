import plugin
from core import REG
class Case:
    def process(self, data): return REG
