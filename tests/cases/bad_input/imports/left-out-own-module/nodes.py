import importlib

import effects.quiet


class Case:
    def process(self, data):
        return importlib.import_module(data).apply(effects.quiet.NAME)
