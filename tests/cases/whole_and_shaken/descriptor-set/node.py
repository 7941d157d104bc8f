LOG = []
class Positive:
    def __set_name__(self, owner, name): self.name = name
    def __set__(self, obj, v):
        LOG.append(v)
        obj.__dict__[self.name] = v
class Item:
    qty = Positive()
    def __init__(self, q): self.qty = q
A = Item(3)
class Case:
    def process(self, data): return LOG
