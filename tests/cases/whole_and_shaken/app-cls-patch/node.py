import patches
from model import User
class Case:
    def process(self, data): return repr(User())
