import b
from base import A
class Case:
    def process(self, data): return A.fields
