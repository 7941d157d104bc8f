SEEN = set()
if SEEN.add("a"):
    pass
class Case:
    def process(self, data): return list(SEEN)
