class Codec:
    registry = {}
    def __init_subclass__(cls, *, name, **k):
        super().__init_subclass__(**k); Codec.registry[name] = cls
