import inspect
class K:
    def a(self): pass
    @staticmethod
    def s(): pass
class Case:
    def process(self, data): return [a.kind for a in inspect.classify_class_attrs(K) if len(a.name) == 1]
