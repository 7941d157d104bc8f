class Router:
    def __init__(self): self.r = []
    def add(self, p): self.r.append(p)
default = Router()
