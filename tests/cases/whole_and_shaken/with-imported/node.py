import flow
from core import LOG
class Case:
    def process(self, data): return LOG
