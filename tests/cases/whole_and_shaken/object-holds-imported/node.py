import app
from core import default
class Case:
    def process(self, data): return default.r
