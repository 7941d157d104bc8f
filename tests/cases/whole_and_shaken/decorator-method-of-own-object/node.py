HANDLERS = {}
class Router:
    def __init__(self, prefix): self.prefix = prefix
    def add(self, name):
        def deco(f):
            HANDLERS[self.prefix + name] = f
            return f
        return deco
api = Router("/api")
@api.add("/users")
def users(): return "users"
class Case:
    def process(self, data): return {k: f() for k, f in HANDLERS.items()}
