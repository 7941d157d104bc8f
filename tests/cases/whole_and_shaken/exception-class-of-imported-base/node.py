import errs
from core import CODES
class Case:
    def process(self, data): return CODES
