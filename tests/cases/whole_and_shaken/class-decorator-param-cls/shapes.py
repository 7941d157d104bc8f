class Base:
    registry = []
def register(cls):
    cls.registry.append(cls.__name__)
    return cls
@register
class Circle(Base): pass
@register
class Square(Base): pass
