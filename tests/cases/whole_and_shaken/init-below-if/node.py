import sys
LOG = []
class T:
    if sys.version_info > (3,):
        def __init__(self, n): LOG.append(n)
A = T("a")
class Case:
    def process(self, data): return LOG
