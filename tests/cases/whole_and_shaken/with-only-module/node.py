import use
from core import ACTIVE
class Case:
    def process(self, data): return ACTIVE
