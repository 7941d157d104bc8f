SINKS = [[], []]
def emit(n):
    [s.append(n) for s in SINKS]
    return n
A = emit("a")
class Case:
    def process(self, data): return SINKS
