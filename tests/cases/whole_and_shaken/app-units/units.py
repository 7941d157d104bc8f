REG = {}
class Unit:
    def __init__(self, name, factor=1, base=None):
        self.name, self.factor, self.base = name, factor, base
    def alias(self, *names):
        for n in names: REG[n] = self
        return self
    def __mul__(self, o): return Unit(f"{self.name}*{o}", self.factor * o, self)
m = Unit("m")
m.alias("meter", "metre")
km = m * 1000
km.alias("km")
def define(name, f):
    u = Unit(name, f)
    u.alias(name)
    return u
inch = define("inch", 0.0254)
foot = define("foot", 0.3048)
