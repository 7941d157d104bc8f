class Forward:
    def __init__(self): self.p = None
    def __ilshift__(self, p): self.p = p; return self
    def __lshift__(self, p): self.p = p; return self
    def parse(self, s): return self.p(s) if self.p else "undefined"
expr = Forward()
term = Forward()
