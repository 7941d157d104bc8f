import view
from core import ROUTES
class Case:
    def process(self, data): return ROUTES
