from app import dispatch
class Case:
    def process(self, data): return [dispatch("GET", "/"), dispatch("GET", "/items"), dispatch("POST", "/items")]
