from web import ROUTES
class Case:
    def process(self, data): return [list(k) + [f()] for k, f in ROUTES.items()]
