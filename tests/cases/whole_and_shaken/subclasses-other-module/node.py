import pre, post
from engine import run
class Case:
    def process(self, data): return run("  a ")
