REG = []
class Base:
    def __init_subclass__(cls): REG.append(cls.__name__)
