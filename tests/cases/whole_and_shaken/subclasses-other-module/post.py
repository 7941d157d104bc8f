from hooks import Hook
class Upper(Hook):
    order = 2
    def run(self, x): return x.upper()
