CACHE = {}
def memo(f):
    def wrapper(n):
        if n not in CACHE:
            CACHE[n] = f(n)
        return CACHE[n]
    return wrapper
@memo
def symbol(n): return "<" + n + ">"
PLUS = symbol("+")
MINUS = symbol("-")
