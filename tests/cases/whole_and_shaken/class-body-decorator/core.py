ROUTES = []
class Router:
    def get(self, p):
        def d(f): ROUTES.append(p); return f
        return d
main = Router()
