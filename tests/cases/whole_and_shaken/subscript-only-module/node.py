import use
from core import BUCKETS
class Case:
    def process(self, data): return BUCKETS
