class Component:
    registry = {}
    def __set_name__(self, owner, name):
        Component.registry.setdefault(owner.__name__, []).append(name)
class Pos(Component): pass
class Vel(Component): pass
