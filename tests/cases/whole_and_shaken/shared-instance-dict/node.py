SHARED = {}
class Borg:
    def __init__(self): self.__dict__ = SHARED
b = Borg()
b.x = 1
class Case:
    def process(self, data): return vars(Borg())
