ROUTES = {}
def route(path, methods=("GET",)):
    def decorate(fn):
        for m in methods:
            ROUTES[m, path] = fn
        return fn
    return decorate
def get(path):
    return route(path)
def post(path):
    return route(path, ("POST",))
@route("/")
def index(): return "index"
@get("/items")
def items(): return "items"
@post("/items")
def create(): return "created"
def dispatch(method, path):
    fn = ROUTES.get((method, path))
    return fn() if fn else 404
