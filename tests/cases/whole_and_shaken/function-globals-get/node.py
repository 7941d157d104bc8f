from util import table_of
from models import load
class Case:
    def process(self, data): return [table_of(load), load()]
