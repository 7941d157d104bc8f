from flags import names, DARK
class Case:
    def process(self, data): return [names(), DARK["value"]]
