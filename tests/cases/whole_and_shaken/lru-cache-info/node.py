import functools
@functools.lru_cache
def f(x): return x
A = f(1)
B = f(1)
class Case:
    def process(self, data): return f.cache_info().hits
