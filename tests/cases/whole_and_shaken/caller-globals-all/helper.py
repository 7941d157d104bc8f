import inspect
def commands():
    g = inspect.currentframe().f_back.f_globals
    return {k[4:]: v() for k, v in g.items() if k.startswith("cmd_")}
