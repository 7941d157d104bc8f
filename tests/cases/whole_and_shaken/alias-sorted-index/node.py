import plugin
from core import LANGS
class Case:
    def process(self, data): return LANGS
