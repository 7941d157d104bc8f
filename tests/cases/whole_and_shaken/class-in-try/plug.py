from base import Base
try:
    import json
    class JsonPlugin(Base):
        def load(self): return json.loads("1")
except ImportError:
    pass
