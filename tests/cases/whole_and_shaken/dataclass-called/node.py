import fix
from core import P
class Case:
    def process(self, data): return repr(P(1, 2))
