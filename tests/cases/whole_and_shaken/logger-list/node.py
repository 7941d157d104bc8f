import logging
from a import f
class Case:
    def process(self, data): return [n for n in sorted(logging.root.manager.loggerDict) if n == "a"]
