ITEMS = ["base"]
ALIAS = ITEMS
ALIAS += ["more"]
class Case:
    def process(self, data): return ITEMS
