from symbols import symbols, intern, IF
class Case:
    def process(self, data): return [list(symbols()), intern("if") is IF]
