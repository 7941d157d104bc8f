import logging
class Mem(logging.Handler):
    records = []
    def emit(self, r): Mem.records.append(self.format(r))
handler = Mem()
handler.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))
root = logging.getLogger()
root.addHandler(handler)
root.setLevel(logging.INFO)
noisy = logging.getLogger("noisy")
noisy.setLevel(logging.ERROR)
noisy.propagate = False
