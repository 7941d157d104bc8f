REG = []
def get_registry():
    return REG
def register(n):
    reg = get_registry()
    reg.append(n)
    return n
X = register("x")
class Case:
    def process(self, data): return REG
