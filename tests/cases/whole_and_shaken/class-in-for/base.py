REG = []
class Base:
    def __init_subclass__(cls, name=None): REG.append(name)
