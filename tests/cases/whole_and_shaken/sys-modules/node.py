import sys
import extra
class Case:
    def process(self, data): return "extra" in sys.modules
