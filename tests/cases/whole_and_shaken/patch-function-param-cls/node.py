import patches
from core import Runner
class Case:
    def process(self, data): return Runner().run()
