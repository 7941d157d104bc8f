import bootstrap
import logconf
class Case:
    def process(self, data): return logconf.LEVEL
