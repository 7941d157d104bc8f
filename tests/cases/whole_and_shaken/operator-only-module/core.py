class Task:
    def __init__(self, n): self.n = n; self.next = []
    def __rshift__(self, o): self.next.append(o.n); return o
a = Task("a"); b = Task("b")
