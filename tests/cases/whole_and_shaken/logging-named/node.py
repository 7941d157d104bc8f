import logging
import lib
class Case:
    def process(self, data): 
        l = logging.getLogger("app")
        return [l.level, l.propagate]
