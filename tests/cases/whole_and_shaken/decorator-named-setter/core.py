TABLE = {}
class Props:
    def setter(self, name):
        def d(f): TABLE[name] = f.__name__; return f
        return d
props = Props()
