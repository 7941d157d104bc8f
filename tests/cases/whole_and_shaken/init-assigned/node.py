LOG = []
def _init(self, n): LOG.append(n)
class T:
    __init__ = _init
A = T("a")
class Case:
    def process(self, data): return LOG
