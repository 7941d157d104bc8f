import use
from core import FIELDS
class Case:
    def process(self, data): return FIELDS
