import flow
from core import a
class Case:
    def process(self, data): return a.next
