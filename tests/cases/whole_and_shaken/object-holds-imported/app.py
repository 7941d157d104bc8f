from core import default
class App:
    def __init__(self): self.router = default
app = App()
app.router.add("/x")
