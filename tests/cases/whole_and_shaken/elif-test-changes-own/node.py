import sys
PENDING = ["a", "b"]
if not PENDING: MODE = "none"
elif PENDING.pop() == "b": MODE = "b"
class Case:
    def process(self, data): return PENDING
