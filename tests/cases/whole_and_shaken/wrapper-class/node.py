class Memo:
    def __init__(self, f): self.f = f; self.cache = {}
    def __call__(self, n):
        if n not in self.cache: self.cache[n] = self.f(n)
        return self.cache[n]
@Memo
def sym(n): return "<" + n + ">"
PLUS = sym("+")
MINUS = sym("-")
class Case:
    def process(self, data): return [MINUS, sym.cache]
