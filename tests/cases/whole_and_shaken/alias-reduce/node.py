import use
from core import CONFIG
class Case:
    def process(self, data): return CONFIG
