import plug
from base import REG
class Case:
    def process(self, data): return REG
