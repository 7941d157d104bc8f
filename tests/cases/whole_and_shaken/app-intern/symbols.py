TABLE = {}
class Symbol:
    def __init__(self, n): self.name = n
def intern(n):
    table = symbols()
    if n not in table:
        table[n] = Symbol(n)
    return table[n]
def symbols(): return TABLE
QUOTE = intern("quote")
LAMBDA = intern("lambda")
IF = intern("if")
