from app import run
class Case:
    def process(self, data): return run()
