from hooks import Hook
class Strip(Hook):
    order = 1
    def run(self, x): return x.strip()
