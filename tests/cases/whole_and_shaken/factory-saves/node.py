from core import STORE
class Case:
    def process(self, data): return sorted(STORE)
