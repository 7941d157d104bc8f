import use
from core import R
class Case:
    def process(self, data): return R
