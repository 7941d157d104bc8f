from core import ALL
class Case:
    def process(self, data): return ALL
