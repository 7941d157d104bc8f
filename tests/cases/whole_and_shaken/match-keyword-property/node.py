class P:
    def __init__(self): self.x = 1
    @property
    def area(self): return 7
class Case:
    def process(self, data):
        match P():
            case P(area=a): return a
