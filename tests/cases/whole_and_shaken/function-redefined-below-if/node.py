from conf import DEBUG
LOG = []
def trace(x): return x
if DEBUG:
    def trace(x):
        LOG.append(x)
        return x
A = trace("a")
class Case:
    def process(self, data): return LOG
