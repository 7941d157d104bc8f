import grammar
from pc import expr
class Case:
    def process(self, data): return expr.parse("x")
