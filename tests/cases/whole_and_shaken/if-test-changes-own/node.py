FLAGS = {"debug": True, "x": 1}
if FLAGS.pop("debug", False):
    LEVEL = 10
else:
    LEVEL = 20
class Case:
    def process(self, data): return FLAGS
