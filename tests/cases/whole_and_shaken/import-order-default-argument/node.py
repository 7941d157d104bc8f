import override
from client import fetch
class Case:
    def process(self, data): return fetch()
