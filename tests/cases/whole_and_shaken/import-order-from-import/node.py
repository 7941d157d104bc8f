import main
from client import level
class Case:
    def process(self, data): return level()
