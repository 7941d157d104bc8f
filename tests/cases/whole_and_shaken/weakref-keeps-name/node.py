import weakref
class H:
    def __init__(self, n): self.n = n
h = H("a")
keep = h
REF = weakref.ref(h)
del h
class Case:
    def process(self, data): return REF() is not None
