import plugin
from core import LANGS
class Case:
    def process(self, data): return [l.aliases for l in LANGS]
