from sm import Machine
class Case:
    def process(self, data): return Machine.transitions
