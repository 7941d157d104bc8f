from core import main
class View:
    router = main
    @router.get("/")
    def index(self): pass
