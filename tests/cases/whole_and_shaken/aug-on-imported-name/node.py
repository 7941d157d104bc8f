import plugin
from core import ITEMS
class Case:
    def process(self, data): return ITEMS
