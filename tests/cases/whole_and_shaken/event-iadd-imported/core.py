class Event:
    def __init__(self): self.h = []
    def __iadd__(self, f): self.h.append(f); return self
    def fire(self, x): return [f(x) for f in self.h]
saved = Event()
