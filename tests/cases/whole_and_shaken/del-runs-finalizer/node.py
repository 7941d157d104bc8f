LOG = []
class R:
    def __del__(self): LOG.append("closed")
tmp = R()
del tmp
class Case:
    def process(self, data): return LOG
