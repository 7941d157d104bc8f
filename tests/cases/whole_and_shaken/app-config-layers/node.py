import config
class Case:
    def process(self, data): return config.CONFIG
