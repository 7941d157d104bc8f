class Base:
    def hello(self): return "base"
