import plugin
from core import Thing
class Case:
    def process(self, data): return Thing.size
