from core import Runner
def patch(cls):
    old = cls.run
    cls.run = lambda self: "patched " + old(self)
patch(Runner)
