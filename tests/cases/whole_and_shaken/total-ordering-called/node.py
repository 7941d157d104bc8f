import fix
from core import V
class Case:
    def process(self, data): return V(1) >= V(0) if hasattr(V, "__ge__") and V.__ge__ is not object.__ge__ else "no"
