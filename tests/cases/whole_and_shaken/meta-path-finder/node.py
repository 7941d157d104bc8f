import hook, importlib
class Case:
    def process(self, data): return importlib.import_module("virtual" + "_mod").X
