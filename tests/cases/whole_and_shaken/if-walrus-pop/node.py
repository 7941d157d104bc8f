TABLE = {"a": 1}
if (old := TABLE.pop("a", None)) is not None:
    previous = old
class Case:
    def process(self, data): return TABLE
