ALL = []
class Thing:
    def __init__(self, n): self.n = n
    def register(self):
        ALL.append(self.n)
        return self
def make(n):
    t = Thing(n)
    t.register()
    return t
A = make("a")
class Case:
    def process(self, data): return ALL
