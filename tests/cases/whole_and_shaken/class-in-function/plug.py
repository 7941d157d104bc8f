from base import Base
def make(n):
    class P(Base): pass
    return P
A = make("a")
