import patch
from core import Settings
class Case:
    def process(self, data): return hasattr(Settings, "debug")
