REG = []
def hook(cls): REG.append(cls.__name__)
class Base:
    __init_subclass__ = classmethod(hook)
