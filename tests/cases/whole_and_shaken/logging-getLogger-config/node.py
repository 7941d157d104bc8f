import logging
import logconf
class Case:
    def process(self, data): return logging.getLogger("a").getEffectiveLevel()
