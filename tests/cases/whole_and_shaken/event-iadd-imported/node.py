import sub
from core import saved
class Case:
    def process(self, data): return saved.fire(1)
