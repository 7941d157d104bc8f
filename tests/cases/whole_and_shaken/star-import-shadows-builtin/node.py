import rules
from dsl import RULES
class Case:
    def process(self, data): return RULES
