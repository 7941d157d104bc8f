class Machine:
    transitions = {}
    @classmethod
    def on(cls, ev):
        def d(f):
            cls.transitions[ev] = f.__name__
            return f
        return d
class Door(Machine): pass
@Door.on("open")
def opened(m): pass
@Door.on("close")
def closed(m): pass
