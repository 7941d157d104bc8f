LOG = []
class E:
    def __iadd__(self, f): LOG.append(f); return self
    def __isub__(self, f): LOG.append(f); return self
ev = E()
ev += "h1"
ev -= "h2"
class Case:
    def process(self, data): return LOG
