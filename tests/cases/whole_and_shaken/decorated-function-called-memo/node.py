import core
class Case:
    def process(self, data): return core.CACHE
