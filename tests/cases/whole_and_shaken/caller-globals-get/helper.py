import sys
def option(name, default=None):
    return sys._getframe(1).f_globals.get(name, default)
