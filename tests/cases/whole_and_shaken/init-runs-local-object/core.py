ALL = []
class Helper:
    def __init__(self, o): self.o = o
    def run(self): ALL.append(type(self.o).__name__)
class C:
    def __init__(self):
        h = Helper(self)
        h.run()
c = C()
