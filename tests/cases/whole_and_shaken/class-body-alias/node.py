import conf
from core import MIDDLEWARE
class Case:
    def process(self, data): return MIDDLEWARE
