ROUTES = {}
def route(path, method):
    def deco(f):
        ROUTES[method, path] = f
        return f
    return deco
def get(path):
    return route(path, "GET")
@get("/")
def index(): return "index"
